"""A lot or a pallet goes out only with every handset looked at not long ago, or it is named.

What a shop meets before a delivery (売却・再利用時の再確認 of the survey, and a warehouse): a
handset that waited since spring, one that nobody looked at again, one whose look found something,
one that was plugged in again meanwhile, one that another system holds, a label of the neighbour,
one that broke on the shelf, one that lies in a slot just now, a clock that is wrong.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import anyio
import pytest

from benchd.domain.chip import ChipVerdict
from benchd.domain.errors import ShippingRefused, UsageRefused
from benchd.domain.evidence_json import from_json
from benchd.domain.intake import TimeDoubt
from benchd.domain.record import EntryKind
from benchd.domain.shipping import ShipCheck, ShipStanding
from benchd.intake.intake_store import IntakeStore
from benchd.ledger.records.records_access import Records
from benchd.papers.lots.job_selection import Chooser
from benchd.papers.lots.shipping import MOST_NAMED, ShippingDesk
from benchd.proof.evidence.clock_evidence import TimeBasis
from benchd.proof.evidence.intake_evidence import AssetLine
from benchd.proof.evidence.shipping_evidence import ShippedRecord
from tests import recorded
from tests.intake.lots import BY, imei
from tests.ledger.records.records_rack import START
from tests.papers.lots.lot_rack import LotRack, job_id, tables
from tests.web.web_fakes import FakeClock, Feed

pytestmark = pytest.mark.asyncio

DAYS = {"recheck": 30.0}
NOW = START + timedelta(days=40)
FRESH, STALE = NOW - timedelta(days=3), NOW - timedelta(days=31)


@dataclass
class Dock:
    """Where a lot stands ready; `now` is what the rack's clock says."""

    rack: LotRack
    folder: Path
    now: datetime = NOW
    doubt: TimeDoubt | None = None
    days: dict[str, float] = field(default_factory=lambda: dict(DAYS))
    records: Records = field(init=False)
    intake: IntakeStore = field(init=False)

    def look(
        self,
        number: int,
        tag: str,
        at: datetime = FRESH,
        *,
        end: tuple[str, str, str] = ("passed", "hold", "rechecked"),
        chip: str | None = None,
    ) -> str:
        """A look before the sale, whose label somebody has scanned."""
        job, told = job_id(number), self.rack.told
        told.open(job, at, recipe="recheck")
        told.bind(job, tag)
        if chip is not None:
            seen = recorded.chip(verdict=ChipVerdict.UNUSED, chip=chip)
            told.stage(job, "felica_recheck", seen)
        data = {"outcome": end[0], "disposition": end[1], "reason": end[2]}
        ended = {**data, "detail": "", "certificate": None}
        told.tell(EntryKind.JOB_ENDED, job, ended, at)
        return job

    def time(self) -> TimeBasis | TimeDoubt:
        if self.doubt is not None:
            return self.doubt
        return TimeBasis(at=self.now, newest=self.now, after=1, boot="boot-1", confirmed=None)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[ShippingDesk]:
        rack = self.rack.rack
        records = self.records = Records(self.folder / "records.sqlite", Feed(rack))
        intake = self.intake = IntakeStore(rack.ledger, FakeClock())
        await intake.recall()
        async with anyio.create_task_group() as group:
            group.start_soon(records.run)
            yield ShippingDesk(
                Chooser(records, lambda: intake.book, lambda: len(rack.ledger.stored)),
                ledger=rack.ledger,
                issuer=rack.issuer,
                book=lambda: intake.book,
                time=self.time,
                now=lambda: self.now,
                holder=rack.held.holder,
                good_for_days=self.days,
            )
            group.cancel_scope.cancel()

    async def follow(self) -> None:
        """What came on record since it was opened."""
        self.records.follower.wake()
        await self.intake.recall()

    async def check(self, *tags: str) -> ShipCheck:
        async with self.open() as desk:
            return await desk.check(lot=None if tags else "L-1", tags=tags)

    async def standing(self, *tags: str) -> dict[str, str]:
        return {line.tag: line.standing for line in (await self.check(*tags)).lines}


@pytest.fixture
def dock(rack: LotRack, tmp_path: Path) -> Dock:
    return Dock(rack, tmp_path)


