"""A recheck comes soon after its draw, and more than one person's word ties its handset."""

from __future__ import annotations

from datetime import timedelta

import pytest

from benchd.domain.errors import RecheckRefused, SecondPersonNeeded
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot_states import SlotState

from .fake_chips import SILENT, FakeChip
from .rechecks import IMEI, RECHECKER, RecheckRack
from .test_recheck import DUE, OTHER_IMEI, SELLABLE, end_of
from .test_recheck_asset import Labelled
from .world import Phone, phone_like

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


def days_go_by(rack: RecheckRack, days: int) -> None:
    """By the rack's clock: the loop's own counts too coarsely for that, and then stands still."""
    today = rack.world.clock.now
    rack.world.clock.now = lambda: today() + timedelta(days=days)  # type: ignore[method-assign]


def untold(phone: Phone, **changes: object) -> Phone:
    """The same where USB tells no serial once adb is off."""
    return phone_like(phone, serial="", **changes)


async def test_careless_a_recheck_200_days_after_its_draw_is_refused_and_it_is_erased_again() -> (
    None
):
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        assert end_of(await rack.erased(phone)) == DUE
        days_go_by(rack, 200)
        await rack.asked(phone)
        with pytest.raises(RecheckRefused, match=r"older than 30 days.*erased again"):
            await rack.answered(RECHECKER)
        rack.world.ports["A2"].unplug()
        rack.world.silent_in = None
        assert end_of(await rack.erased(phone)) == DUE
        assert end_of(await rack.rechecked(phone)) == SELLABLE


async def test_a_recheck_within_its_30_days_is_as_ever() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        assert end_of(await rack.erased(phone)) == DUE
        days_go_by(rack, 29)
        assert end_of(await rack.rechecked(phone)) == SELLABLE


async def asked_again(rack: RecheckRack, gate: Gate) -> None:
    await rack.world.until(
        lambda: (view := rack.world.view("A2")).question is not None and view.question.gate is gate
    )


async def test_careless_another_handset_at_the_recheck_where_usb_tells_no_serial() -> None:
    """The drawn one's label in hand, and its unerased neighbour in the slot."""
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        assert end_of(await rack.erased(phone)) == DUE
        rack.world.silent_in = StageName.RECHECK
        rack.world.ports["A2"].plug(untold(phone, imei=OTHER_IMEI), frozenset())
        await asked_again(rack, Gate.RECHECK_CHIP)
        await rack.answered(RECHECKER, "", gate=Gate.RECHECK_CHIP)
        await asked_again(rack, Gate.IMEI)
        with pytest.raises(RecheckRefused, match="another number"):
            await rack.answered("Sato", OTHER_IMEI, gate=Gate.IMEI)
        with pytest.raises(SecondPersonNeeded):
            await rack.answered(RECHECKER, IMEI, gate=Gate.IMEI)
        assert not rack.world.issuer.kept
        await rack.answered("Sato", "", gate=Gate.IMEI, approved=False)
        view = await rack.world.until_state(SlotState.FINISHED, "A2")
    assert end_of(view) == (Outcome.FAILED, Disposition.HOLD, Reason.HANDSET_NOT_BOUND)
    assert not rack.world.issuer.kept


async def test_where_usb_tells_no_serial_a_second_person_reads_the_number() -> None:
    """Also whoever has worked on it: they vouch for the number, and for nothing else."""
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        assert end_of(await rack.erased(phone)) == DUE
        assert end_of(await rack.rechecked(untold(phone))) == SELLABLE
    read = [
        (record.entry.data["operator"], record.entry.data["note"])
        for record in rack.ledger.of(EntryKind.DECISION)
        if record.entry.data["gate"] == Gate.IMEI
    ]
    assert read[-1] == ("Sato", IMEI)


async def test_a_number_that_nobody_could_read_leaves_the_recheck_open() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        assert end_of(await rack.erased(phone)) == DUE
        rack.world.answers[Gate.IMEI] = False
        await rack.rechecked(untold(phone))
        del rack.world.answers[Gate.IMEI]
        assert end_of(await rack.rechecked(untold(phone), "A3")) == SELLABLE


@pytest.mark.parametrize("silent", [False, True])
async def test_a_chip_that_a_reader_knows_again_needs_no_second_reading(silent: bool) -> None:
    chips = {"A1": FakeChip(), "A2": FakeChip(looks=SILENT) if silent else FakeChip()}
    rack, phone = RecheckRack(chips=chips), Phone()
    async with rack.world.running():
        assert end_of(await rack.erased(phone)) == DUE
        before = len(rack.ledger.of(EntryKind.QUESTION_ASKED))
        assert end_of(await rack.rechecked(untold(phone))) == SELLABLE
    asked = rack.ledger.of(EntryKind.QUESTION_ASKED)[before:]
    assert [record.entry.data["gate"] for record in asked] == [
        Gate.RECHECK,
        *([Gate.IMEI] if silent else []),
    ]


async def test_its_label_scanned_in_that_slot_needs_no_second_reading() -> None:
    shop = Labelled()
    rack = shop.rack
    async with rack.world.running():
        await shop.drawn()
        await rack.asked(untold(shop.phone))
        await shop.scanned("T1")
        before = len(rack.ledger.of(EntryKind.QUESTION_ASKED))
        rack.world.silent_in = None
        await rack.answered(RECHECKER)
        assert end_of(await rack.world.until_state(SlotState.FINISHED, "A2")) == SELLABLE
    asked = rack.ledger.of(EntryKind.QUESTION_ASKED)[before:]
    assert [record.entry.data["gate"] for record in asked] == [Gate.RECHECK_CHIP]
