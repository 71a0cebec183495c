"""Whether somebody has answered × for a handset in another job, and nothing has overruled it since.

A no at the gate of the network restriction stands for the handset, not for the job: until another
person answers, or a list has a newer look-up of each of its numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.identity.same_handset import Handsets
from benchd.proof.identity.sighting import Sighting, sighting_of, sightings_in
from benchd.proof.identity.traits import Relation
from benchd.proof.intake_book import IntakeBook
from benchd.proof.job_records import decisions
from benchd.proof.network import SALEABLE, look_up_result
from benchd.proof.separation_of_duties import Toucher


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedNo:
    """A × that stands."""

    job: JobId
    by: Toucher
    at: datetime


def standing_no(
    me: Sighting, mine: Sequence[StoredEntry], others: Sequence[StoredEntry], book: IntakeBook
) -> list[TypedNo]:
    """Each × that stands of this handset, by its other jobs and the answers of its own.

    Raises CertificateGap for records that can't be read.
    """
    handsets = Handsets(me, sightings_in(others))
    same = {job for job in handsets.in_order if handsets.relation(job) is not Relation.NONE}
    told = {record.sequence: record for record in mine}
    told |= {record.sequence: record for record in others if record.entry.job in same}
    standing: list[TypedNo] = []
    for job, answer in _answers(told[sequence] for sequence in sorted(told)):
        by = Toucher(person=answer.person, name=answer.operator)
        if not answer.approved:
            standing.append(TypedNo(job=job, by=by, at=answer.at))
        elif look_up_result(answer.note) in SALEABLE:
            standing = [no for no in standing if is_of(no, answer.person, answer.operator)]
    return [no for no in standing if not _listed_since(no, me.imeis, book)]


def noes_in(records: Iterable[StoredEntry]) -> Iterator[int]:
    """The records by which somebody has answered × at the gate."""
    for record in records:
        data = record.entry.data
        is_answer = record.entry.kind is EntryKind.DECISION and data.get("gate") == Gate.NETWORK
        if is_answer and data.get("approved") is not True:
            yield record.sequence


def is_of(no: TypedNo, person: str | None, name: str) -> bool:
    """Whether this person gave it, or may have: a yes of theirs doesn't overrule it."""
    return no.by.is_same(person, name)


def typed_gaps(
    job: JobId, mine: Sequence[StoredEntry], others: Sequence[StoredEntry], book: IntakeBook
) -> Iterator[str]:
    """Each × of the handset's other jobs that this job has gone on in spite of."""
    for no in standing_no(sighting_of(job, mine), mine, others, book):
        if no.job != job:
            yield (
                f"{Gate.NETWORK}: {no.by.name} answered × in job {no.job}, and neither another"
                " person nor a newer list says otherwise"
            )


def _answers(records: Iterable[StoredEntry]) -> Iterator[tuple[JobId, DecisionEvidence]]:
    for record in records:
        entry = record.entry
        if entry.kind is EntryKind.DECISION and entry.data.get("gate") == Gate.NETWORK:
            for answer in decisions([record]):
                yield entry.job or JobId(""), answer


def _listed_since(no: TypedNo, imeis: Iterable[str], book: IntakeBook) -> bool:
    """Whether each of its numbers was looked up later, by a list of somebody's, and may be sold."""
    newest = [book.newest_look_up((imei,)) for imei in imeis]
    return bool(newest) and all(
        each is not None
        and each.by.is_shown
        and each.line.sign in SALEABLE
        and each.line.at > no.at
        for each in newest
    )
