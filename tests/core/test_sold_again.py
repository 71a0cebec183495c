"""A handset that was re-checked is sold under a certificate of its own, which is looked up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from benchd.domain.disposal import DisposalState, Settling
from benchd.domain.errors import SettlingRefused
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition, Gate
from benchd.domain.record import EntryKind
from benchd.slots.disposal_desk import DisposalDesk
from tests.people.somebody import somebody

from .fake_chips import OTHER_CHIP, UNUSED, FakeChip, FakeChipAccess
from .rechecks import RecheckRack
from .test_whole_job import RECHECK
from .world import ADB, MTP_ONLY, OTHER_IMEI, Phone, SteppingClock, World, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


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
