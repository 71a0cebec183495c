"""Chips go where their handsets go, no reset touches them, and the clear provider reaches them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from benchd.domain.clear_provider import ClearOrder, ClearOutcome
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
    plan = RackPlan(handsets=handsets, readers=max(2, len(handsets)))
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


async def test_the_chip_lies_where_its_handset_is_and_no_reset_touches_it() -> None:
    async with rack(phone()) as (_, hands):
        first = await until_powered(hands, slot=1)
        for begin in (hands.reboot, hands.reset_by_hand):
            await begin("phone")
            with anyio.fail_after(30):
                while (await hands.handset("phone")).restarting:  # noqa: ASYNC110
                    await anyio.sleep(0.02)
            assert await until_powered(hands, slot=1) == first
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
        # It can be taken away while its handset stays plugged in.
        await hands.move("phone", 1)
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


async def test_the_provider_clears_the_chip_of_its_slot_and_only_what_is_still_there() -> None:
    leaves, aborted = (replace(IN_USE, clear_s=clear_s) for clear_s in (1.0, 3600.0))
    handsets = (phone(), phone("leaves", 2, leaves), phone("aborted", 3, aborted))
    async with rack(*handsets) as (house, hands):

        async def profile(name: str) -> str:
            return (await hands.chips.state(name)).profile

        made = {"control": house.control_socket.name, "slots": {"A1": 1}}
        provider = simulated("any", made, house.log.parent)()
        assert provider.capabilities(ORDER.identity).irreversible
        claim = await provider.clear(ORDER)
        assert (claim.outcome, claim.vendor_code) == (ClearOutcome.DONE, "1")
        assert claim.report == "simulated-job-1"
        assert await profile("phone") == "cleared"
        assert await profile("leaves") == await profile("aborted") == "in_use"
        unknown = replace(ORDER, slot=SlotName("B7"))
        assert (await provider.clear(unknown)).outcome is ClearOutcome.UNSUPPORTED

        async def be_refused(provider: SimulatedClearProvider) -> None:
            assert (await provider.clear(ORDER)).outcome is ClearOutcome.RETRYABLE

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(be_refused, SimulatedClearProvider(house.control_socket, {"A1": 2}))
            await hands.unplug("leaves")
        assert await profile("leaves") == "in_use"
        # One that is aborted is no clear that was done.
        last = SimulatedClearProvider(house.control_socket, {"A1": 3})
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(be_refused, last)
            with anyio.fail_after(30):
                while not (await hands.chips.state("aborted")).clearing:  # noqa: ASYNC110
                    await anyio.sleep(0.01)
            await last.abort()
        assert await profile("aborted") == "in_use"


async def test_a_rack_that_is_away_makes_no_claim(tmp_path: Path) -> None:
    provider = SimulatedClearProvider(tmp_path / "control.sock", {"A1": 1})
    assert (await provider.clear(ORDER)).outcome is ClearOutcome.RETRYABLE
