"""Slots and their door: a new configuration changes what it changes, a held door only begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import anyio
import pytest

from benchd.domain.ids import ANDROID, PortPath, SlotName
from benchd.domain.job import Disposition, Outcome, Reason, StageName
from benchd.domain.port import Attached, Detached
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode
from benchd.domain.slot_states import SlotState
from benchd.domain.topology import SlotPlace, Topology
from benchd.slots.admission import Admission
from benchd.slots.slot_dependencies import RackParts
from benchd.slots.supervisor import HOTPLUG, SlotChanges

from .world import MIB, Phone, World, ended, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

STRANGE = PortPath("pci-0000:00:14.0-usb-0:99")
PASSED = (Outcome.PASSED, None)
RECONFIGURED = (Outcome.ABORTED, Reason.SLOT_RECONFIGURED)


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


async def test_nothing_changed_touches_nothing() -> None:
    world = World(3)
    async with world.running():
        await world.at_work()
        before = {slot: view.job for slot, view in world.board.views().items()}
        changes = await reload(world, places_of(world, *world.ports))
        assert changes == SlotChanges(added=(), removed=(), moved=(), other_recipe=())
        assert {slot: view.job for slot, view in world.board.views().items()} == before
        for slot in world.ports:
            assert (await world.finished(slot)).outcome is Outcome.PASSED
    assert len(ended(world)) == 3


async def test_a_slot_that_is_removed_settles_its_job_and_its_neighbours_go_on() -> None:
    world = World(3)
    async with world.running():
        await world.at_work()
        changes = await reload(world, places_of(world, "A1", "A3"))
        assert changes.removed == ("A2",)
        assert ends_of(world, "A2") == [RECONFIGURED]
        assert list(world.board.views()) == ["A1", "A3"]
        assert world.board.unknown_ports() == (world.ports["A2"].port_path,)
        for slot in ("A1", "A3"):
            await world.finished(slot)
            assert ends_of(world, slot) == [PASSED]
        # What happens on its port concerns no slot any more.
        world.ports["A2"].unplug()
        await world.until(lambda: not world.board.unknown_ports())
        assert world.supervisor.ended_tasks() == []
    assert world.ports["A2"].phone is not None
    assert not world.ports["A2"].phone.dropped


async def test_a_slot_that_comes_back_takes_up_the_handset_that_never_left() -> None:
    world = World(2)
    async with world.running():
        await world.at_work()
        await reload(world, places_of(world, "A1"))
        changes = await reload(world, places_of(world, "A2", "A1"))
        assert changes.added == ("A2",)
        assert list(world.board.views()) == ["A2", "A1"]
        assert world.board.unknown_ports() == ()
        view = await world.finished("A2")
        assert (view.outcome, view.occupancy) == (Outcome.PASSED, 1)
        assert ends_of(world, "A2") == [RECONFIGURED, PASSED]
        await world.finished("A1")
        assert ends_of(world, "A1") == [PASSED]


async def test_an_added_slot_finds_the_handset_that_sits_in_its_port() -> None:
    world = World(2)
    async with world.running():
        await reload(world, places_of(world, "A1"))
        world.ports["A2"].plug(Phone())
        await world.until(lambda: bool(world.board.unknown_ports()))
        await reload(world, places_of(world, "A1", "A2"))
        assert (await world.finished("A2")).outcome is Outcome.PASSED


async def test_two_slots_that_swap_their_ports_begin_anew() -> None:
    world = World(3)
    ports = world.ports
    async with world.running():
        await world.at_work()
        places = places_of(world, *ports)
        one, two = places[SlotName("A1")], places[SlotName("A2")]
        places[SlotName("A1")] = replace(one, port_path=two.port_path)
        places[SlotName("A2")] = replace(two, port_path=one.port_path)
        changes = await reload(world, places)
        assert changes.moved == ("A1", "A2")
        ports["A1"].slot, ports["A2"].slot = SlotName("A2"), SlotName("A1")
        ports["A1"], ports["A2"] = ports["A2"], ports["A1"]
        # The serial is of the phone whose port the slot has now.
        for slot, serial in {"A1": "S-A2", "A2": "S-A1", "A3": "S-A3"}.items():
            view = await world.finished(slot)
            assert view.outcome is Outcome.PASSED
            assert view.identity is not None
            assert view.identity.serial == serial
        assert ends_of(world, "A1") == ends_of(world, "A2") == [RECONFIGURED, PASSED]
        assert ends_of(world, "A3") == [PASSED]


async def test_a_job_keeps_its_recipe_and_the_next_has_the_new_one() -> None:
    world = World(2)
    other = replace(make_recipe(), name="other", digest="1" * 64)
    async with world.running():
        await world.at_work()
        places = places_of(world, "A1", "A2")
        places[SlotName("A2")] = replace(places[SlotName("A2")], recipe="other")
        parts = replace(world.parts, recipes={**world.parts.recipes, "other": other})
        changes = await reload(world, places, parts)
        assert changes.other_recipe == ("A2",)
        assert world.board.views()[SlotName("A2")].recipe == "overwrite"
        await world.finished("A2")
        assert ends_of(world, "A2") == [PASSED]
        await world.ran(Phone(serial="SECOND"), "A2")
        await world.finished("A1")
    opened = [
        (stored.entry.slot, stored.entry.data["recipe"], stored.entry.data["recipe_sha256"])
        for stored in world.ledger.of(EntryKind.JOB_OPENED)
    ]
    assert opened == [
        ("A1", "overwrite", "0" * 64),
        ("A2", "overwrite", "0" * 64),
        ("A2", "other", "1" * 64),
    ]


async def test_an_empty_slot_shows_the_recipe_of_its_next_job() -> None:
    world = World(1)
    other = replace(make_recipe(), name="other", digest="1" * 64)
    async with world.running():
        await world.until(lambda: SlotName("A1") in world.board.views())
        assert world.board.views()[SlotName("A1")].recipe == "overwrite"
        place = replace(places_of(world, "A1")[SlotName("A1")], recipe="other")
        parts = replace(world.parts, recipes={**world.parts.recipes, "other": other})
        await reload(world, {SlotName("A1"): place}, parts)
        assert world.board.views()[SlotName("A1")].recipe == "other"
        await world.ran(Phone(), "A1")
        assert world.board.views()[SlotName("A1")].recipe == "other"


async def test_events_in_the_middle_of_a_change_are_not_lost() -> None:
    world = World(2)
    held = anyio.Event()

    async def hold(_phone: Phone) -> None:
        with anyio.CancelScope(shield=True):
            await held.wait()

    async with world.running():
        stuck = Phone(serial="STUCK", used_bytes=30 * MIB, faults={"fill_step": hold})
        port = world.ports["A2"]
        port.plug(stuck)
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
            port.unplug()
            port.port_path = elsewhere
            port.plug(Phone(serial="FRESH"))
            held.set()
        view = await world.finished("A2")
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


# Ports


async def test_a_handset_in_an_unknown_port_is_shown_and_hinders_nobody() -> None:
    world = World()
    async with world.running():
        address = world.ports["A1"].address
        world.tell(
            Attached(port_path=STRANGE, kind=ANDROID, address=address, attachment="1", at_s=0.0)
        )
        world.ports["A1"].plug(Phone())
        await world.until(lambda: bool(world.board.unknown_ports()))
        assert world.board.unknown_ports() == (STRANGE,)
        assert (await world.finished()).outcome is Outcome.PASSED
        world.tell(Detached(port_path=STRANGE, at_s=1.0))
        await world.until(lambda: not world.board.unknown_ports())


async def test_a_charging_handset_waits_for_usb_debugging_and_goes_on_by_itself() -> None:
    world, phone = World(), Phone()
    async with world.running():
        world.ports["A1"].plug(phone, frozenset())
        view = await world.until_state(SlotState.WAITING)
        assert view.problem is not None
        assert view.problem.code == "adb_disabled"
        await anyio.sleep(3600)
        # A mode switch enumerates anew, in the same occupancy.
        world.ports["A1"].unplug()
        world.ports["A1"].plug(phone)
        view = await world.finished()
        assert (view.outcome, view.occupancy) == (Outcome.PASSED, 1)


async def test_two_slots_cannot_share_a_port() -> None:
    places = {
        SlotName(name): SlotPlace(name=SlotName(name), port_path=STRANGE, recipe="overwrite")
        for name in ("A1", "A2")
    }
    with pytest.raises(ValueError, match="share a port"):
        Topology(places)


# The door: while it is held no job begins, and who waits begins after.

DOORS: dict[str, tuple[Callable[[Admission], None], ProblemCode]] = {
    "held": (lambda door: door.hold(ProblemCode.LEDGER_BROKEN), ProblemCode.LEDGER_BROKEN),
    "paused": (lambda door: door.pause(for_s=86_400), ProblemCode.DAEMON_PAUSED),
    "closed": (lambda door: door.close(), ProblemCode.DAEMON_DRAINING),
}


@pytest.mark.parametrize("case", DOORS)
async def test_a_door_that_is_shut_lets_running_jobs_end_and_no_new_one_begin(case: str) -> None:
    shut, code = DOORS[case]
    world, late = World(slots=2), Phone(serial="waiting")
    door = world.parts.admission
    async with world.running():
        world.ports["A1"].plug(Phone(serial="running", used_bytes=30 * MIB))
        await world.until(lambda: door.running == 1)
        # Otherwise it hasn't destroyed anything yet, and does: unlike where the ledger is broken.
        if case == "held":
            await world.until_stage(StageName.OVERWRITE)
        shut(door)
        world.ports["A2"].plug(late)
        await world.until_problem(code, "A2")
        assert (await world.finished()).disposition is Disposition.SELLABLE
        assert (door.paused, door.running) == (case == "paused", 0)
        assert len(world.ledger.of(EntryKind.JOB_OPENED)) == 1
        if case == "closed":
            await door.drained()
        else:
            if case == "held":
                door.release(ProblemCode.LEDGER_BROKEN)
            # A pause is over by itself.
            assert (await world.finished("A2")).disposition is Disposition.SELLABLE
            assert not door.paused
    assert late.wiped is late.erased_for_real is (case != "closed")


async def test_a_drained_rack_finishes_what_runs_and_begins_nothing() -> None:
    world, late = World(3), Phone(serial="LATE")
    async with world.running():
        for slot in ("A1", "A2"):
            world.ports[slot].plug(Phone(serial=f"S-{slot}"))
        await world.until(lambda: world.parts.admission.running == 2)
        world.parts.admission.close()
        world.ports["A3"].plug(late)
        await world.until_problem(ProblemCode.DAEMON_DRAINING, "A3")
        await world.parts.admission.drained()
    assert [end["outcome"] for end in ended(world)] == [Outcome.PASSED] * 2
    assert not late.erased_for_real
    assert not late.wiped


async def held_before_it_destroys(world: World, phone: Phone, code: ProblemCode) -> None:
    """A break that is found while it waits for a person stops it before its reset."""
    world.ports["A1"].plug(phone)
    await world.until_stage(StageName.FELICA_CHECK)
    world.parts.admission.hold(code)
    await world.until_problem(code)
    started = [record.entry.data for record in world.ledger.of(EntryKind.STAGE_STARTED)]
    assert not any(data["destructive"] for data in started)
    assert not phone.filled
    assert world.parts.admission.running == 0


@pytest.mark.parametrize("code", [ProblemCode.LEDGER_BROKEN, ProblemCode.DISK_FULL])
async def test_a_job_that_has_destroyed_nothing_yet_does_not_begin_to(code: ProblemCode) -> None:
    """It counts among those that run again once it goes on."""
    world = World()
    door = world.parts.admission
    async with world.running():
        await held_before_it_destroys(world, Phone(used_bytes=30 * MIB), code)
        door.release(code)
        await world.until_stage(StageName.OVERWRITE)
        assert door.running == 1
        assert (await world.finished()).disposition is Disposition.SELLABLE
        assert door.running == 0


async def test_a_drain_does_not_wait_for_a_job_that_is_held_before_it_destroys() -> None:
    world, phone = World(), Phone(used_bytes=30 * MIB)
    async with world.running():
        await held_before_it_destroys(world, phone, ProblemCode.DISK_FULL)
        world.parts.admission.close()
        with anyio.fail_after(3600):
            await world.parts.admission.drained()
    assert not phone.filled
    assert [end["outcome"] for end in ended(world)] == ["aborted"]


async def test_a_drain_waits_for_people_and_for_the_end_of_an_unplugged_job() -> None:
    world = World(2)
    world.silent_in = StageName.CONFIRM
    async with world.running():
        for port in world.ports.values():
            port.plug(Phone(serial=f"S-{port.slot}"))
        for slot in world.ports:
            await world.until_stage(StageName.CONFIRM, slot)
        world.parts.admission.close()
        with anyio.move_on_after(3600) as hour:
            await world.parts.admission.drained()
        assert hour.cancelled_caught
        await world.take_out()
        world.back_at_work()
        await world.parts.admission.drained()
    assert ends_of(world, "A1") == [(Outcome.ABORTED, Reason.UNPLUGGED)]
    assert ends_of(world, "A2") == [PASSED]


async def test_a_pause_that_ends_between_a_look_and_the_wait_leaves_nobody_waiting() -> None:
    admission = Admission()
    admission.pause(for_s=1)
    assert admission.begins_not_for is ProblemCode.DAEMON_PAUSED
    await anyio.sleep(2)
    with anyio.fail_after(3600):
        await admission.changed()
    assert admission.begins_not_for is None
    # But once is enough: nobody is to look again and again.
    with anyio.move_on_after(3600) as scope:
        await admission.changed()
    assert scope.cancelled_caught


async def test_a_pause_that_is_taken_back_lets_jobs_begin_at_once() -> None:
    world = World()
    async with world.running():
        world.parts.admission.pause(for_s=86_400)
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.WAITING)
        world.parts.admission.pause(for_s=0)
        began_s = anyio.current_time()
        assert (await world.finished()).disposition is Disposition.SELLABLE
        assert anyio.current_time() - began_s < 3600


async def test_a_handset_that_leaves_while_the_door_is_held_is_forgotten() -> None:
    """And a held door that closes says so."""
    world = World()
    world.parts.admission.hold(ProblemCode.LEDGER_BROKEN)
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_problem(ProblemCode.LEDGER_BROKEN)
        await world.take_out()
        world.parts.admission.release(ProblemCode.LEDGER_BROKEN)
        await anyio.sleep(60)
        world.parts.admission.hold(ProblemCode.LEDGER_BROKEN)
        world.ports["A1"].plug(Phone())
        await world.until_problem(ProblemCode.LEDGER_BROKEN)
        world.parts.admission.close()
        draining = ProblemCode.DAEMON_DRAINING
        await world.until(lambda: (p := world.view().problem) is not None and p.code is draining)
    assert not world.ledger.of(EntryKind.JOB_OPENED)
