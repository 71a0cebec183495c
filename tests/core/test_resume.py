"""A fill that was broken off goes on by proof: on the same handset only, and never on trust."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from benchd.domain.errors import AnswerNotRecognised, HandsetGone
from benchd.domain.fill import NOTHING_OF_THIS_JOB, REMAINS_OF_LOOK
from benchd.domain.job import Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot_states import SlotState
from benchd.pipelines.stages.overwrite import TAKE_BACK_WITHIN_S

from .world import (
    MIB,
    Fault,
    Phone,
    World,
    ended,
    failing,
    filling,
    hang,
    phone_like,
    waiting_recipe,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def pulled_out(world: World, phone: Phone, steps: int = 3, away_s: float = 5) -> None:
    """Plugged in, and pulled out after so many quarters of its fill."""
    world.ports["A1"].plug(phone)
    with anyio.fail_after(300):
        await filling(phone, steps)
    world.ports["A1"].unplug()
    await anyio.sleep(away_s)


async def test_a_pulled_cable_costs_only_what_was_not_proven() -> None:
    world, phone = World(recipe=waiting_recipe()), Phone()
    async with world.running():
        await pulled_out(world, phone, away_s=20)
        await world.until_state(SlotState.REPLUGGING)
        world.ports["A1"].plug(phone)
        view = await world.finished()
        assert (view.outcome, view.occupancy) == (Outcome.PASSED, 1)
    first, second = phone.filled
    assert first.key == second.key
    assert (first.resume, second.resume) == (False, True)
    evidence = world.evidence(StageName.OVERWRITE)
    assert evidence["fill_runs"] == 2
    assert 0 < evidence["resumed_bytes"] < evidence["bytes_written"]
    # All of it is read again, the resumed part too.
    ordered = sum(order.ordered_bytes for order in phone.checked)
    assert ordered == evidence["bytes_written"]
    assert len(world.passed_for_real) == 1
    # A handset that goes on is not tidied (row 13).
    assert not phone.calls["take_back"]


OTHERS: dict[str, dict[str, Any]] = {
    # Same serial, same IMEI: only what it holds tells it apart.
    "it holds nothing of the job": {"held_key": b"", "held_bytes": 0, "erased_for_real": False},
    "another serial": {"serial": "ANOTHER"},
}


@pytest.mark.parametrize("case", OTHERS)
async def test_another_handset_that_comes_back_is_refused(case: str) -> None:
    world, phone = World(recipe=waiting_recipe()), Phone()
    async with world.running():
        await pulled_out(world, phone)
        world.ports["A1"].plug(phone_like(phone, **OTHERS[case]))
        world.must_not_pass(await world.finished(), Reason.HANDSET_CHANGED)
    assert not world.passed_for_real


async def says_nonsense(_: Phone) -> None:
    raise AnswerNotRecognised("rm: ended with 1")


async def is_gone(_: Phone) -> None:
    raise HandsetGone("pulled again")


@pytest.mark.parametrize("fault", [None, hang, is_gone, says_nonsense])
async def test_row_13_nothing_of_benchd_s_stays_on_a_handset_that_isn_t_the_job_s(
    fault: Fault | None,
) -> None:
    """What can't be removed is on record, and changes no verdict."""
    world, phone = World(recipe=waiting_recipe()), Phone()
    async with world.running():
        await pulled_out(world, phone)
        assert phone.put_there
        # What lies there of another job is that job's to go on with.
        held = {"held_key": b"another job's", "held_bytes": MIB}
        twin = phone_like(phone, put_there=set(), filled=[], **held)
        twin.faults |= {"take_back": fault} if fault else {}
        world.ports["A1"].plug(twin)
        with anyio.fail_after(60):
            while not twin.calls["fill"]:  # noqa: ASYNC110 - a counter tells nobody
                await anyio.sleep(0.1)
        begun = anyio.current_time()
        world.must_not_pass(await world.finished(), Reason.HANDSET_CHANGED)
        assert anyio.current_time() - begun < TAKE_BACK_WITHIN_S + 5
    assert not world.passed_for_real
    assert (twin.held_bytes, twin.calls["drop"], twin.filled) == (MIB, 0, [])
    assert bool(twin.put_there) is (fault is not None)
    remains = f"{NOTHING_OF_THIS_JOB}; {REMAINS_OF_LOOK}" if fault else NOTHING_OF_THIS_JOB
    assert ended(world)[0]["detail"] == remains


async def test_pulled_before_anything_was_written_it_begins_anew() -> None:
    world, phone = World(recipe=waiting_recipe()), Phone()
    async with world.running():
        world.ports["A1"].plug(phone)
        with anyio.fail_after(300):
            while not phone.calls["fill"]:  # noqa: ASYNC110 - a counter tells nobody
                await anyio.sleep(0.5)
        world.ports["A1"].unplug()
        await anyio.sleep(5)
        world.ports["A1"].plug(phone)
        view = await world.finished()
        assert (view.outcome, view.occupancy) == (Outcome.PASSED, 2)
    assert [end["reason"] for end in ended(world)] == [Reason.UNPLUGGED, None]
    assert len({order.key for order in phone.filled}) == 2


async def test_away_for_too_long_it_is_unplugged() -> None:
    world = World(recipe=waiting_recipe())
    async with world.running():
        await pulled_out(world, Phone(), 2)
        await world.until_state(SlotState.EMPTY)
        assert ended(world)[0]["outcome"] == Outcome.ABORTED
        assert ended(world)[0]["reason"] == Reason.UNPLUGGED


async def test_many_unplugs_of_one_job() -> None:
    world, phone = World(recipe=waiting_recipe()), Phone()
    async with world.running():
        for steps in (1, 3, 5, 7):
            await pulled_out(world, phone, steps, away_s=10)
        world.ports["A1"].plug(phone)
        view = await world.finished()
        assert (view.outcome, view.occupancy) == (Outcome.PASSED, 1)
    assert world.evidence(StageName.OVERWRITE)["fill_runs"] == 5
    assert len({order.key for order in phone.filled}) == 1


@pytest.mark.parametrize("wait", [False, True])
async def test_a_lost_link_alone_goes_on_too(wait: bool) -> None:
    world = World(recipe=waiting_recipe() if wait else None)
    phone = Phone(faults=failing("fill_step", HandsetGone("the link broke"), 3))
    await world.sells(phone)
    first, second = phone.filled
    assert (first.key, first.resume, second.resume) == (second.key, False, True)
    assert world.evidence(StageName.OVERWRITE)["resumed_bytes"] > 0


async def test_another_job_has_another_key_and_resumes_nothing() -> None:
    world, phone = World(), Phone()
    async with world.running():
        world.ports["A1"].plug(phone)
        with anyio.fail_after(300):
            await filling(phone, 2)
        await world.ran(phone)
    first, second = phone.filled
    assert first.key != second.key
    assert not second.resume
    assert len(world.ledger.of(EntryKind.JOB_ENDED)) == 2
