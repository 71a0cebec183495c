"""A recheck is of one asset, which came in once, wasn't given up, and is sold under its number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from benchd.domain.disposal import DisposalState, Settling
from benchd.domain.errors import CertificateGap, IntakeRefused, SettlingRefused
from benchd.domain.hook import HookEventKind
from benchd.domain.ids import JobId
from benchd.domain.intake import Unerasable
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.ledger.job_aftermath import HandsetSince
from benchd.outbound.hooks.hook_events import Source, event_of
from benchd.proof.erasure import JobHeld, verify_drawn_erasure
from benchd.proof.evidence.intake_evidence import AssetLine
from benchd.proof.job_history import fold_job
from benchd.slots.disposal_desk import DisposalDesk
from tests.intake.lots import BY, LOT, lot_record
from tests.people.somebody import somebody

from .fake_chips import OTHER_CHIP, UNUSED, FakeChip, FakeChipAccess
from .rechecks import DUE, RECHECKER, Labelled, RecheckRack
from .test_whole_job import RECHECK
from .world import (
    ADB,
    IMEI,
    MTP_ONLY,
    OTHER_IMEI,
    SOLD,
    Phone,
    SteppingClock,
    World,
    ending,
    make_recipe,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

AGAIN = "has come in again since, as T9"


async def came_in_again(rack: Labelled, *, again: bool = True) -> None:
    """Somebody has bought it back, and its owner in between has used it."""
    await rack.desk.add_lot(lot_record("L-2"))
    await rack.desk.add_asset("L-2", AssetLine(tag="T9", imei=IMEI), by=BY, again=again)


def bound(rack: Labelled) -> list[tuple[object, ...]]:
    entries = [stored.entry for stored in rack.ledger.of(EntryKind.ASSET_BOUND)]
    return [(e.job, e.data["tag"], e.data["bound_by"], e.data["by"]) for e in entries]


async def test_a_recheck_is_on_record_as_of_the_drawn_jobs_asset_and_hooks_hear_of_it() -> None:
    rack = Labelled()
    async with rack.drawn() as phone:
        assert ending(await rack.rechecked(phone)) == SOLD
    drawn, recheck = rack.jobs()
    assert bound(rack) == [(drawn, "T1", "imei", None), (recheck, "T1", "drawn", None)]
    records = rack.records(recheck)
    told = fold_job(records, rack.world.issuer)
    assert told.asset is not None
    assert (told.asset["lot"], told.asset["tag"]) == (LOT, "T1")
    assert rack.desk.book.of_job[recheck].told.imeis == (IMEI,)
    source = Source(site="大宮", ledger="0" * 64)
    event = event_of(records[-1], records, source=source, issuer=rack.world.issuer)
    assert event is not None
    assert event.kind == HookEventKind.JOB_ENDED
    assert (event.lot, event.disposition) == (LOT, Disposition.SELLABLE)


async def test_a_recheck_under_the_label_that_was_scanned_there_keeps_it() -> None:
    rack = Labelled()
    async with rack.drawn() as phone:
        await rack.asked(phone)
        await rack.scanned("T1")
        await rack.answered(RECHECKER)
        assert ending(await rack.world.finished("A2")) == SOLD
    assert [bound_by for _, _, bound_by, _ in bound(rack)] == ["imei", "tag"]


async def test_under_another_label_nothing_is_rechecked() -> None:
    """Its certificate would be one asset's, and the papers of its lot another's."""
    rack = Labelled()
    async with rack.drawn() as phone:
        await rack.asked(phone)
        await rack.scanned("T2")
        await rack.refused("the label T2 was scanned here")
        await rack.world.take_out("A2")
        rack.world.silent_in = None
        assert ending(await rack.rechecked(phone)) == SOLD
    assert bound(rack)[-1][1:3] == ("T1", "drawn")


async def test_no_other_label_is_taken_once_its_job_is_known() -> None:
    rack = Labelled()
    async with rack.drawn() as phone:
        await rack.until_asked_for_the_chip(phone)
        with pytest.raises(IntakeRefused, match="goes by tag T1"):
            await rack.scanned("T2")


# What speaks against a job since it began


async def test_a_drawn_handset_that_came_in_again_is_rechecked_no_more() -> None:
    rack = Labelled()
    async with rack.drawn() as phone:
        await came_in_again(rack)
        await rack.asked(phone)
        await rack.refused(AGAIN)


async def test_nor_one_of_no_papers_that_comes_in_with_some() -> None:
    rack, phone = Labelled(), Phone()
    async with rack.world.running():
        assert ending(await rack.erased(phone)) == DUE
        await came_in_again(rack, again=False)
        await rack.asked(phone)
        await rack.scanned("T9")
        await rack.refused(AGAIN)


async def test_nor_one_that_came_in_again_while_it_was_rechecked() -> None:
    rack = Labelled()
    async with rack.drawn() as phone:
        await rack.until_asked_for_the_chip(phone)
        await came_in_again(rack)
        await rack.refused(AGAIN, "", gate=Gate.RECHECK_CHIP)


async def test_nor_by_a_record_that_came_after_the_last_answer() -> None:
    """As a benchd of before has certified it, which asked nobody."""
    rack = Labelled()
    async with rack.drawn() as phone:
        assert ending(await rack.rechecked(phone)) == SOLD
        await came_in_again(rack)
    drawn, recheck = (JobHeld(job=job, records=rack.records(job)) for job in rack.jobs())
    intake = await rack.ledger.intake(since=0)
    before = [one for one in intake if one.sequence < recheck.records[0].sequence]
    assert verify_drawn_erasure(drawn, recheck, before, []).recheck is not None
    with pytest.raises(CertificateGap, match=AGAIN):
        verify_drawn_erasure(drawn, recheck, intake, [])
    # It came between the drawn job and its recheck: later than what was erased.
    stored = rack.ledger.stored
    opened = next(at for at, one in enumerate(stored) if one.entry.job == recheck.job)
    *others, again = stored[opened:]
    stored[opened:] = [
        replace(a, sequence=b.sequence)
        for a, b in zip([again, *others], stored[opened:], strict=True)
    ]
    told = HandsetSince(rack.ledger, rack.store.book)
    assert (await told.of(recheck.job, rack.records(recheck.job))).again_as == "T9"


async def test_a_recheck_that_came_to_nothing_is_nothing_that_came_later() -> None:
    rack = Labelled()
    async with rack.drawn() as phone:
        await rack.pulled_out_at_the_chip(phone)
        assert ending(await rack.rechecked(phone)) == SOLD
    newest = rack.jobs()[-1]
    told = HandsetSince(rack.ledger, rack.store.book)
    since = await told.of(newest, rack.records(newest))
    assert (since.jobs, since.again_as) == ((), None)


async def test_a_drawn_handset_that_was_given_up_gets_no_certificate_by_a_recheck() -> None:
    rack = Labelled()
    async with rack.drawn() as phone:
        case = await rack.desk.unerasable("T1", Unerasable.NO_POWER, note="割れ", by=BY)
        crushed = Settling(to=DisposalState.DESTROYED, note="", recycler="R", number="N-1")
        desk = DisposalDesk(rack.ledger, SteppingClock())
        await desk.dispose(case, crushed, somebody("Boss"))
        await rack.asked(phone)
        await rack.refused("T1 was entered as not erasable since")


async def test_a_handset_that_was_given_up_while_its_job_ran_is_not_for_sale() -> None:
    rack = Labelled(share=0.0)
    world = rack.world
    async with world.running():
        await rack.papers()
        world.silent_in = StageName.CONFIRM
        world.ports["A1"].plug(Phone())
        await world.until_question(Gate.CONFIRM)
        await rack.desk.unerasable("T1", Unerasable.NO_POWER, note="割れ", by=BY)
        await world.decide(Gate.CONFIRM, "Mori")
        unproven = (Outcome.FAILED, Disposition.HOLD, Reason.PROOF_INCOMPLETE)
        assert ending(await world.finished()) == unproven


# A handset that was re-checked is sold under a certificate of its own, which is looked up.


class Shop:
    """A1 erases; A2 has the recipe for what is ready to be sold."""

    def __init__(self) -> None:
        self.chips = FakeChipAccess({"A1": FakeChip(), "A2": FakeChip()})
        recipes = {"overwrite": make_recipe(), "recheck": RECHECK}
        self.world = World(
            2,
            chips=self.chips,
            adjust=lambda made: replace(made, recipes=recipes),
            recipe_of={"A2": "recheck"},
        )
        self.held: dict[JobId, str] = {}
        self.desk = DisposalDesk(self.world.ledger, SteppingClock(), self.held.get)

    async def certified(self, phone: Phone) -> JobId:
        job = await self.ran(phone)
        assert self.world.issuer.kept.get(job) is not None
        return job

    async def uncertified(self, phone: Phone) -> JobId:
        self.world.answers[Gate.CONFIRM] = False
        job = await self.ran(phone)
        self.world.answers.clear()
        return job

    async def rechecked(self, phone: Phone) -> JobId:
        return await self.ran(phone, "A2", MTP_ONLY)

    async def ran(self, phone: Phone, slot: str = "A1", interfaces: frozenset[str] = ADB) -> JobId:
        view = await self.world.ran(phone, slot, interfaces)
        assert view.job is not None
        assert view.disposition in (Disposition.SELLABLE, Disposition.HOLD)
        await self.world.take_out(slot)
        return view.job

    async def sell(self, job: JobId, number: str) -> None:
        settling = Settling(to=DisposalState.ON_SALE, note=number)
        await self.desk.dispose(job, settling, somebody("Mori"))


async def test_a_handset_goes_back_on_sale_under_its_own_certificate() -> None:
    """Not under one of after the re-check."""
    shop, phone = Shop(), Phone()
    async with shop.world.running():
        certificate = await shop.certified(phone)
        job = await shop.rechecked(phone)
        await shop.sell(job, f" {certificate} ")
        assert len(shop.world.ledger.of(EntryKind.HANDSET_SETTLED)) == 1
        job = await shop.rechecked(phone)
        later = await shop.certified(phone)
        with pytest.raises(SettlingRefused, match="certified after this re-check"):
            await shop.sell(job, later)


# What somebody may name instead, and why it is refused


async def _invented(_shop: Shop, _phone: Phone) -> str:
    return "20261124-invented0"


async def _anothers(shop: Shop, _phone: Phone) -> str:
    shop.chips.chips["A1"] = FakeChip(looks=replace(UNUSED, chip=OTHER_CHIP))
    return await shop.certified(Phone(serial="ANOTHER", imei=OTHER_IMEI))


async def _failed_since(shop: Shop, phone: Phone) -> str:
    number = await shop.certified(phone)
    await shop.uncertified(phone)
    return number


async def _older(shop: Shop, phone: Phone) -> str:
    number = await shop.certified(phone)
    await shop.certified(phone)
    return number


async def _held(shop: Shop, phone: Phone) -> str:
    number = await shop.certified(phone)
    shop.held[number] = "stock"
    return number


REFUSED: dict[str, tuple[Callable[[Shop, Phone], Any], str]] = {
    "an invented number": (_invented, "has no certificate"),
    "the number of a job without one": (Shop.uncertified, "has no certificate"),
    "a re-check": (Shop.rechecked, "has no certificate"),
    "another handset's": (_anothers, "of another handset"),
    "one of before a job that failed": (_failed_since, "has come later"),
    "one of before a newer one": (_older, "has come later"),
    "one that another system holds back": (_held, "stock holds it back"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_careless_on_sale_under_a_number_that_is_no_certificate_of_it(case: str) -> None:
    shop, phone = Shop(), Phone()
    made, why = REFUSED[case]
    async with shop.world.running():
        number = await made(shop, phone)
        job = await shop.rechecked(phone)
        with pytest.raises(SettlingRefused, match=why):
            await shop.sell(job, number)
    assert not shop.world.ledger.of(EntryKind.HANDSET_SETTLED)


async def test_a_drawn_handset_is_named_by_either_number() -> None:
    rack = RecheckRack(chips={"A1": FakeChip(), "A2": FakeChip(), "A3": FakeChip()})
    async with rack.drawn() as phone:
        assert (await rack.rechecked(phone)).disposition is Disposition.SELLABLE
    drawn, recheck = rack.jobs()
    for number in (drawn, recheck):
        named = await DisposalDesk(rack.ledger, SteppingClock())._certificate(number)
        assert (named.job, named.drawn[0].entry.job) == (recheck, drawn)


async def test_careless_a_filler_serial_makes_no_handset_that_of_a_certificate() -> None:
    """A model of which each tells the same, and the neighbour that was never erased."""
    shop, filler = Shop(), "0123456789ABCDEF"
    shop.chips.chips = {"A1": FakeChip()}
    async with shop.world.running():
        certificate = await shop.certified(Phone(serial=filler, imei=OTHER_IMEI))
        job = await shop.rechecked(Phone(serial=filler, imei=None))
        with pytest.raises(SettlingRefused, match="nothing that this re-check has read"):
            await shop.sell(job, certificate)
    assert not shop.world.ledger.of(EntryKind.HANDSET_SETTLED)
