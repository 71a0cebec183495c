"""What a look at a chip puts on record, and how it ends a job: one wording for all stages.

A handset whose chip is silent is asked over adb why; whatever it says, silence stays silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from benchd.domain.chip import ChipScan, ChipVerdict
from benchd.domain.errors import StageFailed
from benchd.domain.handset import NfcFacts, SilenceCause
from benchd.domain.job import Reason
from benchd.pipelines.stage_contract import JobContext
from benchd.proof.evidence.chip_evidence import ChipEvidence, SilenceEvidence

_REASON_OF: Final[Mapping[ChipVerdict, Reason]] = {
    ChipVerdict.SILENT: Reason.FELICA_SILENT,
    ChipVerdict.INCONSISTENT: Reason.FELICA_INCONSISTENT,
    ChipVerdict.IN_USE: Reason.FELICA_RESIDUE,
}
"""All others can't be told by radio alone, whatever a reader says: they can't be judged."""
_SAID: Final[Mapping[SilenceCause, str]] = {
    SilenceCause.NFC_OFF: "NFC is off on this handset",
    SilenceCause.SCREEN_OFF: "its screen is off",
    SilenceCause.SCREEN_LOCKED: "its screen is locked",
    SilenceCause.UNKNOWN: "the handset doesn't say why",
}
_UNKNOWN: Final = NfcFacts(nfc_on=None, screen_on=None, unlocked=None)


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


async def handset_says(context: JobContext) -> SilenceEvidence:
    """What the handset says of its radio; unknown in a recipe without adb.

    Raises what a handset over adb does.
    """
    handset = context.open_handset
    return SilenceEvidence.of(_UNKNOWN if handset is None else await handset.nfc_facts())


def in_words(causes: tuple[SilenceCause, ...]) -> str:
    """For the detail of a job's end."""
    return ", ".join(_SAID[cause] for cause in causes)
