"""What racks' records hold a handset for: by the one rule of which handset it is, over all racks.

A record counts on its own line. What takes a debt away has to stand after it on a line that has
both: what a restored ledger has lost, or what only a clone says, still holds. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from benchd.domain.chip import secret_named_in
from benchd.domain.disposal import DisposalState
from benchd.domain.errors import CertificateGap
from benchd.domain.handset_question import Elsewhere, ElsewhereFinding, HandsetQuestion
from benchd.domain.ids import JobId
from benchd.domain.job import ELSEWHERE, Outcome, Reason
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.proof.disposal_fold import disposed_item, opened_item
from benchd.proof.identity.same_handset import Handset, Handsets
from benchd.proof.identity.sighting import Sighting, sighting_of
from benchd.proof.identity.traits import Join, Relation, Traits
from benchd.proof.identity.unresolved_jobs import is_anothers_chip

_ME: Final = JobId("asked about")
_LEFT_ALONE: Final = (DisposalState.ON_SALE, DisposalState.HELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A record of a rack: which line it came in, and its number there."""

    branch: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines of one rack's records: each goes back to where it left another."""

    left: Mapping[int, Spot | None]
    """For each branch the last record before it; None for the first."""
    newest: int
    """The branch in which the rack was heard last."""
    is_forked: bool
    """Whether two ledgers go by its key: nobody knows which of them asks."""

    def spot(self, branch: int, sequence: int) -> Spot:
        """Where the record of this number is that a branch's line has."""
        left = self.left.get(branch)
        while left is not None and sequence <= left.sequence:
            branch, left = left.branch, self.left.get(left.branch)
        return Spot(branch=branch, sequence=sequence)

    def has(self, branch: int, spot: Spot) -> bool:
        """Whether a branch's line has this record."""
        return self.spot(branch, spot.sequence) == spot

    def asker_has(self, spot: Spot) -> bool:
        """Whether whichever ledger asks by the rack's key has this record itself."""
        asking = self.left if self.is_forked else (self.newest,)
        return all(self.has(branch, spot) for branch in asking)

    def follows(self, later: Spot, spot: Spot) -> bool:
        """Whether one record stands after another on a line that has both."""
        return later.sequence > spot.sequence and self.has(later.branch, spot)


@dataclass(frozen=True, slots=True, kw_only=True)
class RackJob:
    """What one line of a rack's records tells of one job."""

    rack: int
    rack_name: str
    branch: int
    job: JobId
    records: tuple[StoredEntry, ...]
    """In the order of the line."""
    lines: Lines

    @property
    def key(self) -> JobId:
        """Its name among those of all racks."""
        return key_of(self.rack, self.branch, self.job)

    def spot(self, sequence: int) -> Spot:
        """Where one of its records is."""
        return self.lines.spot(self.branch, sequence)


def key_of(rack: int, branch: int, job: str) -> JobId:
    """The name of a job among those of all racks."""
    return JobId(f"{rack}/{branch}/{job}")


