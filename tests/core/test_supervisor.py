"""Plug events find their slot; a port without one is shown, not lost."""

from __future__ import annotations

import anyio
import pytest

from benchd.domain.ids import ANDROID, PortPath, SlotName
from benchd.domain.job import Outcome
from benchd.domain.port import Attached, Detached
from benchd.domain.slot_states import SlotState
from benchd.domain.topology import SlotPlace, Topology

from .world import Phone, World

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

STRANGE = PortPath("pci-0000:00:14.0-usb-0:99")


async def test_a_handset_in_an_unknown_port_is_shown_and_hinders_nobody() -> None:
    world = World()
    async with world.running():
        attached = Attached(
            port_path=STRANGE,
            kind=ANDROID,
            address=world.ports["A1"].address,
            attachment="1",
            at_s=0.0,
        )
        world.tell(attached)
        world.ports["A1"].plug(Phone())
        await world.until(lambda: bool(world.board.unknown_ports()))
        assert world.board.unknown_ports() == (STRANGE,)
        view = await world.until_state(SlotState.FINISHED)
        assert view.outcome is Outcome.PASSED
        world.tell(Detached(port_path=STRANGE, at_s=1.0))
        await world.until(lambda: not world.board.unknown_ports())


async def test_a_charging_handset_waits_for_usb_debugging_and_goes_on_by_itself() -> None:
    world = World()
    async with world.running():
        phone = Phone()
        port = world.ports["A1"]
        port.plug(phone, frozenset())
        view = await world.until_state(SlotState.WAITING)
        assert view.problem is not None
        assert view.problem.code == "adb_disabled"
        await anyio.sleep(3600)
        # A mode switch enumerates anew, in the same occupancy.
        port.unplug()
        port.plug(phone)
        view = await world.until_state(SlotState.FINISHED)
        assert (view.outcome, view.occupancy) == (Outcome.PASSED, 1)


async def test_two_slots_cannot_share_a_port() -> None:
    places = {
        SlotName(name): SlotPlace(name=SlotName(name), port_path=STRANGE, recipe="overwrite")
        for name in ("A1", "A2")
    }
    with pytest.raises(ValueError, match="share a port"):
        Topology(places)
