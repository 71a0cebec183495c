"""Separation of duties: who confirms or rechecks a handset is nobody who has worked on it.

Whoever answered, scanned its label or attested something of it has worked on it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchd.domain.authority import ACTION_OF, AUTHORITY
from benchd.domain.ids import Evidence
from benchd.domain.job import Gate
from benchd.domain.people import ShownBy
from benchd.domain.person_names import same_person
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.proof.evidence.chip_evidence import ChipEvidence
from benchd.proof.evidence.handset_evidence import GatesEvidence
from benchd.proof.evidence.intake_evidence import BoundRecord, WaivedGate
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.job_records import stage_records


@dataclass(frozen=True, slots=True, kw_only=True)
class Toucher:
    """Somebody by their id and name; another system has a name alone."""

    person: str | None
    name: str

    def is_same(self, person: str | None, name: str) -> bool:
        """Whether this is that person, or may be."""
        return (person is not None and self.person == person) or same_person(self.name, name)


def touchers_of(
    records: Sequence[StoredEntry], intake: Sequence[StoredEntry]
) -> tuple[Toucher, ...]:
    """By a job's own records, and by those of intake that its gates went by."""
    return tuple(dict.fromkeys([*_of_job(records), *_of_intake(intake, _cited_in(records))]))


def _of_job(records: Sequence[StoredEntry]) -> Iterator[Toucher]:
    for record in records:
        match record.entry.kind:
            case EntryKind.DECISION:
                yield from _named(record.entry.data)
            case EntryKind.ASSET_BOUND:
                yield from _by(record.entry)
            case _:
                pass


def _of_intake(intake: Sequence[StoredEntry], cited: Collection[int]) -> Iterator[Toucher]:
    for record in intake:
        if record.sequence in cited:
            yield from _by(record.entry)


def _by(entry: Entry) -> Iterator[Toucher]:
    by = entry.data.get("by")
    if isinstance(by, Mapping):
        yield from _named(by)


def _named(told: Evidence) -> Iterator[Toucher]:
    person, name = told.get("person"), told.get("operator")
    yield Toucher(
        person=person if isinstance(person, str) else None,
        name=name if isinstance(name, str) else "",
    )


def _cited_in(records: Sequence[StoredEntry]) -> frozenset[int]:
    """The numbers of the records of intake that a job's gates went by, by its stages' evidence."""
    found: set[int] = set()
    for attempt in stage_records(records):
        match attempt.shown():
            case GatesEvidence(settled=settled):
                told = settled
            case ChipEvidence(settled=WaivedGate() as one):
                told = (one,)
            case _:
                continue
        found |= {each.cited.sequence for each in told if each.cited is not None}
    return frozenset(found)


def confirm_gaps(answers: Sequence[DecisionEvidence]) -> list[str]:
    """What is missing of a second person's confirmation.

    Two names may be one person: it needs two ids, and enough that was shown for each answer.
    """
    confirmed = [a for a in answers if a.gate is Gate.CONFIRM and a.approved]
    others = [answer for answer in answers if answer.gate is not Gate.CONFIRM]
    if not confirmed:
        return ["confirm: nobody has confirmed"]
    if not others:
        return ["confirm: nobody is on record who ran the job"]
    if any(same_person(confirmed[-1].operator, other.operator) for other in others):
        return ["confirm: the same person ran the job and confirmed it"]
    if any(other.person == confirmed[-1].person for other in others):
        return ["confirm: one person's id ran the job and confirmed it"]
    weak = {answer.gate for answer in answers if not _is_shown(answer)}
    return [f"{gate}: a badge alone doesn't show who answered" for gate in sorted(weak)]


def has_scanned(bound: BoundRecord, person: str | None, name: str) -> bool:
    """Whether it is they who tied the handset to its asset, by its label."""
    by = bound.by
    return by is not None and Toucher(person=by.person, name=by.operator).is_same(person, name)


def scanner_gaps(answers: Sequence[DecisionEvidence], bound: BoundRecord | None) -> list[str]:
    """Whoever has scanned the label has worked on the handset as well."""
    confirmed = [a for a in answers if a.gate is Gate.CONFIRM and a.approved]
    if bound is None or not confirmed:
        return []
    if not has_scanned(bound, confirmed[-1].person, confirmed[-1].operator):
        return []
    return ["confirm: the same person scanned its label and confirmed it"]


def _is_shown(answer: DecisionEvidence) -> bool:
    return AUTHORITY[ACTION_OF[answer.gate]].by_badge or answer.shown_by is not ShownBy.BADGE