async def test_a_lot_whose_handsets_were_all_looked_at_goes_out(dock: Dock) -> None:
    dock.rack.sold_lot("T1", "T2")
    looks = [dock.look(11, "T1"), dock.look(12, "T2")]
    found = await dock.check()
    assert found.is_ready
    assert [line.rechecked_in for line in found.lines] == looks
    assert [(line.job, line.good_for_days) for line in found.lines] == [
        (job_id(1), 30.0),
        (job_id(2), 30.0),
    ]
    async with dock.open() as desk:
        await desk.ship("P-7", lot="L-1", tags=(), by=BY)
    [record] = [s.entry for s in dock.rack.rack.ledger.stored if s.entry.kind is EntryKind.SHIPPED]
    told = from_json(ShippedRecord, record.data, record.kind)
    assert (told.name, told.lot, told.by.person) == ("P-7", "L-1", BY.person)
    assert [(each.tag, each.rechecked_in) for each in told.handsets] == [
        ("T1", looks[0]),
        ("T2", looks[1]),
    ]


async def test_a_pallet_with_one_too_old_is_refused_and_named(dock: Dock) -> None:
    dock.rack.sold_lot("T1", "T2", "T3")
    dock.look(11, "T1")
    dock.look(12, "T2", STALE)
    pallet = ("T1", "T2", "T1")
    assert await dock.standing(*pallet) == {"T1": "ready", "T2": "too_old"}
    refused: ShippingRefused | None = None
    async with dock.open() as desk:
        try:
            await desk.ship("P-7", lot=None, tags=pallet, by=BY)
        except ShippingRefused as error:
            refused = error
    assert "go out: T2. " in str(refused)
    assert "T1" not in str(refused)
    assert not any(s.entry.kind is EntryKind.SHIPPED for s in dock.rack.rack.ledger.stored)
    # Looked at once more, it goes.
    dock.look(13, "T2")
    assert await dock.standing(*pallet) == {"T1": "ready", "T2": "ready"}


@pytest.mark.parametrize(("days", "standing"), [(30, "ready"), (30.01, "too_old"), (-1, "clock")])
async def test_the_recipe_says_how_old(dock: Dock, days: float, standing: str) -> None:
    dock.rack.sold_lot("T1")
    dock.look(11, "T1", NOW - timedelta(days=days))
    found = (await dock.standing())["T1"]
    assert found.startswith(standing)


async def test_a_look_by_a_recipe_that_is_no_more_is_good_for_nothing(dock: Dock) -> None:
    dock.rack.sold_lot("T1")
    dock.look(11, "T1")
    dock.days.clear()
    assert await dock.standing() == {"T1": "too_old"}


def _fails(dock: Dock) -> None:
    dock.look(12, "T1", end=("failed", "hold", "not_as_reset"))


def _is_settled(dock: Dock) -> None:
    dock.rack.told.settle(job_id(11), "held", "to_destroy", note="cracked")


def _ran_again(dock: Dock) -> None:
    dock.rack.fail(13, "T1", of=1)


def _runs(dock: Dock) -> None:
    dock.rack.begin(13, "T1", of=1)


def _in_another_lot(dock: Dock) -> None:
    dock.rack.lot("L-2")
    dock.rack.assets("L-2", AssetLine(tag="N1"))
    dock.rack.fail(13, "N1", "L-2", of=1)


def _under_another_label(dock: Dock) -> None:
    dock.rack.lot("L-2")
    dock.rack.assets("L-2", AssetLine(tag="N1", imei=imei(1)), again=True)


def _on_another_handset(dock: Dock) -> None:
    dock.rack.fail(13, "T1", of=77)


AFTERWARDS: dict[str, tuple[Callable[[Dock], object], ShipStanding]] = {
    "its next look found something": (_fails, ShipStanding.SPOKEN_AGAINST),
    "it was sent to be crushed": (_is_settled, ShipStanding.SPOKEN_AGAINST),
    "it broke on the shelf": (lambda d: d.rack.told.dead("T1"), ShipStanding.SPOKEN_AGAINST),
    "it failed in a slot": (_ran_again, ShipStanding.SPOKEN_AGAINST),
    "it lies in a slot": (_runs, ShipStanding.AT_WORK),
    "it is in another lot's job": (_in_another_lot, ShipStanding.SEEN_AGAIN),
    "another system holds it": (lambda d: d.rack.hold(job_id(1)), ShipStanding.HELD),
    "its label is on another": (_on_another_handset, ShipStanding.TWO_HANDSETS),
}


@pytest.mark.parametrize("case", AFTERWARDS)
async def test_what_came_after_its_look_keeps_it_back(dock: Dock, case: str) -> None:
    then, standing = AFTERWARDS[case]
    dock.rack.sold_lot("T1")
    dock.look(11, "T1")
    assert await dock.standing() == {"T1": "ready"}
    then(dock)
    assert await dock.standing() == {"T1": standing}


