"""Where blows strike: by name, each moment of a slot's work that can be struck."""

from __future__ import annotations

from typing import Final

from benchd.domain.job import Gate
from benchd.lab.adversity.ledger import KEPT
from benchd.pipelines.stages import STAGE_CLASSES

CALLS: Final = (
    "identity",
    "inspect",
    "reset_facts",
    "enable_test_harness",
    "fill",
    *["fill_step"] * 4,
    "check",
    "check",
    "sample",
    "drop",
    "drop_tail",
    "battery",
    "scan",
    "clear",
    "nfc_off",
    "nfc_on",
)
"""Where a handset or a reader can be struck in the middle of what it's asked for."""
_ALWAYS_ASKED: Final = (
    *(Gate.CONSENT, Gate.NETWORK, Gate.FINAL_RESET),
    *(Gate.OBSERVE, Gate.IMEI, Gate.CONFIRM),
)
ASKED: Final = tuple(f"asked:{gate}" for gate in (*_ALWAYS_ASKED, Gate.FELICA_CHECK))
ANSWERED: Final = tuple(f"answered:{gate}" for gate in _ALWAYS_ASKED)
STAGE_RECORDS: Final = (
    "job_opened",
    "job_ended",
    *[f"{kind}:{stage}" for kind in ("stage_started", "stage_ended") for stage in STAGE_CLASSES],
)
RECORDS: Final = (*STAGE_RECORDS, *[KEPT + record for record in STAGE_RECORDS])
_OF_PEOPLE: Final = (
    *[f"{kind}:{gate}" for kind in ("question_asked", "decision") for gate in _ALWAYS_ASKED],
    *("occupancy_opened", "attachment_changed"),
)
RACED: Final = (*_OF_PEOPLE, *[KEPT + record for record in _OF_PEOPLE])
"""While an answer is on its way to the disk, or is there and the job hasn't heard of it."""
SECONDS: Final = (0.05, 1.0, 5.0, 25.0, 45.0, 90.0, 400.0)
