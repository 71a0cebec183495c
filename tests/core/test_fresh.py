"""Fresh means shown: a handset that doesn't show that nobody used it is reset (issue 15, row 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import pytest

from benchd.domain.job import Disposition, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode, SlotView
from benchd.domain.slot_states import SlotState
from benchd.pipelines.stages.initialise import InitialiseStage
from benchd.pipelines.stages.observe import ObserveStage
from benchd.pipelines.stages.read_back import ReadBackStage
from benchd.proof.floors import MOST_BOOTS_SINCE_RESET

from .world import ADB, FRESH, MIB, MTP_ONLY, Phone, World, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def end_of(phone: Phone, world: World | None = None) -> tuple[SlotView, World]:
    world = world or World()
    async with world.running():
        world.ports["A1"].plug(phone)
        return await world.until_state(SlotState.FINISHED), world


def initialise(world: World) -> Mapping[str, Any]:
    """How the stage ended, as the ledger tells it."""
    [record] = [
        stored.entry.data
        for stored in world.ledger.of(EntryKind.STAGE_ENDED)
        if stored.entry.data["stage"] == StageName.INITIALISE
    ]
    return record


async def test_what_shows_that_nobody_used_it_since_its_reset_is_not_reset_again() -> None:
    phone = Phone()
    view, world = await end_of(phone)
    assert view.disposition is Disposition.SELLABLE
    assert initialise(world)["because"] == "arrived_reset"
    assert phone.calls["enable_test_harness"] == 0


USED = {
    "photos without account or app": Phone(files=7),
    "one file": Phone(files=1),
    "calls": Phone(call_log=31),
    "contacts": Phone(contacts=112),
    "messages": Phone(messages=5),
    "started 214 times": Phone(boot_count=214),
    "started once too often": Phone(boot_count=MOST_BOOTS_SINCE_RESET + 1),
    "files that can't be read": Phone(files=None),
    "calls that can't be read": Phone(call_log=None),
    "contacts that can't be read": Phone(contacts=None),
    "messages that can't be read": Phone(messages=None),
    "starts that it doesn't count": Phone(boot_count=None),
}


@pytest.mark.parametrize("case", USED)
async def test_row_3_what_may_have_been_used_is_reset_before_anything_is_overwritten(
    case: str,
) -> None:
    phone = USED[case]
    view, world = await end_of(phone)
    assert (view.outcome, view.disposition) == (Outcome.PASSED, Disposition.SELLABLE)
    assert initialise(world)["because"] is None
    assert phone.calls["enable_test_harness"] == 1


@pytest.mark.parametrize("left", ["files", "call_log", "contacts", "messages"])
async def test_row_3_a_reset_that_leaves_an_owners_things_is_none(left: str) -> None:
    phone = Phone(wipe_forgets=(left,))
    setattr(phone, left, 7)
    view, world = await end_of(phone)
    assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.RESET_NOT_PROVEN)
    assert not world.issuer.kept


async def test_row_3_a_reset_that_was_never_made_is_none() -> None:
    view, world = await end_of(Phone(files=7, boot_count=214, reset_lies=True))
    assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.RESET_NOT_PROVEN)
    assert not world.issuer.kept


async def test_row_3_a_restart_of_two_seconds_is_no_final_reset_whatever_the_recipe_says() -> None:
    recipe = make_recipe(observe=ObserveStage(minimum_absence_s=0.5))
    view, world = await end_of(Phone(reset_absence_s=2.0), World(recipe=recipe))
    assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.PROOF_INCOMPLETE)
    assert not world.issuer.kept


ROW_4 = {
    "initialise": InitialiseStage(fresh_used_bytes=1 << 40, fresh_used_share=1.0),
    "read_back": ReadBackStage(minimum_coverage=0.5),
    "observe": ObserveStage(minimum_absence_s=0.001),
}


@pytest.mark.parametrize("stage", ROW_4)
async def test_row_4_no_recipe_can_ask_for_less_than_the_proof_does(stage: str) -> None:
    phone = Phone(used_bytes=14 * MIB, wipe_forgets=("used_bytes",), written_share=0.75)
    if stage != "initialise":
        phone.used_bytes = 2 * MIB
    phone.reset_absence_s = 2.0 if stage == "observe" else phone.reset_absence_s
    view, world = await end_of(phone, World(recipe=make_recipe(**{stage: ROW_4[stage]})))
    assert view.outcome is Outcome.FAILED
    assert not world.issuer.kept


MISSING = {"no adb": ProblemCode.ADB_DISABLED, "not authorised": ProblemCode.UNAUTHORIZED}


@pytest.mark.parametrize("case", MISSING)
async def test_after_a_guided_reset_the_wall_says_within_seconds_what_is_missing(case: str) -> None:
    recipe = make_recipe(initialise=InitialiseStage(fresh_used_bytes=FRESH, method="guided"))
    world = World(recipe=recipe)
    world.after_guided_reset = MTP_ONLY if case == "no adb" else ADB
    port = world.ports["A1"]
    async with world.running():
        port.plug(Phone(apps=5))
        await world.until(lambda: not port.attached)
        port.authorized = case == "no adb"
        await world.until(lambda: port.attached)
        came_back_s = anyio.current_time()
        view = await world.until_state(SlotState.WAITING)
        assert view.problem is not None
        assert view.problem.code is MISSING[case]
        assert anyio.current_time() - came_back_s < 10
        port.authorized = True
        if case == "no adb":
            port.unplug()
        assert port.phone is not None
        port.plug(port.phone)
        view = await world.until_state(SlotState.FINISHED)
        assert view.disposition is Disposition.SELLABLE
