"""Chips go where their handsets go, no reset touches them, and the clear provider reaches them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from benchd.domain.clear import ClearOrder, ClearOutcome
from benchd.domain.errors import UsageRefused
from benchd.domain.handset import HandsetIdentity
from benchd.domain.ids import JobId, SlotName
from benchd.lab.simulator.chips.chip_hands import ChipState
from benchd.lab.simulator.chips.chip_plan import ChipPlan
from benchd.lab.simulator.clear_provider import SimulatedClearProvider, simulated
from benchd.lab.simulator.hands import RackHands
from benchd.lab.simulator.plan import HandsetPlan, RackPlan
from benchd.lab.simulator.scenarios import SCENARIOS
from benchd.lab.simulator.virtual_house import RackHouse

pytestmark = [pytest.mark.asyncio, pytest.mark.rack, pytest.mark.timeout(120)]

IN_USE = ChipPlan(profile="in_use", clear_s=0.0)
ORDER = ClearOrder(
    job=JobId("job-1"),
    slot=SlotName("A1"),
    identity=HandsetIdentity(
        serial="HQ633K0CQ8", manufacturer="Sony", model="SO-53C", android="13", build="67.1.B.2.40"
    ),
    consent="佐藤",
)


def phone(name: str = "phone", slot: int | None = 1, chip: ChipPlan = IN_USE) -> HandsetPlan:
    return replace(SCENARIOS["clean"].handset(name=name, slot=slot), chip=chip)


@asynccontextmanager
async def rack(*handsets: HandsetPlan) -> AsyncGenerator[tuple[RackHouse, RackHands], None]:
    plan = RackPlan(handsets=handsets, readers=2)
    async with RackHouse(plan) as house, RackHands.connect(house.control_socket) as hands:
        yield house, hands


async def until_powered(hands: RackHands, *, slot: int | None) -> ChipState:
    """Pcscd tells nobody on this side when it has found a chip."""
    with anyio.fail_after(30):
        while True:
            state = await hands.chips.state("phone")
            if (state.slot, state.powered) == (slot, slot is not None):
                return state
            await anyio.sleep(0.01)


async def test_the_chip_lies_where_its_handset_is_plugged_in() -> None:
    async with rack(phone()) as (_, hands):
        first = await until_powered(hands, slot=1)
        await hands.move("phone", 2)
        second = await until_powered(hands, slot=2)
        await hands.unplug("phone")
        third = await until_powered(hands, slot=None)
        assert first.idm == second.idm == third.idm
        assert [state.on_reader for state in (first, second, third)] == [True, True, False]
        await hands.plug("phone", 3)
        assert not (await hands.chips.state("phone")).on_reader  # slot 3 has no reader
        with pytest.raises(UsageRefused):
            await hands.chips.lay_back("phone")


async def test_neither_a_reset_nor_a_restart_touches_the_chip() -> None:
    async with rack(phone()) as (_, hands):
        before = await until_powered(hands, slot=1)
        for begin in (hands.reboot, hands.reset_by_hand):
            await begin("phone")
            with anyio.fail_after(30):
                while (await hands.handset("phone")).restarting:  # noqa: ASYNC110
                    await anyio.sleep(0.02)
            assert await until_powered(hands, slot=1) == before


async def test_a_chip_can_be_taken_away_while_its_handset_stays_plugged_in() -> None:
    async with rack(phone()) as (_, hands):
        await until_powered(hands, slot=1)
        await hands.chips.take_away("phone")
        assert not (await hands.chips.state("phone")).on_reader
        assert (await hands.handset("phone")).attachment is not None
        with pytest.raises(UsageRefused):
            await hands.chips.take_away("phone")
        await hands.chips.lay_back("phone")
        await until_powered(hands, slot=1)
        with pytest.raises(UsageRefused):
            await hands.chips.lift_card("phone")


async def test_the_provider_clears_the_chip_of_the_slot_and_no_other() -> None:
    async with rack(phone(), phone("other", 2)) as (house, hands):
        provider = simulated(
            "any", {"control": house.control_socket.name, "slots": {"A1": 1}}, house.log.parent
        )()
        assert provider.capabilities(ORDER.identity).irreversible
        claim = await provider.clear(ORDER)
        assert (claim.outcome, claim.vendor_code) == (ClearOutcome.DONE, "1")
        assert claim.report == "simulated-job-1"
        assert (await hands.chips.state("phone")).profile == "cleared"
        assert (await hands.chips.state("other")).profile == "in_use"
        unknown = replace(ORDER, slot=SlotName("B7"))
        assert (await provider.clear(unknown)).outcome is ClearOutcome.UNSUPPORTED


async def test_a_clear_does_nothing_to_a_handset_that_has_left_meanwhile() -> None:
    async with rack(phone(chip=replace(IN_USE, clear_s=1.0))) as (house, hands):
        provider = SimulatedClearProvider(house.control_socket, {"A1": 1})
        async with anyio.create_task_group() as tasks:

            async def clear() -> None:
                assert (await provider.clear(ORDER)).outcome is ClearOutcome.RETRYABLE

            tasks.start_soon(clear)
            await hands.unplug("phone")
        assert (await hands.chips.state("phone")).profile == "in_use"


async def test_an_aborted_clear_is_no_clear_that_was_done() -> None:
    async with rack(phone(chip=replace(IN_USE, clear_s=3600.0))) as (house, hands):
        provider = SimulatedClearProvider(house.control_socket, {"A1": 1})
        async with anyio.create_task_group() as tasks:

            async def clear() -> None:
                assert (await provider.clear(ORDER)).outcome is ClearOutcome.RETRYABLE

            tasks.start_soon(clear)
            with anyio.fail_after(30):
                while not (await hands.chips.state("phone")).clearing:  # noqa: ASYNC110
                    await anyio.sleep(0.01)
            await provider.abort()
        assert (await hands.chips.state("phone")).profile == "in_use"


async def test_a_rack_that_is_away_makes_no_claim(tmp_path: Path) -> None:
    provider = SimulatedClearProvider(tmp_path / "control.sock", {"A1": 1})
    assert (await provider.clear(ORDER)).outcome is ClearOutcome.RETRYABLE
