"""A recheck is of the drawn job's asset: by its record, its papers and the label on the handset."""

from __future__ import annotations

import pytest

from benchd.domain.errors import IntakeRefused, RecheckRefused
from benchd.domain.hook import HookEventKind
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot_states import SlotState
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.outbound.hooks.hook_events import Source, event_of
from benchd.proof.job_history import fold_job
from tests.intake.lots import BY, LOT, lot_record, right_time

from .rechecks import IMEI, RECHECKER, RecheckRack
from .test_recheck import DUE, OTHER_IMEI, SELLABLE, end_of, until_asked_for_the_chip
from .world import MTP_ONLY, CountingEntropy, MemoryLedger, Phone, SteppingClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


class Labelled:
    """A handset with the label T1 that was drawn, and a rack with its papers and another's."""

    def __init__(self, share: float = 1.0) -> None:
        self.phone = Phone()
        ledger = MemoryLedger()
        self.store = IntakeStore(ledger, SteppingClock(), right_time(ledger, SteppingClock()))
        self.desk = IntakeDesk(self.store, CountingEntropy())
        self.rack = RecheckRack(share, ledger=ledger, intake=self.store)

    async def drawn(self) -> None:
        await self.desk.add_lot(lot_record())
        csv = f"tag,IMEI\nT1,{IMEI}\nT2,{OTHER_IMEI}\n"
        done = await self.desk.import_assets(LOT, csv.encode(), by=BY, dry_run=False)
        assert done.taken
        assert end_of(await self.rack.erased(self.phone)) == DUE

    async def scanned(self, tag: str) -> None:
        """Somebody scans a label at the slot that rechecks."""
        await self.desk.bind(self.rack.world.view("A2"), tag, by=BY)

    def bound(self) -> list[tuple[JobId | None, object, object, object]]:
        bound = [stored.entry for stored in self.rack.ledger.of(EntryKind.ASSET_BOUND)]
        return [(e.job, e.data["tag"], e.data["bound_by"], e.data["by"]) for e in bound]


async def test_a_recheck_is_on_record_as_of_the_drawn_jobs_asset() -> None:
    shop = Labelled()
    async with shop.rack.world.running():
        await shop.drawn()
        assert end_of(await shop.rack.rechecked(shop.phone)) == SELLABLE
    drawn, recheck = shop.rack.jobs()
    assert shop.bound() == [(drawn, "T1", "imei", None), (recheck, "T1", "drawn", None)]
    told = fold_job(shop.rack.records(recheck), shop.rack.world.issuer)
    assert told.asset is not None
    assert (told.asset["lot"], told.asset["tag"]) == (LOT, "T1")
    assert shop.desk.book.of_job[recheck].told.imeis == (IMEI,)


async def test_a_hook_that_asks_for_a_lot_hears_of_its_recheck() -> None:
    shop = Labelled()
    async with shop.rack.world.running():
        await shop.drawn()
        await shop.rack.rechecked(shop.phone)
    records = shop.rack.records(shop.rack.jobs()[-1])
    source = Source(site="大宮", ledger="0" * 64)
    told = event_of(records[-1], records, source=source, issuer=shop.rack.world.issuer)
    assert told is not None
    assert (told.kind, told.lot, told.disposition) == (
        *(HookEventKind.JOB_ENDED, LOT),
        Disposition.SELLABLE,
    )


async def test_a_recheck_under_the_label_that_was_scanned_there_keeps_it() -> None:
    shop = Labelled()
    async with shop.rack.world.running():
        await shop.drawn()
        await shop.rack.asked(shop.phone)
        await shop.scanned("T1")
        await shop.rack.answered(RECHECKER)
        assert end_of(await shop.rack.world.until_state(SlotState.FINISHED, "A2")) == SELLABLE
    assert [bound_by for _, _, bound_by, _ in shop.bound()] == ["imei", "tag"]


async def test_under_another_label_nothing_is_rechecked() -> None:
    """Its certificate would be one asset's, and the papers of its lot another's."""
    shop = Labelled()
    async with shop.rack.world.running():
        await shop.drawn()
        await shop.rack.asked(shop.phone)
        await shop.scanned("T2")
        with pytest.raises(RecheckRefused, match="the label T2 was scanned here"):
            await shop.rack.answered(RECHECKER)
        shop.rack.world.ports["A2"].unplug()
        await shop.rack.world.until_state(SlotState.EMPTY, "A2")
        shop.rack.world.silent_in = None
        assert end_of(await shop.rack.rechecked(shop.phone)) == SELLABLE
    assert shop.bound()[-1][1:3] == ("T1", "drawn")


async def test_no_other_label_is_taken_once_its_job_is_known() -> None:
    shop = Labelled()
    async with shop.rack.world.running():
        await shop.drawn()
        shop.rack.world.silent_in = StageName.RECHECK
        shop.rack.world.ports["A2"].plug(shop.phone, MTP_ONLY)
        await until_asked_for_the_chip(shop.rack)
        with pytest.raises(IntakeRefused, match="goes by tag T1"):
            await shop.scanned("T2")
