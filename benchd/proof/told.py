"""What a single record tells of the handset that it is about."""

from __future__ import annotations

from benchd.errors import CertificateGap
from benchd.proof.evidence.forms import FORM_BEFORE_NUMBERS, read_evidence
from benchd.proof.evidence.handset import GatesEvidence, InspectEvidence
from benchd.proof.evidence.recheck import FindDrawnEvidence
from benchd.proof.reading import RecordReader
from benchd.words.imei import is_imei
from benchd.words.job import Outcome, StageName
from benchd.words.record import Entry, EntryKind

_TELLING = (StageName.INSPECT, StageName.GATES, StageName.FIND_DRAWN)


def imeis_told(entry: Entry) -> frozenset[str]:
    """The IMEIs that its handset has told, or a person has read on its screen; most tell none."""
    return imeis_in(seen_in(entry, _TELLING))


def imeis_in(evidence: object | None) -> frozenset[str]:
    """The same of evidence that was read already."""
    match evidence:
        case InspectEvidence():
            return frozenset(evidence.imeis)
        case (
            GatesEvidence(screen_number=str() as number)
            | FindDrawnEvidence(screen_number=str() as number)
        ) if is_imei(number):
            return frozenset((number,))
        case _:
            return frozenset()


def seen_in(entry: Entry, stages: tuple[StageName, ...]) -> object | None:
    """What one of these stages saw as it passed or was skipped; None for any other record.

    Nothing is told by evidence that isn't of its form.
    """
    if entry.kind is not EntryKind.STAGE_ENDED:
        return None
    reader = RecordReader(entry.data, entry.kind)
    try:
        stage = reader.text("stage")
        if stage not in stages or reader.text("outcome") not in (Outcome.PASSED, Outcome.SKIPPED):
            return None
        form = reader.optional_whole("form") or FORM_BEFORE_NUMBERS
        return read_evidence(stage, reader.mapping("evidence"), form)
    except CertificateGap:
        return None
