"""What has come of a job's handset since, by every number that ties later things to it.

A certificate says how a handset was at its time. What came later counts more, so nobody is told
"sellable" because one number, or one file that can be lost, doesn't know of it. All ask here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from anyio.lowlevel import checkpoint

from benchd.domain.ids import JobId
from benchd.domain.intake import Tag
from benchd.domain.job import StageName
from benchd.domain.ports import Ledger
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.attestation import asset_lines
from benchd.proof.evidence.recheck_evidence import FindDrawnEvidence
from benchd.proof.handset_jobs import records_of_handset
from benchd.proof.identity.same_handset import Handsets
from benchd.proof.identity.sighting import Sighting, sighting_of, sightings_in
from benchd.proof.intake_book import Asset, IntakeBook
from benchd.proof.record_subject import seen_in


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


class HandsetSince:
    """Answers by a ledger, up to a record of it if one is given, and the book that it makes."""

    def __init__(self, ledger: Ledger, book: IntakeBook, upto: int | None = None) -> None:
        self._ledger = ledger
        self._book = book
        self._upto = upto
        self._came: dict[Tag, int] = {}
        self._came_after: int | None = None

    async def of(self, job: JobId, records: Sequence[StoredEntry]) -> Since:
        """Since this job, of which these are all records; raises LedgerFault."""
        me = sighting_of(job, self._counted(records))
        mine, began = {job}, me
        if me.rechecks is not None:
            # The certificate is of the drawn job: what came between it and its recheck came later.
            began = sighting_of(me.rechecks, self._counted(await self._ledger.entries(me.rechecks)))
            mine.add(me.rechecks)
        labels = self._labels_of(mine)
        labelled = dict(self._labelled(labels))
        found = await records_of_handset(self._ledger, me, list(labelled))
        handsets = Handsets(me, sightings_in(self._counted(found)))
        certain = handsets.mine.sightings
        mine |= {each.job for each in certain if self._is_earlier_recheck(each, me)}
        labels |= self._labels_of(each.job for each in certain)
        same = {each.job: each.told_at for each in certain if each.told_at > began.sequence}
        may_be = [each for handset in handsets.open for each in handset.sightings]
        later = {each.job: each.sequence for each in may_be if each.sequence > began.sequence}
        later |= {other: at for other, at in self._labelled(labels) if at > began.sequence}
        later |= {other: at async for other, at in self._cases(labels) if at > began.sequence}
        later |= same
        jobs = sorted(later.keys() - mine, key=lambda other: later[other])
        return Since(
            jobs=tuple(jobs),
            same=frozenset(same.keys() - mine),
            again_as=await self._again(
                me, began, but=labels, after=began.sequence if labels else _ended(began)
            ),
        )

    def _is_earlier_recheck(self, other: Sighting, me: Sighting) -> bool:
        """Whether it is a recheck of the same drawn job that ended without one, before this."""
        rechecks = me.rechecks is not None and other.rechecks == me.rechecks
        return rechecks and other.sequence < me.sequence

    def _labels_of(self, jobs: Iterable[JobId]) -> set[Tag]:
        bound = (self._book.of_job.get(job) for job in jobs)
        return {Tag(each.told.tag) for each in bound if each is not None}

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

    async def _again(
        self, me: Sighting, began: Sighting, *, but: set[Tag], after: int
    ) -> Tag | None:
        imeis, serials = me.imeis | began.imeis, me.serials | began.serials
        named = (self._book.by_imei.get(imei) for imei in sorted(imeis))
        assets = [asset for asset in named if asset is not None]
        assets += [
            asset
            for serial in sorted(serials)
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

    def _counted(self, records: Iterable[StoredEntry]) -> list[StoredEntry]:
        return [record for record in records if self._counts(record)]


def drawn_job_in(records: Iterable[StoredEntry]) -> JobId | None:
    """The drawn job that a recheck has found its handset to be of; None for any other job."""
    found = [seen_in(record.entry, (StageName.FIND_DRAWN,)) for record in records]
    drawn = [each.drawn_job for each in found if isinstance(each, FindDrawnEvidence)]
    return JobId(drawn[-1]) if drawn else None


def _ended(seen: Sighting) -> int:
    return seen.end_sequence or seen.sequence


def _tags_in(record: StoredEntry) -> Iterator[Tag]:
    for line in asset_lines(record):
        if isinstance(tag := line.get("tag"), str):
            yield Tag(tag)
