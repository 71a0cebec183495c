"""What a single record tells of the handset that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchd.domain.errors import CertificateGap
from benchd.domain.handset import Trait
from benchd.domain.imei import is_imei
from benchd.domain.job import Outcome, StageName
from benchd.domain.record import Entry, EntryKind
from benchd.proof.evidence.handset_evidence import GatesEvidence, InspectEvidence
from benchd.proof.evidence.job_evidence import read_evidence
from benchd.proof.evidence.recheck_evidence import FindDrawnEvidence
from benchd.proof.evidence.reset_evidence import ConfirmEvidence
from benchd.proof.record_fields import RecordReader

_TELLING = (StageName.INSPECT, StageName.GATES, StageName.CONFIRM, StageName.FIND_DRAWN)

TOLD_UNDER: Final[Mapping[Trait, tuple[str, ...]]] = {
    Trait.IMEI: ("imei", "second_imei", "screen_number", "second_number"),
    Trait.SERIAL: ("serial", "screen_number"),
    Trait.CHIP: ("chip",),
}
"""Under which keys of a stage's evidence each stands; the ledger has an index of each."""


def tells(entry: Entry, trait: Trait, value: str) -> bool:
    """Whether a stage's evidence has this, whatever became of the stage."""
    evidence = entry.data.get("evidence")
    if entry.kind is not EntryKind.STAGE_ENDED or not isinstance(evidence, Mapping):
        return False
    return any(evidence.get(key) == value for key in TOLD_UNDER[trait])


def imeis_reported(entry: Entry) -> frozenset[str]:
    """The IMEIs that its handset has told, or a person has read on its screen; most tell none."""
    return imeis_in(seen_in(entry, _TELLING))


def imeis_proven(entry: Entry) -> frozenset[str]:
    """Those of them that don't rest on one person's one look."""
    match seen_in(entry, _TELLING):
        case InspectEvidence() as seen:
            return frozenset(seen.imeis)
        case GatesEvidence(label_number=str() as number):
            return frozenset((number,))
        case ConfirmEvidence() as seen:
            return frozenset(seen.numbers)
        case _:
            return frozenset()


def imeis_in(evidence: object | None) -> frozenset[str]:
    """The IMEIs of evidence that was read already, proven or not."""
    match evidence:
        case InspectEvidence():
            return frozenset(evidence.imeis)
        case GatesEvidence():
            numbers = (evidence.screen_number, evidence.second_number)
            return frozenset(number for number in numbers if number and is_imei(number))
        case ConfirmEvidence():
            return frozenset(evidence.numbers)
        case FindDrawnEvidence(screen_number=number) if is_imei(number):
            return frozenset((number,))
        case _:
            return frozenset()


def seen_in(entry: Entry, stages: tuple[StageName, ...]) -> object | None:
    """What one of these stages saw as it passed or was skipped; None for any other record.

    Nothing is told by evidence that isn't of its form.
    """
    if entry.kind is not EntryKind.STAGE_ENDED or entry.data.get("stage") not in stages:
        return None
    if entry.data.get("outcome") not in (Outcome.PASSED, Outcome.SKIPPED):
        return None
    return evidence_in(entry)


def evidence_in(entry: Entry) -> object | None:
    """What a stage's attempt saw, however it ended; None where that isn't of its form."""
    if entry.kind is not EntryKind.STAGE_ENDED:
        return None
    reader = RecordReader(entry.data, entry.kind)
    try:
        seen = reader.mapping("evidence")
        return read_evidence(reader.text("stage"), seen, reader.form()) if seen else None
    except CertificateGap:
        return None