class KnownHandset:
    """The handset that is asked about, among all that racks have told."""

    def __init__(
        self, question: HandsetQuestion, jobs: Iterable[RackJob], *, is_cut: bool = False
    ) -> None:
        """`is_cut` where there are more jobs than these, or more records of one."""
        every = list(jobs)
        read = [(each, seen) for each in every if (seen := _sighting(each, every)) is not None]
        self.is_whole = not is_cut and len(read) == len(every)
        """Whether all that racks have told was read: else what isn't found may be there."""
        self._jobs = {seen.job: each for each, seen in read}
        for number, (_, seen) in enumerate(read):
            seen.sequence = number
        me = Sighting(
            job=_ME, sequence=len(read), told=set(question.imeis), paper=_traits_of(question)
        )
        self._chip, self._chip_tied = question.chip, question.chip_tied
        self._handsets = Handsets(me, [seen for _, seen in read])

    @property
    def sightings(self) -> Sequence[Sighting]:
        """Those that are certainly of it."""
        return self._handsets.earlier.sightings

    @property
    def imeis(self) -> frozenset[str]:
        """All its numbers that anybody has told."""
        return frozenset[str]().union(*(each.imeis for each in self._handsets.mine.sightings))

    @property
    def proven_imeis(self) -> frozenset[str]:
        """Those of them that don't rest on one person's one look."""
        mine = self._handsets.mine.sightings
        return frozenset[str]().union(*(each.traits.proven for each in mine))

    @property
    def jobs(self) -> Sequence[RackJob]:
        """Those of it, and those that may be of it."""
        near = [
            each
            for each in self._handsets.open
            if each.relation is Relation.MAY_BE or Join.IMEI in each.joins
        ]
        every = [seen for each in (self._handsets.earlier, *near) for seen in each.sightings]
        return [self._jobs[each.job] for each in every]

    def findings(self, asker: int | None) -> Iterator[ElsewhereFinding]:
        """What holds it, asked by this rack, whose own ledger decides of what it has.

        None is nobody's rack, to which all is news.
        """
        certain = self._handsets.earlier
        yield from self._doomed(certain, asker)
        for other in self._handsets.open:
            yield from self._doomed(other, asker)
        yield from self._held(asker)
        yield from self._owed(asker)
        yield from self._chip_seen(asker)

    def _doomed(self, handset: Handset, asker: int | None) -> Iterator[ElsewhereFinding]:
        seen = [(self._jobs[each.job], each) for each in handset.sightings if each.job != _ME]
        lets = [(job.rack, job.spot(each.let_at)) for job, each in seen if each.let_at]
        for job, each in seen:
            if not each.doomed_at:
                continue
            at = job.spot(each.doomed_at)
            let = any(rack == job.rack and job.lines.follows(spot, at) for rack, spot in lets)
            if not let and self._is_news(job, at, asker):
                yield _found(Elsewhere.DOOMED, job, handset.relation)

    def _held(self, asker: int | None) -> Iterator[ElsewhereFinding]:
        seen = [(self._jobs[each.job], each) for each in self.sightings]
        for job, each in seen:
            if not _is_held(job):
                continue
            at = job.spot(each.end_sequence)
            again = any(
                other.rack == job.rack
                and other.job != job.job
                and _has_run(later)
                and job.lines.follows(other.spot(other.records[0].sequence), at)
                for other, later in seen
            )
            if not again and self._is_news(job, at, asker):
                yield _found(Elsewhere.HELD, job, Relation.CERTAIN)

    def _owed(self, asker: int | None) -> Iterator[ElsewhereFinding]:
        seen = [(self._jobs[each.job], each) for each in self.sightings]
        draws = {each.job: job.spot(each.draw_sequence) for job, each in seen if each.is_drawn}
        passed = [
            (job.rack, job.spot(each.end_sequence), each.rechecks)
            for job, each in seen
            if each.rechecks and each.is_certified
        ]
        for job, each in seen:
            if not each.is_drawn:
                continue
            at = draws[each.job]
            settled = any(
                rack == job.rack
                and job.lines.follows(end, at)
                and of in draws
                and (draws[of] == at or job.lines.follows(draws[of], at))
                for rack, end, of in passed
            )
            if not settled and self._is_news(job, at, asker):
                yield _found(Elsewhere.RECHECK_OWED, job, Relation.CERTAIN)

    def _chip_seen(self, asker: int | None) -> Iterator[ElsewhereFinding]:
        """By the rule that a rack's own records go by; two that may be one handset hold nothing."""
        for other in self._handsets.others:
            if not is_anothers_chip(other):
                continue
            for seen in other.sightings:
                job = self._jobs[seen.job]
                at = job.spot(seen.told_at)
                if self._has_chip(seen) and self._is_news(job, at, asker):
                    yield _found(Elsewhere.CHIP_SEEN, job, other.relation)

    def _has_chip(self, seen: Sighting) -> bool:
        """Whether a job has the chip that is asked about for its handset's own.

        Not one that was refused for just that, by the centre's word or by its own rack's records:
        what it was refused by is still there.
        """
        if self._chip is None or (
            seen.end is not None and seen.end.data.get("reason") == Reason.CHIP_SEEN_ELSEWHERE
        ):
            return False
        counts = not self._chip_tied or seen.is_certified
        return self._chip == seen.tied or (self._chip in seen.claimed_chips and counts)

    @staticmethod
    def _is_news(job: RackJob, at: Spot, asker: int | None) -> bool:
        return job.rack != asker or not job.lines.asker_has(at)


