"""What the stages of one job saw, and what was seen of its handset when it came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from types import UnionType
from typing import get_args, get_type_hints

from benchd.domain.evidence_json import FORM, check_form, from_json
from benchd.domain.evidence_values import Whole
from benchd.domain.ids import Evidence
from benchd.proof.evidence.chip_evidence import ChipEvidence, ClearEvidence, OwnEraseEvidence
from benchd.proof.evidence.handset_evidence import (
    GatesEvidence,
    InitialiseEvidence,
    InspectEvidence,
)
from benchd.proof.evidence.recheck_evidence import FindDrawnEvidence, RecheckEvidence
from benchd.proof.evidence.reset_evidence import (
    ConfirmEvidence,
    FinalResetEvidence,
    ObserveEvidence,
)
from benchd.proof.evidence.storage_evidence import OverwriteEvidence, ReadBackEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnEvidence:
    """Stands beside the evidence of the stage that ended the absence: what was seen, no verdict."""

    attachment: str
    """The enumeration of its port that it came back with."""
    serial: str | None = None
    """What it told over adb, like the next two; None and none where adb was gone."""
    imeis: tuple[str, ...] = ()
    android_id: str | None = None
    """Only where this job has a reset to compare with."""
    keystream_bytes: Whole = 0
    """Found on it of what this job had confirmed before the first departure."""
    chip: str | None = None
    """The chip that answered, where this job has tied that chip to the handset."""
    screen_number: str | None = None
    """What a person read on its own screen: an IMEI, or a serial where it can't telephone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvidence:
    """One field per stage, by the stage's name; None where it hasn't passed or saw nothing."""

    inspect: InspectEvidence | None = None
    gates: GatesEvidence | None = None
    felica_check: ChipEvidence | None = None
    felica_erase: OwnEraseEvidence | None = None
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
    felica_erase: OwnEraseEvidence | None
    """None where the handset had no chip to erase, or nobody knows that it can."""
    initialise: InitialiseEvidence
    overwrite: OverwriteEvidence
    read_back: ReadBackEvidence
    felica_clear: ClearEvidence | None
    """None where there was nothing to clear."""
    felica_recheck: ChipEvidence
    final_reset: FinalResetEvidence
    observe: ObserveEvidence
    confirm: ConfirmEvidence


@cache
def _kinds() -> Mapping[str, type[object]]:
    hints = get_type_hints(JobEvidence)
    return {field.name: _without_none(hints[field.name]) for field in fields(JobEvidence)}


def _without_none(hint: UnionType) -> type[object]:
    [kind] = (each for each in get_args(hint) if each is not type(None))
    return kind


def read_evidence(stage: str, data: Evidence, form: int) -> object | None:
    """What a stage saw, as its type; None for a stage of which nobody needs to know.

    Raises CertificateGap for evidence that isn't of its form.
    """
    kind = _kinds().get(stage)
    if kind is None:
        return None
    check_form(stage, form)
    return from_json(kind, data, stage, exact=form == FORM)