async def test_one_that_came_in_again_under_another_label_is_looked_for_there(dock: Dock) -> None:
    dock.rack.lot("L-1")
    dock.rack.assets("L-1", AssetLine(tag="T1", imei=imei(1)))
    dock.rack.sell(1, "T1")
    dock.look(11, "T1")
    assert await dock.standing() == {"T1": "ready"}
    _under_another_label(dock)
    assert await dock.standing() == {"T1": "seen_again"}


async def test_what_was_never_certified_or_never_looked_at_stays(dock: Dock) -> None:
    dock.rack.lot("L-1", "T1", "T2", "T3", "T4")
    dock.rack.sell(1, "T1")
    dock.rack.fail(2, "T2")
    dock.look(14, "T4")
    assert await dock.standing() == {
        "T1": "not_rechecked",
        "T2": "not_certified",
        "T3": "not_certified",
        "T4": "not_certified",
    }
    assert await dock.standing("T1", "X9") == {"T1": "not_rechecked", "X9": "unknown_label"}


async def test_a_look_before_the_certificate_says_nothing_of_it(dock: Dock) -> None:
    dock.rack.lot("L-1", "T1")
    dock.look(11, "T1")
    dock.rack.sell(12, "T1")
    assert await dock.standing() == {"T1": "not_rechecked"}


@pytest.mark.parametrize(("chip", "standing"), [("a", "ready"), ("b", "another_chip")])
async def test_a_look_at_another_chip_is_of_another_handset(
    dock: Dock, chip: str, standing: str
) -> None:
    dock.rack.lot("L-1", "T1")
    job = dock.rack.begin(1, "T1")
    seen = recorded.chip(verdict=ChipVerdict.UNUSED, chip="a" * 64)
    dock.rack.told.stage(job, "felica_recheck", seen)
    dock.rack.told.sell(job, dock.rack.certificate(job).decode())
    dock.look(11, "T1", chip=chip * 64)
    assert await dock.standing() == {"T1": standing}


async def test_nobody_knows_how_old_a_look_is_by_a_clock_in_doubt(dock: Dock) -> None:
    dock.rack.sold_lot("T1")
    dock.look(11, "T1")
    dock.doubt = TimeDoubt.CLOCK_BEHIND
    assert await dock.standing() == {"T1": "clock_in_doubt"}


@pytest.mark.parametrize("asked", ["both", "neither", "name"])
async def test_what_is_no_lot_and_no_pallet_is_refused(dock: Dock, asked: str) -> None:
    dock.rack.sold_lot("T1")
    dock.look(11, "T1")
    refused: UsageRefused | None = None
    async with dock.open() as desk:
        try:
            if asked == "name":
                await desk.ship(" ", lot="L-1", tags=(), by=BY)
            else:
                both = asked == "both"
                await desk.check(lot="L-1" if both else None, tags=("T1",) if both else ())
        except UsageRefused as error:
            refused = error
    assert refused is not None


async def test_a_refusal_names_so_many_and_says_how_many_more(dock: Dock) -> None:
    dock.rack.lot("L-1", *(f"T{number}" for number in range(MOST_NAMED + 5)))
    refused = ""
    async with dock.open() as desk:
        try:
            await desk.ship("P-7", lot="L-1", tags=(), by=BY)
        except ShippingRefused as error:
            refused = str(error)
    assert "go out: T0, T1, " in refused
    assert "and 5 more" in refused


async def test_lot_papers_say_when_each_was_looked_at_and_let_the_certificate_stand(
    dock: Dock,
) -> None:
    """Before, a handset that passed its look counted as on hold."""
    dock.rack.sold_lot("T1", "T2", "T3")
    dock.look(11, "T1")
    dock.look(12, "T2", end=("failed", "hold", "not_as_reset"))
    papers = await dock.rack.zipped()
    stated = await dock.rack.stated(papers)
    assert (stated.counts.handsets, stated.counts.certified) == (3, 2)
    assert stated.counts.by_reason == {"not_as_reset": 1}
    rows, lines = tables(papers)
    told = {(row["管理番号"], row["rechecked_at"]) for row in rows if row["counts"] == "yes"}
    assert told == {("T1", FRESH.isoformat()), ("T2", ""), ("T3", "")}
    assert {each["rechecked_at"] for each in lines if each["tag"] == "T1"} == {FRESH.isoformat()}
    # Whoever sends it elsewhere takes that back.
    dock.rack.told.settle(job_id(11), "held", "to_destroy", note="cracked")
    assert (await dock.rack.papers()).counts.certified == 1
