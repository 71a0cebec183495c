"""What has come of a job's handset since, by every number that ties later things to it.

A certificate says how a handset was at its time. What came later counts more, so nobody is told
"sellable" because one number, or one file that can be lost, doesn't know of it. All ask here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

from anyio.lowlevel import checkpoint

from benchd.ports import Ledger
from benchd.proof.attestation import asset_lines
from benchd.proof.evidence.handset import InspectEvidence
from benchd.proof.evidence.recheck import FindDrawnEvidence
from benchd.proof.intake_book import Asset, IntakeBook
from benchd.proof.told import imeis_told, seen_in
from benchd.words.ids import JobId
from benchd.words.intake import Tag
from benchd.words.job import StageName
from benchd.words.record import EntryKind, StoredEntry

MOST_ALIKE: Final = 100
"""The newest jobs of a serial: there are models of which each has the same."""
_TELLING: Final = (StageName.INSPECT, StageName.FIND_DRAWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """Later things of one handset, or of one that nobody can tell from it."""

    jobs: tuple[JobId, ...]
    """What was begun later, the oldest first.

    Also the case under which an asset of its label was entered by hand: it was said to be dead.
    """
    same: frozenset[JobId]
    """Those of them in which one of its IMEIs was told: they are of this very handset."""
    again_as: Tag | None
    """Under which other label it came in again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Numbers:
    """What a job's records tell of its handset, and from which to which record it was in it."""

    opened: int
    ended: int
    imeis: frozenset[str]
    looks: frozenset[tuple[str, str, str]]
    """Serial, model and maker."""
    drawn: JobId | None


