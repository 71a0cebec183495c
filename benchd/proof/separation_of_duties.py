"""Who has touched a handset in a job, and so may not recheck it: answers, labels, attestations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchd.domain.ids import Evidence
from benchd.domain.person_names import same_person
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.proof.evidence.chip_evidence import ChipEvidence
from benchd.proof.evidence.handset_evidence import GatesEvidence
from benchd.proof.evidence.intake_evidence import WaivedGate
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
