"""What the stages of one job saw, as far as other stages and the proof need it."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.proof.evidence.chip import ChipEvidence, ClearEvidence
from benchd.proof.evidence.handset import GatesEvidence, InitialiseEvidence, InspectEvidence
from benchd.proof.evidence.recheck import FindDrawnEvidence, RecheckEvidence
from benchd.proof.evidence.reset import ConfirmEvidence, FinalResetEvidence, ObserveEvidence
from benchd.proof.evidence.storage import OverwriteEvidence, ReadBackEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvidence:
    """One field per stage, by the stage's name; None where it hasn't passed or saw nothing."""

    inspect: InspectEvidence | None = None
    gates: GatesEvidence | None = None
    felica_check: ChipEvidence | None = None
    initialise: InitialiseEvidence | None = None
    overwrite: OverwriteEvidence | None = None
    read_back: ReadBackEvidence | None = None
    felica_clear: ClearEvidence | None = None
    felica_recheck: ChipEvidence | None = None
    final_reset: FinalResetEvidence | None = None
    observe: ObserveEvidence | None = None
    confirm: ConfirmEvidence | None = None
    find_drawn: FindDrawnEvidence | None = None
    recheck: RecheckEvidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureEvidence:
    """The same of a job in which no stage of an erasure is missing."""

    inspect: InspectEvidence
    gates: GatesEvidence
    felica_check: ChipEvidence
    initialise: InitialiseEvidence
    overwrite: OverwriteEvidence
    read_back: ReadBackEvidence
    felica_clear: ClearEvidence | None
    """None where there was nothing to clear."""
    felica_recheck: ChipEvidence
    final_reset: FinalResetEvidence
    observe: ObserveEvidence
    confirm: ConfirmEvidence
