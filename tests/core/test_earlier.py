"""A handset that comes back: the wall says how it ended last time, and who was doomed is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from benchd.domain.disposal import DisposalState, Settling
from benchd.domain.errors import ReasonNeeded
from benchd.domain.ids import OperatorName
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.people import Actor, PersonId, ShownBy
from benchd.domain.record import EntryKind
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.slots.disposal_desk import DisposalDesk
from tests.people.somebody import somebody

from .world import MemoryLedger, Phone, World

ACTOR = Actor(
    person=PersonId("uid-1"), name=OperatorName("佐藤"), shown_by=ShownBy.UNIX, source="socket"
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

MODIFIED = ("ro.boot.verifiedbootstate=orange",)
OTHER_IMEI = "490154203237518"


async def run_one(world: World, phone: Phone) -> SlotView:
    """From plug to unplug."""
    port = world.ports["A1"]
    port.plug(phone)
    await world.until_state(SlotState.RUNNING)
    view = await world.until_state(SlotState.FINISHED)
    port.unplug()
    await world.until_state(SlotState.EMPTY)
    return view


def asked(world: World) -> list[str]:
    return [str(r.entry.data["gate"]) for r in world.ledger.of(EntryKind.QUESTION_ASKED)]


def gates_evidence(world: World) -> Mapping[str, Any]:
    ended = [r.entry.data for r in world.ledger.of(EntryKind.STAGE_ENDED)]
    return [data["evidence"] for data in ended if data["stage"] == "gates"][-1]  # type: ignore[return-value]


async def test_a_handset_that_was_never_here_has_nothing_behind_it() -> None:
    world = World()
    async with world.running():
        view = await run_one(world, Phone())
    assert view.earlier is None
    assert view.disposition is Disposition.SELLABLE
    assert gates_evidence(world)["doomed_by"] == []
    assert Gate.DESTROYED_BEFORE not in asked(world)


@pytest.mark.parametrize("let", [True, False])
async def test_what_was_to_be_destroyed_comes_back_by_somebody_in_charge_only(let: bool) -> None:
    world = World(answers={Gate.DESTROYED_BEFORE: let})
    async with world.running():
        first = await run_one(world, Phone(signs=MODIFIED))
        assert first.disposition is Disposition.DESTROY
        view = await run_one(world, Phone())
    assert view.earlier is not None
    assert (view.earlier.job, view.earlier.disposition, view.earlier.reason) == (
        first.job,
        Disposition.DESTROY,
        Reason.SYSTEM_MODIFIED,
    )
    assert view.earlier.doomed
    assert asked(world).count(Gate.DESTROYED_BEFORE) == 1
    if let:
        assert (view.outcome, view.disposition) == (Outcome.PASSED, Disposition.SELLABLE)
        assert gates_evidence(world)["doomed_by"] == [first.job]
    else:
        assert (view.disposition, view.reason) == (Disposition.DESTROY, Reason.DESTROY_STANDS)
        assert not [r for r in world.ledger.of(EntryKind.JOB_ENDED) if r.entry.data["certificate"]]


async def test_many_harmless_jobs_in_between_hide_nothing() -> None:
    world = World(answers={Gate.DESTROYED_BEFORE: False})
    async with world.running():
        await run_one(world, Phone(signs=MODIFIED))
        for _ in range(20):
            held = await run_one(world, Phone(accounts=1))
            assert held.disposition is Disposition.HOLD
        view = await run_one(world, Phone())
    assert view.reason is Reason.DESTROY_STANDS
    assert view.earlier is not None
    assert view.earlier.disposition is Disposition.HOLD
    assert view.earlier.doomed


@pytest.mark.parametrize("told", ["second", "on its screen"])
async def test_any_of_its_imeis_tells_it(told: str) -> None:
    world = World(answers={Gate.DESTROYED_BEFORE: False})
    doomed = Phone(signs=MODIFIED, imei=OTHER_IMEI)
    again = (
        Phone(second_imei=OTHER_IMEI)
        if told == "second"
        else Phone(imei=None, screen_imei=OTHER_IMEI)
    )
    async with world.running():
        await run_one(world, doomed)
        view = await run_one(world, again)
    assert view.reason is Reason.DESTROY_STANDS


async def test_another_handset_with_the_same_serial_is_not_held_for_it() -> None:
    world = World(answers={Gate.DESTROYED_BEFORE: False})
    async with world.running():
        await run_one(world, Phone(signs=MODIFIED))
        view = await run_one(world, Phone(imei=OTHER_IMEI))
    assert view.disposition is Disposition.SELLABLE
    assert view.earlier is None


async def test_what_somebody_released_to_be_destroyed_is_doomed_too() -> None:
    ledger = MemoryLedger()
    world = World(ledger=ledger, answers={Gate.DESTROYED_BEFORE: False})
    async with world.running():
        held = await run_one(world, Phone(accounts=1))
        assert held.job is not None
        settling = Settling(to=DisposalState.TO_DESTROY, note="返却できない")
        await DisposalDesk(ledger, world.clock).dispose(held.job, settling, ACTOR)
        view = await run_one(world, Phone())
    assert view.reason is Reason.DESTROY_STANDS


@pytest.mark.parametrize("note", ["", "  "])
async def test_value_a_doomed_handset_goes_on_by_a_supervisor_who_says_why(note: str) -> None:
    """Doomed by the rule that took one sign for enough."""
    world = World()
    async with world.running():
        await run_one(world, Phone(signs=MODIFIED))
        world.silent_in = StageName.GATES
        world.ports["A1"].plug(Phone())
        await world.until(lambda: world.view().question is not None)
        view = world.view()
        assert view.job is not None
        with pytest.raises(ReasonNeeded):
            await world.desk.decide(
                view.job, Gate.DESTROYED_BEFORE, approved=True, by=somebody("Sato"), note=note
            )
        assert world.view().question is not None
        why = "test-keys だけで破砕になっていた（市販のOS）"
        await world.desk.decide(
            view.job, Gate.DESTROYED_BEFORE, approved=True, by=somebody("Sato"), note=why
        )
        world.silent_in = None
        world.board.show_unknown_port(world.ports["A1"].port_path, attached=True)
        view = await world.until_state(SlotState.FINISHED)
    assert view.disposition is Disposition.SELLABLE
    notes = [
        r.entry.data["note"]
        for r in world.ledger.of(EntryKind.DECISION)
        if r.entry.data["gate"] == Gate.DESTROYED_BEFORE
    ]
    assert notes == [why]
