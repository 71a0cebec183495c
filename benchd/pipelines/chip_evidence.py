"""What a look at a chip puts on record, and how it ends a job: one wording for all stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from benchd.errors import StageFailed
from benchd.proof.evidence.chip import ChipEvidence
from benchd.words.chip import ChipScan, ChipVerdict
from benchd.words.job import Reason

_REASON_OF: Final[Mapping[ChipVerdict, Reason]] = {
    ChipVerdict.SILENT: Reason.FELICA_SILENT,
    ChipVerdict.INCONSISTENT: Reason.FELICA_INCONSISTENT,
    ChipVerdict.IN_USE: Reason.FELICA_RESIDUE,
}
"""All others can't be told by radio alone, whatever a reader says: they can't be judged."""


def no_chip_by(silent: ChipEvidence) -> ChipEvidence:
    """A silent look at a handset that has no chip by more than that."""
    return replace(silent, verdict=ChipVerdict.NO_CHIP, over_the_air=silent.verdict)


def refusal_of(scan: ChipScan, because: str = "") -> StageFailed:
    """What a scan that can't be gone on with ends the job as, and what may have caused it."""
    reason = _REASON_OF.get(scan.verdict, Reason.FELICA_UNREADABLE)
    owners = ChipEvidence.of(scan).owners
    left = f" ({owners.en})" if owners else ""
    cause = f"; {because}" if because else ""
    return StageFailed(reason, f"{scan.verdict}: {scan.detail}{left}{cause}")
