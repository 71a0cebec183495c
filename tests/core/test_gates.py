"""The gates: what they wait for, what they refuse, and what stays on record of a look-up."""

from __future__ import annotations

from collections.abc import Mapping

import anyio
import pytest

from benchd.domain.errors import LookUpResultNeeded, UnsupportedHandset
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode
from benchd.domain.slot_states import SlotState
from benchd.pipelines.stages.gates import GatesStage
from benchd.proof.network import look_up_result
from benchd.proof.watch_list import Wanted, WatchList
from tests.people.somebody import somebody

from .catalogues import catalogue, model
from .world import MIB, Phone, World, ended, make_recipe, phone_like

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

WANTED = WatchList(wanted=Wanted(imeis=frozenset({"356938035643809"}), sha256="0" * 64))


def gates_evidence(world: World) -> Mapping[str, object]:
    [told] = [
        s.entry.data["evidence"]
        for s in world.ledger.of(EntryKind.STAGE_ENDED)
        if s.entry.data["stage"] == StageName.GATES
    ]
    assert isinstance(told, Mapping)
    return told


async def end_of(world: World, phone: Phone) -> tuple[object, object, object]:
    view = await world.end_of(phone)
    return view.outcome, view.disposition, view.reason


async def test_a_low_battery_waits_with_a_sentence_and_goes_on_by_itself() -> None:
    world = World()
    async with world.running():
        world.ports["A1"].plug(Phone(battery_percent=12, charges_percent=3))
        waiting = await world.until_state(SlotState.WAITING)
        assert waiting.problem is not None
        assert waiting.problem.code is ProblemCode.LOW_BATTERY
        assert waiting.problem.facts == {"percent": "12", "minimum": "30"}
        shown: list[str] = []
        while not shown or world.view().problem is not None:
            problem = world.view().problem
            if problem is not None and problem.facts["percent"] not in shown:
                shown.append(problem.facts["percent"])
            await world.board.changed(world.board.version)
        assert shown == ["12", "15", "18", "21", "24", "27"]
        view = await world.until_state(SlotState.FINISHED)
        assert view.outcome is Outcome.PASSED
    assert gates_evidence(world)["battery_percent"] == 30


async def test_a_battery_that_never_charges_is_held_after_its_time() -> None:
    world = World(recipe=make_recipe(gates=GatesStage(charge_within_s=600)))
    async with world.running():
        world.ports["A1"].plug(Phone(battery_percent=29))
        await world.until_state(SlotState.WAITING)
        began = anyio.current_time()
        view = await world.until_state(SlotState.FINISHED)
        assert anyio.current_time() - began == pytest.approx(600, abs=1)
    assert (view.outcome, view.disposition, view.reason) == (
        Outcome.FAILED,
        Disposition.HOLD,
        Reason.LOW_BATTERY,
    )


async def test_while_it_charges_an_unplug_ends_the_job_and_a_lost_server_asks_nothing_again() -> (
    None
):
    world = World()
    async with world.running():
        world.ports["A1"].plug(Phone(battery_percent=12))
        await world.until_state(SlotState.WAITING)
        world.access.server_up = False
        world.access.poke()
        await anyio.sleep(60)
        world.access.server_up = True
        world.access.poke()
        await anyio.sleep(60)
        problem = world.view().problem
        assert problem is not None
        assert problem.code is ProblemCode.LOW_BATTERY
        asked = [s.entry.data["gate"] for s in world.ledger.of(EntryKind.QUESTION_ASKED)]
        assert len(asked) == len(set(asked)) == 2
        await world.take_out()
    [end] = ended(world)
    assert (end["outcome"], end["reason"]) == (Outcome.ABORTED, Reason.UNPLUGGED)


async def test_a_handset_that_cannot_be_worked_with_ends_as_a_job_and_the_next_one_passes() -> None:
    world = World(slots=2)
    old = Phone(unfit=UnsupportedHandset("its adb has no exit codes"))
    async with world.running():
        world.ports["A1"].plug(old)
        world.ports["A2"].plug(Phone(serial="NEIGHBOUR"))
        view = await world.until_state(SlotState.FINISHED)
        assert (view.outcome, view.disposition, view.reason) == (
            Outcome.FAILED,
            Disposition.HOLD,
            Reason.UNSUPPORTED_MODEL,
        )
        assert view.job is not None
        await world.take_out()
        world.ports["A1"].plug(Phone())
        assert (await world.until_state(SlotState.FINISHED)).outcome is Outcome.PASSED
        assert (await world.until_state(SlotState.FINISHED, "A2")).outcome is Outcome.PASSED
    assert not world.ledger.of(EntryKind.SLOT_QUARANTINED)
    first = ended(world)[0]
    assert (first["reason"], first["detail"]) == (
        Reason.UNSUPPORTED_MODEL,
        "its adb has no exit codes",
    )


async def test_a_handset_on_the_list_is_held_before_anybody_is_asked() -> None:
    world = World(recipe=make_recipe(gates=GatesStage(watch_list=WANTED)))
    assert await end_of(world, Phone()) == (
        Outcome.FAILED,
        Disposition.HOLD,
        Reason.WATCH_LISTED,
    )
    assert not world.ledger.of(EntryKind.QUESTION_ASKED)


async def test_that_an_imei_was_not_looked_up_is_on_record() -> None:
    world = World(recipe=make_recipe(gates=GatesStage(watch_list=WANTED)))
    assert (await end_of(world, Phone(imei=None, telephony=False)))[0] is Outcome.PASSED
    watched = gates_evidence(world)["watch_list"]
    assert watched == {
        "sha256": "0" * 64,
        "entries": 1,
        "looked_up": "not_looked_up",
        "answer": None,
    }


