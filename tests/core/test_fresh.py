"""Fresh means shown: a handset that doesn't show that nobody used it is reset (issue 15, row 3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import anyio
import pytest

from benchd.domain.job import Decision, Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.people import Actor, ShownBy
from benchd.domain.slot import ProblemCode
from benchd.pipelines.stages.initialise import InitialiseStage
from benchd.pipelines.stages.observe import ObserveStage
from benchd.pipelines.stages.read_back import ReadBackStage
from benchd.proof.floors import MOST_BOOTS_SINCE_RESET
from benchd.slots.question_desk import Desk

from .lot_rack import Rack
from .world import ADB, FRESH, MIB, MTP_ONLY, Phone, World, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_what_shows_that_nobody_used_it_since_its_reset_is_not_reset_again() -> None:
    world, phone = World(), Phone()
    await world.sells(phone)
    [initialise] = world.attempts(StageName.INITIALISE)
    assert initialise["because"] == "arrived_reset"
    assert phone.calls["enable_test_harness"] == 0


USED = {
    "photos without account or app": Phone(files=7),
    "one file": Phone(files=1),
    "data and apps": Phone(used_bytes=30 * MIB, apps=12),
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
    "restarted since": Phone(boot_count=2),
    "restarted as often as a dealer does": Phone(boot_count=5),
    "used for a month without a restart": Phone(up_s=30 * 86_400),
    "a day and a second": Phone(up_s=86_401),
    "it doesn't say since when": Phone(up_s=None),
}


@pytest.mark.parametrize("case", USED)
async def test_row_3_what_may_have_been_used_is_reset_before_anything_is_overwritten(
    case: str,
) -> None:
    """Shown by the handset, and not by what is absent: an owner's quiet one is reset here."""
    world, phone = World(), USED[case]
    await world.sells(phone)
    [initialise] = world.attempts(StageName.INITIALISE)
    assert initialise["because"] is None
    assert phone.calls["enable_test_harness"] == 1


@pytest.mark.parametrize("left", ["files", "call_log", "contacts", "messages"])
async def test_row_3_a_reset_that_leaves_an_owners_things_is_none(left: str) -> None:
    phone = Phone(wipe_forgets=(left,))
    setattr(phone, left, 7)
    await World().refuses(phone, Reason.RESET_NOT_PROVEN)


async def test_row_3_a_reset_that_was_never_made_is_none() -> None:
    phone = Phone(files=7, boot_count=214, reset_lies=True)
    await World().refuses(phone, Reason.RESET_NOT_PROVEN)


async def test_row_3_a_restart_of_two_seconds_is_no_final_reset_whatever_the_recipe_says() -> None:
    recipe = make_recipe(observe=ObserveStage(minimum_absence_s=0.5))
    await World(recipe=recipe).refuses(Phone(reset_absence_s=2.0), Reason.PROOF_INCOMPLETE)


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
    world = World(recipe=make_recipe(**{stage: ROW_4[stage]}))
    assert (await world.end_of(phone)).outcome is Outcome.FAILED
    assert not world.certified()


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
        await world.until_problem(MISSING[case])
        assert anyio.current_time() - came_back_s < 10
        port.authorized = True
        if case == "no adb":
            port.unplug()
        assert port.phone is not None
        port.plug(port.phone)
        assert (await world.finished()).disposition is Disposition.SELLABLE


# What a careless or dishonest person may try


class NeverReset(Phone):
    """One that leaves its port and comes back without adb, with all that was on it."""

    def wipe(self) -> None:
        pass


async def test_careless_arrived_reset_by_switching_adb_off_for_21_s() -> None:
    """The quiet handset was never reset: not at arrival, and at the last reset by its cable."""
    world = World()
    decide = world.desk.decide

    async def yes(job: Any, gate: Gate, *, approved: bool, **given: Any) -> Decision:  # noqa: ANN401
        """The operators say that they see the welcome screen, whatever they see."""
        return await decide(job, gate, approved=approved or gate is Gate.OBSERVE, **given)

    world.desk.decide = yes  # type: ignore[method-assign]
    phone = NeverReset(boot_count=4, reset_absence_s=21.0, reset_lies=True)
    await world.refuses(phone, Reason.RESET_NOT_PROVEN)


def shows_badge_alone(desk: Desk) -> None:
    """From now on whoever answers has typed no PIN, except at the last gate."""
    decide = desk.decide

    async def by_badge(job: Any, gate: Gate, *, by: Actor, **given: Any) -> Decision:  # noqa: ANN401
        shown = by if gate is Gate.CONFIRM else replace(by, shown_by=ShownBy.BADGE)
        return await decide(job, gate, by=shown, **given)

    desk.decide = by_badge  # type: ignore[method-assign]


async def test_careless_a_badge_alone_behind_what_a_lots_papers_settled() -> None:
    """The fake authority lets a badge through, so that the proof has to see it by itself."""
    rack = Rack()
    await rack.lot()
    await rack.looked_up()
    shows_badge_alone(rack.world.desk)
    await rack.world.refuses(Phone(), Reason.PROOF_INCOMPLETE)