def _traits_of(question: HandsetQuestion) -> Traits:
    """What a question tells of its handset, as records are compared by it."""
    return Traits(
        imeis=frozenset(question.imeis),
        proven=frozenset(question.proven),
        is_full=question.is_full,
        serial=question.serial,
        model=question.model,
        chips=frozenset(filter(None, [question.chip])),
        tied_chip=question.chip if question.chip_tied else None,
        chip_secret=None if question.chip is None else secret_named_in(question.chip),
    )


def _found(kind: Elsewhere, job: RackJob, relation: Relation) -> ElsewhereFinding:
    return ElsewhereFinding(kind=kind, rack=job.rack_name, job=job.job, relation=relation.value)


def _named_by(job: RackJob, other: str, every: Iterable[RackJob]) -> JobId:
    """The job that a job of its rack names: as the nearest line tells of it that its own has."""
    lines = [
        each.branch
        for each in every
        if (each.rack, each.job) == (job.rack, other)
        and job.lines.has(job.branch, each.spot(each.records[0].sequence))
    ]
    # Of the branches that one line goes by, the nearest began last.
    return key_of(job.rack, max(lines, default=job.branch), other)


def _sighting(job: RackJob, every: Iterable[RackJob]) -> Sighting | None:
    """The job as the one rule sees it; None of one whose records only a newer release reads."""
    try:
        seen = sighting_of(job.job, job.records)
    except CertificateGap:
        return None
    seen.job = job.key
    if seen.rechecks is not None:
        seen.rechecks = _named_by(job, seen.rechecks, every)
    seen.answers = [replace(each, other=_named_by(job, each.other, every)) for each in seen.answers]
    seen.chip_secret = f"rack {job.rack}"
    if seen.fleet_tied is not None:
        seen.tied, seen.chip_secret = seen.fleet_tied, secret_named_in(seen.fleet_tied)
    seen.chips |= seen.fleet_chips
    if seen.end is not None and seen.end.kind is EntryKind.ASSET_UNERASABLE:
        number = seen.end.data.get("imei")
        # Read by one person on it, its tray or its box.
        read = frozenset({number}) if isinstance(number, str) else frozenset[str]()
        seen.paper = Traits(imeis=read, is_paper=True)
    return seen


def _has_run(seen: Sighting) -> bool:
    """Whether it came to an end of its own: neither cut short nor by the centre's word."""
    if seen.end is None or seen.end.data.get("outcome") == Outcome.ABORTED:
        return False
    return seen.end.data.get("reason") not in ELSEWHERE


def only_looked(job: RackJob) -> bool:
    """Whether it has looked at its handset, found nothing, and nobody said another thing since."""
    item = ended = None
    for record in job.records:
        entry = record.entry
        if entry.kind is EntryKind.JOB_ENDED and ended is None:
            ended, item = entry.data, opened_item(entry)
        elif entry.kind is EntryKind.HANDSET_SETTLED and item is not None:
            item = disposed_item(item, entry)
    if ended is None or (item is not None and item.state not in _LEFT_ALONE):
        return False
    return ended.get("outcome") == Outcome.PASSED and ended.get("reason") == Reason.RECHECKED


def may_hold(end: Entry) -> bool:
    """Whether a job's end holds its handset, or may by what somebody says after it."""
    if end.data.get("outcome") == Outcome.PASSED or end.data.get("reason") in ELSEWHERE:
        return False
    return opened_item(end) is not None


def _is_held(job: RackJob) -> bool:
    """Whether it has ended on hold, and nobody has said since what is to become of it.

    A recipe that only looks holds nothing, nor does what this centre itself has held.
    """
    item = None
    for record in job.records:
        entry = record.entry
        if entry.kind is EntryKind.JOB_ENDED and item is None:
            item = opened_item(entry) if may_hold(entry) else None
        elif entry.kind is EntryKind.HANDSET_SETTLED and item is not None:
            item = disposed_item(item, entry)
    return item is not None and item.state is DisposalState.HELD
