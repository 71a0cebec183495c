"""The gates and the care while it is filled: what a handset waits for, and what refuses it."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from benchd.domain.errors import LookUpResultNeeded, UnsupportedHandset
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode
from benchd.domain.slot_states import SlotState
from benchd.pipelines.stages.gates import GatesStage
from benchd.pipelines.stages.overwrite import OverwriteStage
from benchd.proof.network import look_up_result
from benchd.proof.watch_list import Wanted, WatchList

from .catalogues import catalogue, model
from .world import (
    CAPACITY,
    IMEI,
    MIB,
    OTHER_IMEI,
    Phone,
    World,
    ended,
    make_recipe,
    phone_like,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

WANTED = WatchList(wanted=Wanted(imeis=frozenset({IMEI}), sha256="0" * 64))


def world_of(**gates: Any) -> World:  # noqa: ANN401 - settings of the stage
    return World(recipe=make_recipe(gates=GatesStage(**gates)))


async def test_a_low_battery_waits_with_a_sentence_and_goes_on_by_itself() -> None:
    world = World()
    async with world.running():
        world.ports["A1"].plug(Phone(battery_percent=12, charges_percent=3))
        waiting = await world.until_problem(ProblemCode.LOW_BATTERY)
        assert waiting.problem is not None
        assert waiting.problem.facts == {"percent": "12", "minimum": "30"}
        shown: list[str] = []
        while not shown or world.view().problem is not None:
            problem = world.view().problem
            if problem is not None and problem.facts["percent"] not in shown:
                shown.append(problem.facts["percent"])
            await world.board.changed(world.board.version)
        assert shown == ["12", "15", "18", "21", "24", "27"]
        assert (await world.finished()).outcome is Outcome.PASSED
    assert world.evidence(StageName.GATES)["battery_percent"] == 30


async def test_a_battery_that_never_charges_is_held_after_its_time() -> None:
    world = world_of(charge_within_s=600)
    async with world.running():
        world.ports["A1"].plug(Phone(battery_percent=29))
        await world.until_state(SlotState.WAITING)
        began = anyio.current_time()
        view = await world.finished()
        assert anyio.current_time() - began == pytest.approx(600, abs=1)
    world.must_not_pass(view, Reason.LOW_BATTERY)
    assert view.disposition is Disposition.HOLD


async def test_while_it_charges_an_unplug_ends_the_job_and_a_lost_server_asks_nothing_again() -> (
    None
):
    world = World()
    async with world.running():
        world.ports["A1"].plug(Phone(battery_percent=12))
        await world.until_state(SlotState.WAITING)
        for up in (False, True):
            world.access.serve(up=up)
            await anyio.sleep(60)
        problem = world.view().problem
        assert problem is not None
        assert problem.code is ProblemCode.LOW_BATTERY
        assert len(world.asked()) == len(set(world.asked())) == 2
        await world.take_out()
    [end] = ended(world)
    assert (end["outcome"], end["reason"]) == (Outcome.ABORTED, Reason.UNPLUGGED)


async def test_a_handset_that_cannot_be_worked_with_ends_as_a_job_and_the_next_one_passes() -> None:
    world = World(slots=2)
    old = Phone(unfit=UnsupportedHandset("its adb has no exit codes"))
    async with world.running():
        world.ports["A2"].plug(Phone(serial="NEIGHBOUR"))
        view = await world.ran(old)
        world.must_not_pass(view, Reason.UNSUPPORTED_MODEL)
        assert view.disposition is Disposition.HOLD
        assert view.job is not None
        assert (await world.ran()).outcome is Outcome.PASSED
        assert (await world.finished("A2")).outcome is Outcome.PASSED
    assert not world.ledger.of(EntryKind.SLOT_QUARANTINED)
    first = ended(world)[0]
    told = (Reason.UNSUPPORTED_MODEL, "its adb has no exit codes")
    assert (first["reason"], first["detail"]) == told


async def test_a_handset_on_the_list_is_held_before_anybody_is_asked() -> None:
    world = world_of(watch_list=WANTED)
    view = await world.refuses(Phone(), Reason.WATCH_LISTED)
    assert view.disposition is Disposition.HOLD
    assert not world.asked()


@pytest.mark.parametrize(
    ("phone", "by_hand", "looked_up"),
    [
        (Phone(imei=None, telephony=False), False, "not_looked_up"),
        (Phone(imei=OTHER_IMEI), True, "by_imei"),
    ],
)
async def test_whether_an_imei_was_looked_up_is_on_record(
    phone: Phone, by_hand: bool, looked_up: str
) -> None:
    world = world_of(watch_list=WANTED, imei_by_hand=by_hand)
    await world.sells(phone)
    told = {"sha256": "0" * 64, "entries": 1, "looked_up": looked_up, "answer": None}
    assert world.evidence(StageName.GATES)["watch_list"] == told


@pytest.mark.parametrize("found", [True, False])
async def test_a_person_looks_up_what_the_handset_does_not_tell(*, found: bool) -> None:
    world = world_of(watch_list=WANTED, imei_by_hand=True)
    world.answers[Gate.WATCH_LIST] = not found
    phone = Phone(imei=None, telephony=False)
    await (world.refuses(phone, Reason.WATCH_LISTED) if found else world.sells(phone))


KNOX_GUARD = Phone(lock_admins=("com.samsung.android.kgclient",))


@pytest.mark.parametrize("looked", [True, False])
async def test_a_person_looks_whether_a_makers_lock_for_lenders_is_in_force(
    *, looked: bool
) -> None:
    world = World(answers={Gate.LOCK_ADMIN: looked})
    phone = phone_like(KNOX_GUARD)
    await (world.sells(phone) if looked else world.refuses(phone, Reason.MANAGED_DEVICE))
    [question] = world.questions(Gate.LOCK_ADMIN)
    assert question["facts"]["admins"] == "com.samsung.android.kgclient"


@pytest.mark.parametrize("note", ["", "ok", "demo", "× 16:20", "x"])
async def test_a_restriction_is_not_approved_without_the_sign_that_was_looked_up(note: str) -> None:
    world = World()
    world.silent_in = StageName.GATES
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_question(Gate.NETWORK)
        with pytest.raises(LookUpResultNeeded):
            await world.decide(Gate.NETWORK, note=note)
        assert not world.ledger.of(EntryKind.DECISION)
        await world.decide(Gate.NETWORK, note=note, approved=False)
        assert (await world.finished()).reason is Reason.NETWORK_RESTRICTED


@pytest.mark.parametrize(
    ("sign", "notes"),
    [
        ("○", ["○", " 〇 16:20", "o"]),
        ("△", ["△、16:20"]),
        ("-", ["ー", "-"]),
        ("×", ["X"]),
        (None, ["◯docomo", "ok", "", "照会 ○"]),
    ],
)
async def test_signs_as_people_type_them(sign: str | None, notes: list[str]) -> None:
    assert {look_up_result(note) for note in notes} == {sign}


async def test_what_was_let_through_can_never_be_certified() -> None:
    world = world_of(accept=(Reason.REMOVABLE_MEDIA,))
    view = await world.refuses(Phone(removable_media=True), Reason.PROOF_INCOMPLETE)
    assert view.disposition is Disposition.HOLD
    assert world.evidence(StageName.GATES)["accepted"] == [Reason.REMOVABLE_MEDIA]


async def test_questions_tell_twins_apart_by_the_end_of_their_imei() -> None:
    world = World(slots=2)
    world.silent_in = StageName.CONFIRM
    one = Phone(serial="0123456789ABCDEF", imei=IMEI)
    async with world.running():
        world.ports["A1"].plug(one)
        world.ports["A2"].plug(phone_like(one, imei=OTHER_IMEI))
        questions = [await world.until_question(Gate.CONFIRM, slot) for slot in ("A1", "A2")]
    assert [question.facts["imei_end"] for question in questions] == ["3809", "7518"]


# The sizes that its model is sold with; the storage of the tests' phone has 64 MiB.


def sold_with(*sizes_mib: int) -> ModelCatalogue:
    return catalogue(model("SO-51C", storage_bytes=tuple(MIB * size for size in sizes_mib)))


@pytest.mark.parametrize(
    ("models", "nominal"),
    [
        (sold_with(), None),
        (sold_with(64), 64),
        (sold_with(64, 128), 64),
        (sold_with(100), 100),
        (sold_with(106), 106),
        (catalogue(model("SO-52A", storage_bytes=(1 << 40,))), None),
    ],
)
async def test_a_storage_as_large_as_its_model_is_sold_goes_on(
    models: ModelCatalogue, nominal: int | None
) -> None:
    world = World(models=models)
    await world.sells()
    told = world.evidence(StageName.GATES)
    assert told["nominal_bytes"] == (nominal and nominal * MIB)
    assert told["nominal_sizes_sha256"] == "1" * 64


@pytest.mark.parametrize("sizes", [(107,), (128,), (32, 128), (1024,), (32,), (16, 32)])
async def test_a_storage_that_is_not_what_its_model_is_sold_with_is_held(
    sizes: tuple[int, ...],
) -> None:
    phone = Phone()
    less = max(sizes) > 64
    reason = Reason.CAPACITY_BELOW_NOMINAL if less else Reason.CAPACITY_ABOVE_NOMINAL
    view = await World(models=sold_with(*sizes)).refuses(phone, reason)
    assert view.disposition is Disposition.HOLD
    assert phone.calls["enable_test_harness"] == phone.calls["fill"] == 0


# The care while it is filled: the stage looks every 4 s.


def caring(slots: int = 1, **changes: float) -> World:
    stage = OverwriteStage(file_bytes=32 * MIB, care_every_s=4, **changes)  # type: ignore[arg-type]
    return World(slots, recipe=make_recipe(overwrite=stage))


async def test_a_hot_handset_rests_and_goes_on_when_it_is_cool() -> None:
    world = caring(slots=2)
    # Warm, hot, still too warm three times, cool.
    hot = Phone(warmth_c=[39.0, 45.0, 44.0, 42.0, 40.1, 40.0, 30.0])
    async with world.running():
        world.ports["A1"].plug(hot)
        world.ports["A2"].plug(Phone(serial="OTHER", imei=None))
        waiting = await world.until_problem(ProblemCode.TOO_HOT)
        assert waiting.stage is StageName.OVERWRITE
        assert waiting.problem is not None
        assert waiting.problem.facts == {"degrees": "45", "maximum": "40"}
        going = await world.until_state(SlotState.RUNNING)
        assert going.problem is None
        assert (await world.finished()).outcome is Outcome.PASSED
    assert hot.rested == 1
    assert world.evidence(StageName.OVERWRITE)["rested_s"] == pytest.approx(16, abs=1)


async def test_a_handset_nearly_empty_rests_until_it_has_charged() -> None:
    world, phone = caring(rest_below_percent=35, work_above_percent=80), Phone(battery_percent=31)
    async with world.running():
        world.ports["A1"].plug(phone)
        await world.until_problem(ProblemCode.LOW_BATTERY)
        await anyio.sleep(600)
        assert world.view().state is SlotState.WAITING
        phone.battery_percent = 90
        assert (await world.finished()).outcome is Outcome.PASSED


async def test_an_unplug_while_it_rests_ends_the_job() -> None:
    world = caring()
    async with world.running():
        world.ports["A1"].plug(Phone(warmth_c=[50.0]))
        await world.until_state(SlotState.WAITING)
        await world.take_out()
    [end] = ended(world)
    assert (end["outcome"], end["reason"]) == (Outcome.ABORTED, Reason.UNPLUGGED)


async def test_a_transfer_far_slower_than_at_first_ends_and_never_passes() -> None:
    world, phone = caring(slowest_share=0.9), Phone(fill_step_s=70)
    async with world.running():
        world.ports["A1"].plug(phone)
        await world.until_stage(StageName.OVERWRITE)
        await anyio.sleep(75)
        # A quarter in 70 s: all of it in 280 s, and 312 s is what 90 % of that pace takes.
        phone.fill_step_s = 400
        world.must_not_pass(await world.finished(), Reason.STAGE_DEADLINE)
    assert not world.passed_for_real


async def test_a_fill_that_an_earlier_job_left_behind_makes_nobody_a_snail() -> None:
    # It's gone with the reset, and isn't to be taken for what little there is to write.
    await World().sells(Phone(used_bytes=CAPACITY * 97 // 100, fill_step_s=70))
