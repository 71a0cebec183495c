"""A new configuration changes the slots that it changes, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import anyio
import pytest

from benchd.domain.ids import PortPath, SlotName
from benchd.domain.job import Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode
from benchd.domain.slot_states import SlotState
from benchd.domain.topology import SlotPlace, Topology
from benchd.slots.parts import RackParts
from benchd.slots.supervisor import HOTPLUG, SlotChanges

from .world import MIB, Phone, World, ended, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


def places_of(world: World, *slots: str) -> dict[SlotName, SlotPlace]:
    return {
        SlotName(slot): SlotPlace(
            name=SlotName(slot), port_path=world.ports[slot].port_path, recipe="overwrite"
        )
        for slot in slots
    }


async def reload(
    world: World, places: Mapping[SlotName, SlotPlace], parts: RackParts | None = None
) -> SlotChanges:
    world.parts = parts or world.parts
    return await world.supervisor.reload(Topology(places), world.parts)


def ends_of(world: World, slot: str) -> list[tuple[object, object]]:
    return [
        (stored.entry.data["outcome"], stored.entry.data["reason"])
        for stored in world.ledger.of(EntryKind.JOB_ENDED)
        if stored.entry.slot == slot
    ]


async def at_work(world: World) -> None:
    """Every slot has a phone in the middle of its overwrite."""
    for port in world.ports.values():
        port.plug(Phone(serial=f"S-{port.slot}", used_bytes=30 * MIB))
    for port in world.ports.values():
        await world.until(lambda port=port: world.view(port.slot).stage is StageName.OVERWRITE)


async def test_nothing_changed_touches_nothing() -> None:
    world = World(3)
    async with world.running():
        await at_work(world)
        before = world.board.views()
        changes = await reload(world, places_of(world, "A1", "A2", "A3"))
        assert changes == SlotChanges(added=(), removed=(), moved=(), other_recipe=())
        assert {n: v.job for n, v in world.board.views().items()} == {
            n: v.job for n, v in before.items()
        }
        for slot in world.ports:
            assert (await world.until_state(SlotState.FINISHED, slot)).outcome is Outcome.PASSED
    assert len(ended(world)) == 3


async def test_a_slot_that_is_removed_settles_its_job_and_its_neighbours_go_on() -> None:
    world = World(3)
    async with world.running():
        await at_work(world)
        changes = await reload(world, places_of(world, "A1", "A3"))
        assert changes.removed == ("A2",)
        assert ends_of(world, "A2") == [(Outcome.ABORTED, Reason.SLOT_RECONFIGURED)]
        assert list(world.board.views()) == ["A1", "A3"]
        assert world.board.unknown_ports() == (world.ports["A2"].port_path,)
        for slot in ("A1", "A3"):
            await world.until_state(SlotState.FINISHED, slot)
            assert ends_of(world, slot) == [(Outcome.PASSED, None)]
        # What happens on its port concerns no slot any more.
        world.ports["A2"].unplug()
        await world.until(lambda: not world.board.unknown_ports())
        assert world.supervisor.ended_tasks() == []
    assert world.ports["A2"].phone is not None
    assert not world.ports["A2"].phone.dropped


async def test_a_slot_that_comes_back_takes_up_the_handset_that_never_left() -> None:
    world = World(2)
    async with world.running():
        await at_work(world)
        await reload(world, places_of(world, "A1"))
        changes = await reload(world, places_of(world, "A2", "A1"))
        assert changes.added == ("A2",)
        assert list(world.board.views()) == ["A2", "A1"]
        assert world.board.unknown_ports() == ()
        view = await world.until_state(SlotState.FINISHED, "A2")
        assert (view.outcome, view.occupancy) == (Outcome.PASSED, 1)
        assert ends_of(world, "A2") == [
            (Outcome.ABORTED, Reason.SLOT_RECONFIGURED),
            (Outcome.PASSED, None),
        ]
        await world.until_state(SlotState.FINISHED, "A1")
        assert ends_of(world, "A1") == [(Outcome.PASSED, None)]


async def test_an_added_slot_finds_the_handset_that_sits_in_its_port() -> None:
    world = World(2)
    async with world.running():
        await reload(world, places_of(world, "A1"))
        world.ports["A2"].plug(Phone())
        await world.until(lambda: bool(world.board.unknown_ports()))
        await reload(world, places_of(world, "A1", "A2"))
        view = await world.until_state(SlotState.FINISHED, "A2")
        assert view.outcome is Outcome.PASSED


async def test_two_slots_that_swap_their_ports_begin_anew() -> None:
    world = World(3)
    async with world.running():
        await at_work(world)
        places = places_of(world, "A1", "A2", "A3")
        one, two = places[SlotName("A1")], places[SlotName("A2")]
        places[SlotName("A1")] = replace(one, port_path=two.port_path)
        places[SlotName("A2")] = replace(two, port_path=one.port_path)
        changes = await reload(world, places)
        assert changes.moved == ("A1", "A2")
        world.ports["A1"].slot, world.ports["A2"].slot = SlotName("A2"), SlotName("A1")
        world.ports["A1"], world.ports["A2"] = world.ports["A2"], world.ports["A1"]
        for slot in ("A1", "A2", "A3"):
            view = await world.until_state(SlotState.FINISHED, slot)
            assert view.outcome is Outcome.PASSED
            # The serial is of the phone whose port the slot has now.
            assert view.identity is not None
            expected = {"A1": "S-A2", "A2": "S-A1", "A3": "S-A3"}
            assert view.identity.serial == expected[slot]
        aborted = [(Outcome.ABORTED, Reason.SLOT_RECONFIGURED), (Outcome.PASSED, None)]
        assert ends_of(world, "A1") == ends_of(world, "A2") == aborted
        assert ends_of(world, "A3") == [(Outcome.PASSED, None)]


async def test_a_job_keeps_its_recipe_and_the_next_has_the_new_one() -> None:
    world = World(2)
    other = replace(make_recipe(), name="other", digest="1" * 64)
    async with world.running():
        await at_work(world)
        places = places_of(world, "A1", "A2")
        places[SlotName("A2")] = replace(places[SlotName("A2")], recipe="other")
        parts = replace(world.parts, recipes={**world.parts.recipes, "other": other})
        changes = await reload(world, places, parts)
        assert changes.other_recipe == ("A2",)
        await world.until_state(SlotState.FINISHED, "A2")
        assert ends_of(world, "A2") == [(Outcome.PASSED, None)]
        await world.take_out("A2")
        await world.ran(Phone(serial="SECOND"), "A2")
        await world.until_state(SlotState.FINISHED, "A1")
    opened = [
        (stored.entry.slot, stored.entry.data["recipe"], stored.entry.data["recipe_sha256"])
        for stored in world.ledger.of(EntryKind.JOB_OPENED)
    ]
    assert opened == [
        ("A1", "overwrite", "0" * 64),
        ("A2", "overwrite", "0" * 64),
        ("A2", "other", "1" * 64),
    ]


async def test_events_in_the_middle_of_a_change_are_not_lost() -> None:
    world = World(2)
    held = anyio.Event()

    async def hold(_phone: Phone) -> None:
        with anyio.CancelScope(shield=True):
            await held.wait()

    async with world.running():
        stuck = Phone(serial="STUCK", used_bytes=30 * MIB)
        stuck.faults["fill_step"] = hold
        world.ports["A2"].plug(stuck)
        await world.until_stage(StageName.OVERWRITE, "A2")
        await anyio.sleep(10)
        assert stuck.calls["fill_step"] == 1
        places = places_of(world, "A1", "A2")
        elsewhere = PortPath("pci-0000:00:14.0-usb-0:77")
        places[SlotName("A2")] = replace(places[SlotName("A2")], port_path=elsewhere)
        async with anyio.create_task_group() as group:
            group.start_soon(reload, world, places)
            await anyio.sleep(1)
            # The slot still ends, and its new port gets a handset meanwhile.
            port = world.ports["A2"]
            port.unplug()
            port.port_path = elsewhere
            port.plug(Phone(serial="FRESH"))
            held.set()
        view = await world.until_state(SlotState.FINISHED, "A2")
        assert view.identity is not None
        assert (view.identity.serial, view.outcome) == ("FRESH", Outcome.PASSED)


async def test_the_supervisor_tells_which_tasks_have_ended() -> None:
    world = World(2)
    assert world.supervisor.ended_tasks() == [HOTPLUG]
    async with world.running():
        assert world.supervisor.ended_tasks() == []
        world.supervisor._tended[SlotName("A2")].scope.cancel()
        await world.supervisor._tended[SlotName("A2")].ended.wait()
        assert world.supervisor.ended_tasks() == ["A2"]
    assert HOTPLUG in world.supervisor.ended_tasks()


async def test_a_drained_rack_finishes_what_runs_and_begins_nothing() -> None:
    world = World(3)
    async with world.running():
        for slot in ("A1", "A2"):
            world.ports[slot].plug(Phone(serial=f"S-{slot}"))
        await world.until(lambda: world.parts.admission.running == 2)
        world.parts.admission.close()
        world.ports["A3"].plug(Phone(serial="LATE"))
        view = await world.until_state(SlotState.WAITING, "A3")
        assert view.problem is not None
        assert view.problem.code is ProblemCode.DAEMON_DRAINING
        await world.parts.admission.drained()
    assert [end["outcome"] for end in ended(world)] == [Outcome.PASSED] * 2
    phone = world.ports["A3"].phone
    assert phone is not None
    assert not phone.erased_for_real
    assert not phone.wiped


async def test_a_drain_waits_for_people_and_for_the_end_of_an_unplugged_job() -> None:
    world = World(2)
    world.silent_in = StageName.CONFIRM
    async with world.running():
        for port in world.ports.values():
            port.plug(Phone(serial=f"S-{port.slot}"))
        await world.until_state(SlotState.AWAITING_OPERATOR, "A1")
        for port in world.ports.values():
            await world.until(lambda port=port: world.view(port.slot).stage is StageName.CONFIRM)
        world.parts.admission.close()
        with anyio.move_on_after(3600) as hour:
            await world.parts.admission.drained()
        assert hour.cancelled_caught
        await world.take_out()
        world.back_at_work()
        await world.parts.admission.drained()
    assert ends_of(world, "A1") == [(Outcome.ABORTED, Reason.UNPLUGGED)]
    assert ends_of(world, "A2") == [(Outcome.PASSED, None)]
