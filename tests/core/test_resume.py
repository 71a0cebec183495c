"""A fill that was broken off goes on by proof: on the same handset only, and never on trust."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio
import pytest

from benchd.domain.errors import AnswerNotRecognised, HandsetGone
from benchd.domain.fill import NOTHING_OF_THIS_JOB, REMAINS_OF_LOOK
from benchd.domain.job import Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot_states import SlotState
from benchd.pipelines.recipe import Recipe
from benchd.pipelines.stages.overwrite import TAKE_BACK_WITHIN_S, OverwriteStage
from benchd.proof.job_records import stage_records

from .world import MIB, Phone, World, ended, make_recipe, phone_like

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


Fault = Callable[[Phone], Awaitable[None]]


def waiting_recipe() -> Recipe:
    return make_recipe(
        overwrite=OverwriteStage(file_bytes=32 * MIB, unplugged="wait", return_within_s=60)
    )


def overwrite_evidence(world: World) -> Mapping[str, Any]:
    records = stage_records(world.ledger.stored)
    passed = [r for r in records if r.stage is StageName.OVERWRITE and r.outcome is Outcome.PASSED]
    return dict(passed[-1].stored)


async def filling(world: World, steps: int) -> None:
    """Until the phone in A1 has filled so many quarters of its storage."""
    phone = world.ports["A1"].phone
    assert phone is not None
    with anyio.fail_after(300):
        while phone.calls["fill_step"] < steps:  # noqa: ASYNC110 - a counter tells nobody
            await anyio.sleep(0.5)


async def test_a_pulled_cable_costs_only_what_was_not_proven() -> None:
    world = World(recipe=waiting_recipe())
    phone = Phone()
    async with world.running():
        port = world.ports["A1"]
        port.plug(phone)
        await filling(world, 3)
        port.unplug()
        await world.until_state(SlotState.REPLUGGING)
        await anyio.sleep(20)
        port.plug(phone)
        view = await world.until_state(SlotState.FINISHED)
        assert (view.outcome, view.occupancy) == (Outcome.PASSED, 1)
    first, second = phone.filled
    assert first.key == second.key
    assert (first.resume, second.resume) == (False, True)
    evidence = overwrite_evidence(world)
    assert evidence["fill_runs"] == 2
    assert 0 < evidence["resumed_bytes"] < evidence["bytes_written"]
    # All of it is read again, the resumed part too.
    ordered = sum(order.ordered_bytes for order in phone.checked)
    assert ordered == evidence["bytes_written"]
    assert len(world.passed_for_real) == 1


async def test_a_handset_that_holds_nothing_of_the_job_is_another_one() -> None:
    """Same serial, same IMEI: only what it holds tells it apart."""
    world = World(recipe=waiting_recipe())
    phone = Phone()
    async with world.running():
        port = world.ports["A1"]
        port.plug(phone)
        await filling(world, 3)
        port.unplug()
        await anyio.sleep(5)
        port.plug(phone_like(phone, held_key=b"", held_bytes=0, erased_for_real=False))
        view = await world.until_state(SlotState.FINISHED)
        assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.HANDSET_CHANGED)
    assert not world.passed_for_real


async def a_twin_comes_back(**stranger: Fault) -> tuple[World, Phone, float]:
    """The end of a job whose handset was swapped in mid-fill, and how long that took."""
    world = World(recipe=waiting_recipe())
    phone = Phone()
    async with world.running():
        port = world.ports["A1"]
        port.plug(phone)
        await filling(world, 3)
        port.unplug()
        await anyio.sleep(5)
        assert phone.put_there
        held = {"held_key": b"another job's", "held_bytes": MIB}
        twin = phone_like(phone, put_there=set(), filled=[], **held)
        twin.faults.update(stranger)
        port.plug(twin)
        with anyio.fail_after(60):
            while not twin.calls["fill"]:  # noqa: ASYNC110 - a counter tells nobody
                await anyio.sleep(0.1)
        begun = anyio.current_time()
        view = await world.until_state(SlotState.FINISHED)
        assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.HANDSET_CHANGED)
    assert not world.passed_for_real
    return world, twin, anyio.current_time() - begun


async def test_row_13_nothing_of_benchd_s_stays_on_a_handset_that_isn_t_the_job_s() -> None:
    world, twin, _ = await a_twin_comes_back()
    assert not twin.put_there
    # What lies there of another job is that job's to go on with.
    assert (twin.held_bytes, twin.calls["drop"], twin.filled) == (MIB, 0, [])
    assert ended(world)[0]["detail"] == NOTHING_OF_THIS_JOB


async def hangs(_: Phone) -> None:
    await anyio.sleep(10**6)


async def is_gone(_: Phone) -> None:
    raise HandsetGone("pulled again")


async def says_nonsense(_: Phone) -> None:
    raise AnswerNotRecognised("rm: ended with 1")


@pytest.mark.parametrize("fault", [hangs, is_gone, says_nonsense])
async def test_row_13_what_can_t_be_removed_is_on_record_and_changes_no_verdict(
    fault: Fault,
) -> None:
    world, twin, took_s = await a_twin_comes_back(take_back=fault)
    assert twin.put_there
    assert ended(world)[0]["detail"] == f"{NOTHING_OF_THIS_JOB}; {REMAINS_OF_LOOK}"
    assert took_s < TAKE_BACK_WITHIN_S + 5


async def test_row_13_a_handset_that_goes_on_is_not_tidied() -> None:
    world = World(recipe=waiting_recipe())
    phone = Phone()
    async with world.running():
        port = world.ports["A1"]
        port.plug(phone)
        await filling(world, 3)
        port.unplug()
        await anyio.sleep(5)
        port.plug(phone)
        view = await world.until_state(SlotState.FINISHED)
        assert view.outcome is Outcome.PASSED
    assert not phone.calls["take_back"]


async def test_pulled_before_anything_was_written_it_begins_anew() -> None:
    world = World(recipe=waiting_recipe())
    phone = Phone()
    async with world.running():
        port = world.ports["A1"]
        port.plug(phone)
        with anyio.fail_after(300):
            while not phone.calls["fill"]:  # noqa: ASYNC110 - a counter tells nobody
                await anyio.sleep(0.5)
        port.unplug()
        await anyio.sleep(5)
        port.plug(phone)
        view = await world.until_state(SlotState.FINISHED)
        assert (view.outcome, view.occupancy) == (Outcome.PASSED, 2)
    assert [end["reason"] for end in ended(world)] == [Reason.UNPLUGGED, None]
    assert len({order.key for order in phone.filled}) == 2


async def test_a_handset_of_another_identity_is_refused() -> None:
    world = World(recipe=waiting_recipe())
    phone = Phone()
    async with world.running():
        port = world.ports["A1"]
        port.plug(phone)
        await filling(world, 2)
        port.unplug()
        await anyio.sleep(5)
        port.plug(phone_like(phone, serial="ANOTHER"))
        view = await world.until_state(SlotState.FINISHED)
        assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.HANDSET_CHANGED)


async def test_away_for_too_long_it_is_unplugged() -> None:
    world = World(recipe=waiting_recipe())
    async with world.running():
        port = world.ports["A1"]
        port.plug(Phone())
        await filling(world, 2)
        port.unplug()
        await world.until_state(SlotState.EMPTY)
        assert ended(world)[0]["outcome"] == Outcome.ABORTED
        assert ended(world)[0]["reason"] == Reason.UNPLUGGED


async def test_many_unplugs_of_one_job() -> None:
    world = World(recipe=waiting_recipe())
    phone = Phone()
    async with world.running():
        port = world.ports["A1"]
        port.plug(phone)
        for steps in (1, 3, 5, 7):
            await filling(world, steps)
            port.unplug()
            await anyio.sleep(10)
            port.plug(phone)
        view = await world.until_state(SlotState.FINISHED)
        assert (view.outcome, view.occupancy) == (Outcome.PASSED, 1)
    assert overwrite_evidence(world)["fill_runs"] == 5
    assert len({order.key for order in phone.filled}) == 1


@pytest.mark.parametrize("wait", [False, True])
async def test_a_lost_link_alone_goes_on_too(wait: bool) -> None:
    world = World(recipe=waiting_recipe() if wait else None)
    phone = Phone()

    async def lose_it_once(phone: Phone) -> None:
        if phone.calls["fill_step"] == 3:
            raise HandsetGone("the link broke")

    phone.faults["fill_step"] = lose_it_once
    await world.sells(phone)
    first, second = phone.filled
    assert (first.key, first.resume, second.resume) == (second.key, False, True)
    assert overwrite_evidence(world)["resumed_bytes"] > 0


async def test_another_job_has_another_key_and_resumes_nothing() -> None:
    world = World()
    phone = Phone()
    async with world.running():
        port = world.ports["A1"]
        port.plug(phone)
        await filling(world, 2)
        port.unplug()
        await world.until_state(SlotState.EMPTY)
        port.plug(phone)
        await world.until_state(SlotState.FINISHED)
    first, second = phone.filled
    assert first.key != second.key
    assert not second.resume
    assert len(world.ledger.of(EntryKind.JOB_ENDED)) == 2
