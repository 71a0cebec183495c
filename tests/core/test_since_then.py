"""What speaks against a job since it began: its handset came in again, or was given up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchd.domain.disposal import DisposalState, Settling
from benchd.domain.errors import CertificateGap, RecheckRefused
from benchd.domain.intake import Unerasable
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.slot_states import SlotState
from benchd.ledger.job_aftermath import HandsetSince
from benchd.proof.erasure import JobHeld, verify_drawn_erasure
from benchd.proof.evidence.intake_evidence import AssetLine
from benchd.slots.disposal_desk import DisposalDesk
from tests.intake.lots import BY, LOT, lot_record
from tests.people.somebody import somebody

from .rechecks import IMEI, RECHECKER
from .test_recheck import (
    DUE,
    SELLABLE,
    end_of,
    pulled_out_at_the_chip,
    until_asked_for_the_chip,
)
from .test_recheck_asset import Labelled
from .world import MTP_ONLY, SteppingClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

UNPROVEN = (Outcome.FAILED, Disposition.HOLD, Reason.PROOF_INCOMPLETE)


async def came_in_again(shop: Labelled, *, again: bool) -> None:
    """Somebody has bought it back, and its owner in between has used it."""
    await shop.desk.add_lot(lot_record("L-2"))
    await shop.desk.add_asset("L-2", AssetLine(tag="T9", imei=IMEI), by=BY, again=again)


async def test_a_drawn_handset_that_came_in_again_is_rechecked_no_more() -> None:
    shop = Labelled()
    async with shop.rack.world.running():
        await shop.drawn()
        await came_in_again(shop, again=True)
        await shop.rack.asked(shop.phone)
        with pytest.raises(RecheckRefused, match="has come in again since, as T9"):
            await shop.rack.answered(RECHECKER)


async def test_nor_one_of_no_papers_that_comes_in_with_some() -> None:
    shop = Labelled()
    async with shop.rack.world.running():
        assert end_of(await shop.rack.erased(shop.phone)) == DUE
        await came_in_again(shop, again=False)
        await shop.rack.asked(shop.phone)
        await shop.scanned("T9")
        with pytest.raises(RecheckRefused, match="has come in again since, as T9"):
            await shop.rack.answered(RECHECKER)


async def test_nor_one_that_came_in_again_while_it_was_rechecked() -> None:
    shop = Labelled()
    async with shop.rack.world.running():
        await shop.drawn()
        shop.rack.world.silent_in = StageName.RECHECK
        shop.rack.world.ports["A2"].plug(shop.phone, MTP_ONLY)
        await until_asked_for_the_chip(shop.rack)
        await came_in_again(shop, again=True)
        with pytest.raises(RecheckRefused, match="has come in again since, as T9"):
            await shop.rack.answered(RECHECKER, note="", gate=Gate.RECHECK_CHIP)


async def test_nor_by_a_record_that_came_after_the_last_answer() -> None:
    shop = Labelled()
    async with shop.rack.world.running():
        await shop.drawn()
        assert end_of(await shop.rack.rechecked(shop.phone)) == SELLABLE
        await came_in_again(shop, again=True)
    drawn, recheck = (JobHeld(job=job, records=shop.rack.records(job)) for job in shop.rack.jobs())
    intake = await shop.rack.ledger.intake(since=0)
    before = [one for one in intake if one.sequence < recheck.records[0].sequence]
    assert verify_drawn_erasure(drawn, recheck, before, []).recheck is not None
    with pytest.raises(CertificateGap, match="has come in again since, as T9"):
        verify_drawn_erasure(drawn, recheck, intake, [])


async def test_a_drawn_handset_that_was_given_up_gets_no_certificate_by_a_recheck() -> None:
    shop = Labelled()
    async with shop.rack.world.running():
        await shop.drawn()
        case = await shop.desk.unerasable("T1", Unerasable.NO_POWER, note="割れ", by=BY)
        desk = DisposalDesk(shop.rack.ledger, SteppingClock())
        crushed = Settling(to=DisposalState.DESTROYED, note="", recycler="R", number="N-1")
        await desk.dispose(case, crushed, somebody("Boss"))
        await shop.rack.asked(shop.phone)
        with pytest.raises(RecheckRefused, match="T1 was entered as not erasable since"):
            await shop.rack.answered(RECHECKER)


async def test_a_handset_that_was_given_up_while_its_job_ran_is_not_for_sale() -> None:
    shop = Labelled(share=0.0)
    world = shop.rack.world
    async with world.running():
        await shop.desk.add_lot(lot_record())
        await shop.desk.add_asset(LOT, AssetLine(tag="T1", imei=IMEI), by=BY)
        world.silent_in = StageName.CONFIRM
        world.ports["A1"].plug(shop.phone)
        await world.until(
            lambda: (
                (view := world.view("A1")).question is not None
                and view.question.gate is Gate.CONFIRM
            )
        )
        await shop.desk.unerasable("T1", Unerasable.NO_POWER, note="割れ", by=BY)
        job = world.view("A1").job
        assert job is not None
        await world.desk.decide(job, Gate.CONFIRM, approved=True, by=somebody("Mori"), note="")
        assert end_of(await world.until_state(SlotState.FINISHED)) == UNPROVEN


async def test_a_recheck_that_came_to_nothing_is_nothing_that_came_later() -> None:
    shop = Labelled()
    async with shop.rack.world.running():
        await shop.drawn()
        await pulled_out_at_the_chip(shop.rack, shop.phone)
        assert end_of(await shop.rack.rechecked(shop.phone)) == SELLABLE
    newest = shop.rack.jobs()[-1]
    told = HandsetSince(shop.rack.ledger, shop.store.book)
    since = await told.of(newest, shop.rack.records(newest))
    assert (since.jobs, since.again_as) == ((), None)


async def test_what_came_between_a_drawn_job_and_its_recheck_came_later() -> None:
    """As a benchd of before has certified it, which asked nobody."""
    shop = Labelled()
    async with shop.rack.world.running():
        await shop.drawn()
        assert end_of(await shop.rack.rechecked(shop.phone)) == SELLABLE
        await came_in_again(shop, again=True)
    newest, stored = shop.rack.jobs()[-1], shop.rack.ledger.stored
    opened = next(at for at, one in enumerate(stored) if one.entry.job == newest)
    *others, again = stored[opened:]
    moved = [again, *others]
    stored[opened:] = [
        replace(a, sequence=b.sequence) for a, b in zip(moved, stored[opened:], strict=True)
    ]
    told = HandsetSince(shop.rack.ledger, shop.store.book)
    assert (await told.of(newest, shop.rack.records(newest))).again_as == "T9"