class HandsetSince:
    """Answers by a ledger, up to a record of it if one is given, and the book that it makes."""

    def __init__(self, ledger: Ledger, book: IntakeBook, upto: int | None = None) -> None:
        self._ledger = ledger
        self._book = book
        self._upto = upto
        self._met: dict[JobId, _Numbers] = {}
        self._came: dict[Tag, int] = {}
        self._came_after: int | None = None

    async def of(self, job: JobId, records: Sequence[StoredEntry]) -> Since:
        """Since this job, of which these are all records; raises LedgerFault."""
        me = _numbers_in(records)
        mine = {job}
        if me.drawn is not None:
            # The certificate is of the drawn job: what came between it and its recheck came later.
            drawn = await self._numbers_of(me.drawn)
            mine |= {me.drawn, *await self._rechecks_before(me)}
            me = replace(
                drawn, looks=me.looks | drawn.looks, imeis=me.imeis | drawn.imeis, drawn=me.drawn
            )
        looks, imeis = me.looks, me.imeis
        labels = self._labels_of(mine)
        found: dict[JobId, int] = {}
        tellers = await self._tellers(imeis)
        same = {other: last for other, last in tellers.items() if last > me.opened}
        found |= same
        every = labels | self._labels_of(tellers)
        found |= {other: at for other, at in self._labelled(every) if at > me.opened}
        found |= {other: at async for other, at in self._cases(every) if at > me.opened}
        for other in await self._alike(looks, known=bool(imeis)):
            if (at := self._met[other].opened) > me.opened:
                found.setdefault(other, at)
        jobs = sorted(found.keys() - mine, key=lambda other: found[other])
        came_after = me.opened if labels else me.ended
        return Since(
            jobs=tuple(jobs),
            same=frozenset(same.keys() - mine),
            again_as=await self._again(looks, imeis, but=labels, after=came_after),
        )

    async def _rechecks_before(self, me: _Numbers) -> set[JobId]:
        """Other rechecks of the same drawn job that ended without one, before this one began."""
        found: set[JobId] = set()
        for other in await self._tellers(me.imeis):
            told = await self._numbers_of(other)
            if told.drawn == me.drawn and told.opened < me.opened:
                found.add(other)
        return found

    def _labels_of(self, jobs: Iterable[JobId]) -> set[Tag]:
        bound = (self._book.of_job.get(job) for job in jobs)
        return {Tag(each.told.tag) for each in bound if each is not None}

    async def _tellers(self, imeis: frozenset[str]) -> dict[JobId, int]:
        """Each job in which one of these was told, with the last record that does."""
        found: dict[JobId, int] = {}
        for imei in sorted(imeis):
            for record in await self._ledger.handset_entries(imei):
                job = record.entry.job
                if job is not None and self._counts(record) and imei in imeis_told(record.entry):
                    found[job] = max(record.sequence, found.get(job, 0))
        return found

    def _labelled(self, labels: Iterable[Tag]) -> Iterator[tuple[JobId, int]]:
        """Jobs that have these now, by the last word on each, with the record of it."""
        for label in labels:
            for bound in self._book.bound.get(label, ()):
                is_new = self._upto is None or bound.sequence <= self._upto
                if is_new and self._book.of_job[bound.job] is bound:
                    yield bound.job, bound.sequence

    async def _cases(self, labels: Iterable[Tag]) -> AsyncIterator[tuple[JobId, int]]:
        for label in labels:
            case = self._book.cases.get(label)
            for record in await self._ledger.entries(case) if case is not None else ():
                if record.entry.kind is EntryKind.ASSET_UNERASABLE and self._counts(record):
                    yield cast("JobId", case), record.sequence

    async def _alike(self, looks: frozenset[tuple[str, str, str]], *, known: bool) -> list[JobId]:
        """Who looks the same, unless both have told an IMEI: then that has been asked for."""
        found: list[JobId] = []
        for serial in sorted({serial for serial, _, _ in looks}):
            for job in await self._ledger.serial_jobs(serial, MOST_ALIKE):
                other = await self._numbers_of(job)
                if not other.looks.isdisjoint(looks) and not (known and other.imeis):
                    found.append(job)
        return found

    async def _numbers_of(self, job: JobId) -> _Numbers:
        if job not in self._met:
            records = await self._ledger.entries(job)
            self._met[job] = _numbers_in([each for each in records if self._counts(each)])
        return self._met[job]

    async def _again(
        self,
        looks: frozenset[tuple[str, str, str]],
        imeis: frozenset[str],
        *,
        but: set[Tag],
        after: int,
    ) -> Tag | None:
        named = (self._book.by_imei.get(imei) for imei in sorted(imeis))
        assets = [asset for asset in named if asset is not None]
        assets += [
            asset
            for serial in {serial for serial, _, _ in looks}
            for asset in self._book.by_serial.get(serial, ())
            if asset.line.imei is None or not imeis
        ]
        return await self._newest([asset for asset in assets if asset.tag not in but], after)

    async def _newest(self, assets: Sequence[Asset], after: int) -> Tag | None:
        """The last that came in after this record; the book doesn't know when, the ledger does."""
        if not assets:
            return None
        if self._came_after is None or after < self._came_after:
            for record in await self._ledger.intake(since=after + 1):
                # A whole stock may have come in since, and others wait.
                await checkpoint()
                if record.entry.kind is EntryKind.ASSETS_ADDED and self._counts(record):
                    self._came |= dict.fromkeys(_tags_in(record), record.sequence)
            self._came_after = after
        came = {asset.tag: self._came.get(asset.tag, 0) for asset in assets}
        last = max(came, key=lambda tag: came[tag])
        return last if came[last] > after else None

    def _counts(self, record: StoredEntry) -> bool:
        return self._upto is None or record.sequence <= self._upto


def drawn_job_in(records: Iterable[StoredEntry]) -> JobId | None:
    """The drawn job that a recheck has found its handset to be of; None for any other job."""
    return _numbers_in(records).drawn


def _numbers_in(records: Iterable[StoredEntry]) -> _Numbers:
    opened = ended = 0
    imeis: set[str] = set()
    looks: set[tuple[str, str, str]] = set()
    drawn: JobId | None = None
    for record in records:
        opened = opened or record.sequence
        if record.entry.kind is EntryKind.JOB_ENDED:
            ended = ended or record.sequence
        imeis |= imeis_told(record.entry)
        match seen_in(record.entry, _TELLING):
            case InspectEvidence() as seen if seen.serial:
                looks.add((seen.serial, seen.model, seen.manufacturer))
            case FindDrawnEvidence() as seen:
                drawn = JobId(seen.drawn_job)
            case _:
                pass
    return _Numbers(
        opened=opened,
        ended=ended or opened,
        imeis=frozenset(imeis),
        looks=frozenset(looks),
        drawn=drawn,
    )


def _tags_in(record: StoredEntry) -> Iterator[Tag]:
    for line in asset_lines(record):
        if isinstance(tag := line.get("tag"), str):
            yield Tag(tag)
