"""Lets a lot or a pallet out only with every handset looked at not long ago, or names those not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from benchd.domain.errors import CertificateGap, ShippingRefused, UsageRefused
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId
from benchd.domain.intake import LotId, Tag, TimeDoubt
from benchd.domain.job import Reason
from benchd.domain.lot_papers import AskedPapers, ListedJob, PapersOf, Standing
from benchd.domain.person_names import operator_name
from benchd.domain.plain_text import printable
from benchd.domain.ports import Ledger
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.domain.shipping import ShipCheck, ShipLine, ShipStanding
from benchd.papers.lots.job_selection import Chooser
from benchd.papers.lots.line_of_job import Found, found_in, is_passed_look
from benchd.proof.clock_proof import STEP_S
from benchd.proof.evidence.clock_evidence import TimeBasis
from benchd.proof.evidence.intake_evidence import Who
from benchd.proof.evidence.shipping_evidence import ShippedHandset, ShippedRecord
from benchd.proof.identity.sighting import sighting_of
from benchd.proof.intake_book import IntakeBook
from benchd.proof.ports import CertificateIssuer

MOST_HANDSETS: Final = 2_000
"""On one pallet, or in one lot that goes out at once."""
MOST_NAMED: Final = 20
LONGEST_NAME: Final = 64
_STEP: Final = timedelta(seconds=STEP_S)


class ShippingDesk:
    """Asks the ledger of every handset; the read model only says which jobs there are."""

    def __init__(
        self,
        chooser: Chooser,
        *,
        ledger: Ledger,
        issuer: CertificateIssuer,
        book: Callable[[], IntakeBook],
        time: Callable[[], TimeBasis | TimeDoubt],
        now: Callable[[], datetime],
        holder: Callable[[JobId], str | None],
        good_for_days: Mapping[str, float],
    ) -> None:
        """`good_for_days` tells by recipe how old a look may be; `time` whether the clock is right.

        `holder` tells which other system holds back the handset of a job.
        """
        self._chooser = chooser
        self._ledger = ledger
        self._issuer = issuer
        self._book = book
        self._time = time
        self._now = now
        self._holder = holder
        self.good_for_days = good_for_days
        """A reload changes it."""

    @property
    def head(self) -> int:
        """The number of the ledger's last record."""
        return self._chooser.head()

    async def check(self, *, lot: str | None, tags: Sequence[str]) -> ShipCheck:
        """Of all of a lot, or of the labels that were scanned from a pallet.

        Raises NotFound, UsageRefused, RecordsUnavailable and LedgerFault.
        """
        if (lot is None) is (not tags):
            raise UsageRefused("name one lot, or the labels of a pallet")
        book = self._book()
        wanted = list(dict.fromkeys(tags))
        lots = [lot] if lot is not None else self._lots_of(wanted, book)
        listed: dict[str, Sequence[ListedJob]] = {}
        for name in lots:
            found, _ = await self._chooser.choose(AskedPapers(of=PapersOf.LOT, name=name))
            listed[name] = found.jobs
        if lot is not None:
            wanted = list(book.lots[LotId(lot)].tags)
        if len(wanted) > MOST_HANDSETS:
            raise UsageRefused(f"these are more than {MOST_HANDSETS} handsets: ship fewer at once")
        lines = [await self._line(tag, listed, book) for tag in wanted]
        return ShipCheck(at=self._now(), lines=lines)

    async def ship(self, name: str, *, lot: str | None, tags: Sequence[str], by: Who) -> ShipCheck:
        """Put on record that they have gone out; ShippingRefused names those that mustn't."""
        if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
            raise UsageRefused(f"a delivery has a name of 1 to {LONGEST_NAME} printable characters")
        found = await self.check(lot=lot, tags=tags)
        if not found.is_ready:
            raise ShippingRefused(_kept_back(found.kept_back))
        told = ShippedRecord(
            name=name,
            lot=lot,
            handsets=tuple(
                ShippedHandset(
                    tag=line.tag,
                    job=line.job,
                    rechecked_in=line.rechecked_in,
                    rechecked_at=line.rechecked_at,
                )
                for line in found.lines
                if line.job and line.rechecked_in and line.rechecked_at
            ),
            by=replace(by, operator=operator_name(by.operator)),
        )
        await self._ledger.append(Entry(kind=EntryKind.SHIPPED, at=self._now(), data=to_json(told)))
        return found

    async def ready_under(self, look: JobId) -> JobId | None:
        """The certified job under which the handset of this look may go out now.

        None where it mustn't, or nobody can say whose look it is. Raises as `check` does.
        """
        bound = self._book().of_job.get(look)
        if bound is None:
            return None
        [line] = (await self.check(lot=None, tags=[bound.tag])).lines
        is_ready = line.standing is ShipStanding.READY and line.rechecked_in == look
        return line.job if is_ready else None

    def _lots_of(self, tags: Iterable[str], book: IntakeBook) -> Sequence[str]:
        found = (book.assets.get(Tag(tag)) for tag in tags)
        return list(dict.fromkeys(asset.lot for asset in found if asset is not None))

    async def _line(
        self, tag: str, listed: Mapping[str, Sequence[ListedJob]], book: IntakeBook
    ) -> ShipLine:
        asset = book.assets.get(Tag(tag))
        line = ShipLine(tag=printable(tag, LONGEST_NAME), standing=ShipStanding.NOT_CERTIFIED)
        if asset is None:
            return replace(line, standing=ShipStanding.UNKNOWN_LABEL)
        newest = book.by_imei.get(asset.line.imei or "", asset)
        if newest.tag != asset.tag:
            return replace(line, standing=ShipStanding.SEEN_AGAIN, detail=newest.tag)
        if asset.tag in book.unerasable:
            dead = book.unerasable[asset.tag].reason
            return replace(line, standing=ShipStanding.SPOKEN_AGAINST, detail=dead)
        return await self._of_handset(line, asset.tag, listed[asset.lot])

    async def _of_handset(self, line: ShipLine, tag: Tag, jobs: Sequence[ListedJob]) -> ShipLine:
        handsets = {each.line.handset for each in jobs if each.line.tag == tag}
        if len(handsets) > 1:
            return replace(line, standing=ShipStanding.TWO_HANDSETS)
        mine = [each for each in jobs if each.line.handset in handsets]
        if mine and mine[-1].newest_job not in [each.line.job for each in mine]:
            return replace(line, standing=ShipStanding.SEEN_AGAIN, detail=mine[-1].newest_job)
        return await self._of_jobs(line, mine)

    async def _of_jobs(self, told: ShipLine, mine: Sequence[ListedJob]) -> ShipLine:
        """By its certificate and what came after it, the newest first."""
        look: tuple[ListedJob, Found, Sequence[StoredEntry]] | None = None
        for each in reversed(mine):
            line = each.line
            if line.by_hand:
                detail = line.reason or line.unerasable or ""
                return replace(told, standing=ShipStanding.SPOKEN_AGAINST, detail=detail)
            records = await self._ledger.entries(line.job)
            found = found_in(records, self._issuer)
            if found.standing is Standing.CERTIFIED:
                return self._certified(replace(told, job=line.job), each, records, look)
            if found.standing is Standing.RUNNING:
                return replace(told, standing=ShipStanding.AT_WORK, detail=line.job)
            if not is_passed_look(found, line):
                looked = found.reason == Reason.RECHECKED
                detail = line.state if looked else found.reason
                against = self._was_certified(mine, each)
                standing = ShipStanding.SPOKEN_AGAINST if against else told.standing
                return replace(told, standing=standing, detail=str(detail or ""))
            look = look or (each, found, records)
        return told

    def _was_certified(self, mine: Sequence[ListedJob], until: ListedJob) -> bool:
        return any(each.line.certificate for each in mine[: mine.index(until)])

    def _certified(
        self,
        line: ShipLine,
        job: ListedJob,
        records: Sequence[StoredEntry],
        look: tuple[ListedJob, Found, Sequence[StoredEntry]] | None,
    ) -> ShipLine:
        holder = job.line.held_by(self._holder)
        if holder is not None:
            return replace(line, standing=ShipStanding.HELD, detail=holder)
        if look is None:
            return replace(line, standing=ShipStanding.NOT_RECHECKED)
        looked, found, seen = look
        if (holder := self._holder(looked.line.job)) is not None:
            return replace(line, standing=ShipStanding.HELD, detail=holder)
        at = None if found.history is None else found.history.ended_at
        days = self.good_for_days.get(looked.line.recipe, 0.0)
        line = replace(line, rechecked_in=looked.line.job, rechecked_at=at, good_for_days=days)
        if _other_chip(job.line.job, records, looked.line.job, seen):
            return replace(line, standing=ShipStanding.ANOTHER_CHIP)
        time = self._time()
        if isinstance(time, TimeDoubt) or at is None or at > time.at + _STEP:
            doubt = time if isinstance(time, TimeDoubt) else TimeDoubt.CLOCK_BEHIND
            return replace(line, standing=ShipStanding.CLOCK_IN_DOUBT, detail=doubt)
        is_old = time.at - at > timedelta(days=days)
        return replace(line, standing=ShipStanding.TOO_OLD if is_old else ShipStanding.READY)


def _other_chip(
    job: JobId, records: Sequence[StoredEntry], look: JobId, seen: Sequence[StoredEntry]
) -> bool:
    """Whether a reader saw one chip as it was certified and another at the look."""
    try:
        before, after = sighting_of(job, records).chips, sighting_of(look, seen).chips
    except CertificateGap:
        return True
    return bool(before and after) and before.isdisjoint(after)


def _kept_back(lines: Sequence[ShipLine]) -> str:
    named = ", ".join(line.tag for line in lines[:MOST_NAMED])
    more = f", and {len(lines) - MOST_NAMED} more" if len(lines) > MOST_NAMED else ""
    if not lines:
        return "there is nothing to ship"
    return (
        f"these must not go out: {named}{more}. Take them off; a check of the same labels says"
        " what keeps each of them back"
    )