@pytest.mark.parametrize("found", [True, False])
async def test_a_person_looks_up_what_the_handset_does_not_tell(*, found: bool) -> None:
    gates = GatesStage(watch_list=WANTED, imei_by_hand=True)
    world = World(recipe=make_recipe(gates=gates), answers={Gate.WATCH_LIST: not found})
    outcome, _, reason = await end_of(world, Phone(imei=None, telephony=False))
    assert (outcome, reason) == (
        (Outcome.FAILED, Reason.WATCH_LISTED) if found else (Outcome.PASSED, None)
    )


async def test_another_imei_is_looked_up_without_a_question() -> None:
    gates = GatesStage(watch_list=WANTED, imei_by_hand=True)
    world = World(recipe=make_recipe(gates=gates))
    assert (await end_of(world, Phone(imei="490154203237518")))[0] is Outcome.PASSED
    watched = gates_evidence(world)["watch_list"]
    assert isinstance(watched, Mapping)
    assert watched["looked_up"] == "by_imei"


@pytest.mark.parametrize("note", ["", "ok", "demo", "× 16:20", "x"])
async def test_a_restriction_is_not_approved_without_the_sign_that_was_looked_up(note: str) -> None:
    world = World()
    world.silent_in = StageName.GATES
    async with world.running():
        world.ports["A1"].plug(Phone())
        view = await world.until_state(SlotState.AWAITING_OPERATOR)
        job = JobId(str(view.job))
        with pytest.raises(LookUpResultNeeded):
            await world.desk.decide(
                job, Gate.NETWORK, approved=True, by=somebody("Sato"), note=note
            )
        assert not world.ledger.of(EntryKind.DECISION)
        await world.desk.decide(job, Gate.NETWORK, approved=False, by=somebody("Sato"), note=note)
        assert (await world.until_state(SlotState.FINISHED)).reason is Reason.NETWORK_RESTRICTED


@pytest.mark.parametrize(
    ("note", "sign"),
    [
        ("○", "○"),
        (" 〇 16:20", "○"),
        ("o", "○"),
        ("◯docomo", None),
        ("△、16:20", "△"),
        ("ー", "-"),
        ("-", "-"),
        ("X", "×"),
        ("ok", None),
        ("", None),
        ("照会 ○", None),
    ],
)
async def test_signs_as_people_type_them(note: str, sign: str | None) -> None:
    assert look_up_result(note) == sign


async def test_what_was_let_through_can_never_be_certified() -> None:
    gates = GatesStage(accept=(Reason.REMOVABLE_MEDIA,))
    world = World(recipe=make_recipe(gates=gates))
    assert await end_of(world, Phone(removable_media=True)) == (
        Outcome.FAILED,
        Disposition.HOLD,
        Reason.PROOF_INCOMPLETE,
    )
    assert gates_evidence(world)["accepted"] == [Reason.REMOVABLE_MEDIA]


async def test_questions_tell_twins_apart_by_the_end_of_their_imei() -> None:
    world = World(slots=2)
    world.silent_in = StageName.CONFIRM
    one = Phone(serial="0123456789ABCDEF", imei="356938035643809")
    async with world.running():
        world.ports["A1"].plug(one)
        world.ports["A2"].plug(phone_like(one, imei="490154203237518"))
        await world.until(
            lambda: all(v.stage is StageName.CONFIRM for v in world.board.views().values())
        )
        questions = [view.question for view in world.board.views().values()]
    assert [q.facts["imei_end"] for q in questions if q] == ["3809", "7518"]


@pytest.mark.parametrize(
    ("sizes", "nominal"), [((), None), ((64,), 64), ((64, 128), 64), ((100,), 100), ((106,), 106)]
)
async def test_a_storage_as_large_as_its_model_is_sold_goes_on(
    sizes: tuple[int, ...], nominal: int | None
) -> None:
    world = World(models=sold_with(*sizes))
    assert (await end_of(world, Phone()))[1] is Disposition.SELLABLE
    told = gates_evidence(world)
    assert told["nominal_bytes"] == (nominal and nominal * MIB)
    assert told["nominal_sizes_sha256"] == "1" * 64


async def test_a_model_that_nobody_has_told_of_goes_on_without_a_nominal_size() -> None:
    world = World(models=catalogue(model("SO-52A", storage_bytes=(1 << 40,))))
    assert (await end_of(world, Phone()))[1] is Disposition.SELLABLE
    assert gates_evidence(world)["nominal_bytes"] is None


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ((107,), Reason.CAPACITY_BELOW_NOMINAL),
        ((128,), Reason.CAPACITY_BELOW_NOMINAL),
        ((32, 128), Reason.CAPACITY_BELOW_NOMINAL),
        ((1024,), Reason.CAPACITY_BELOW_NOMINAL),
        ((32,), Reason.CAPACITY_ABOVE_NOMINAL),
        ((16, 32), Reason.CAPACITY_ABOVE_NOMINAL),
    ],
)
async def test_a_storage_that_is_not_what_its_model_is_sold_with_is_held(
    sizes: tuple[int, ...], reason: Reason
) -> None:
    phone = Phone()
    ends = await end_of(World(models=sold_with(*sizes)), phone)
    assert ends == (Outcome.FAILED, Disposition.HOLD, reason)
    assert phone.calls["enable_test_harness"] == phone.calls["fill"] == 0


def sold_with(*sizes_mib: int) -> ModelCatalogue:
    """A catalogue that has the model of the tests' phone, whose storage has 64 MiB."""
    return catalogue(model("SO-51C", storage_bytes=tuple(MIB * size for size in sizes_mib)))
