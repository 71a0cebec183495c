"""Pages are opened and the wizard is left out for people's sake: on record, and never a proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import anyio
import pytest

from benchd.devices.android.adb import AdbServerLost
from benchd.domain.errors import (
    AnswerNotRecognised,
    HandsetGone,
    HandsetStalled,
    TransientFault,
)
from benchd.domain.job import Gate, Outcome, Reason
from benchd.domain.record import EntryKind
from benchd.domain.screen import Page, ScreenOutcome
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.pipelines.screen_requests import ASKED_WITHIN_S
from benchd.pipelines.stages.gates import GatesStage
from benchd.pipelines.stages.initialise import InitialiseStage

from .world import FRESH, MIB, Phone, World, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

FAULTS: Mapping[str, Callable[[], Exception]] = {
    "gone": lambda: HandsetGone("?"),
    "server": lambda: AdbServerLost("?"),
    "transient": lambda: TransientFault("?"),
    "stalled": lambda: HandsetStalled("?"),
    "not recognised": lambda: AnswerNotRecognised("?"),
}


def failing(phone: Phone, call: str, kind: str) -> Phone:
    """The same phone, to which this happens at each such call."""

    async def fault(_phone: Phone) -> None:
        if kind == "hangs":
            await anyio.sleep_forever()
        make = FAULTS[kind]
        raise make()

    phone.faults[call] = fault
    return phone


async def done(world: World, phone: Phone) -> SlotView:
    return await world.end_of(phone)


def evidence(world: World, stage: str) -> Mapping[str, object]:
    """What the last attempt of a stage has put on record."""
    [*_, last] = (
        stored.entry.data
        for stored in world.ledger.of(EntryKind.STAGE_ENDED)
        if stored.entry.data["stage"] == stage
    )
    found = last["evidence"]
    assert isinstance(found, Mapping)
    return found


def opened(page: Page, outcome: ScreenOutcome) -> dict[str, object]:
    done_by = ("a page", True) if outcome is not ScreenOutcome.UNANSWERED else (None, False)
    return {"page": page, "outcome": outcome, "way": done_by[0], "woken": done_by[1]}


def guided() -> World:
    stage = InitialiseStage(fresh_used_bytes=FRESH, method="guided")
    return World(recipe=make_recipe(initialise=stage))


def used() -> Phone:
    return Phone(used_bytes=30 * MIB, apps=3)


async def until_asked(world: World, gate: Gate) -> None:
    def asked() -> bool:
        question = world.view().question
        return question is not None and question.gate is gate

    await world.until(asked)


async def test_the_reset_page_is_open_before_anybody_is_asked_to_reset() -> None:
    world, phone = guided(), used()
    async with world.running():
        world.ports["A1"].plug(phone)
        await until_asked(world, Gate.GUIDED_RESET)
        assert phone.pages == [Page.RESET]
        await until_asked(world, Gate.FINAL_RESET)
        assert phone.pages == [Page.RESET, Page.RESET]
        view = await world.until_state(SlotState.FINISHED)
    assert view.outcome is Outcome.PASSED
    assert evidence(world, "initialise")["pages"] == [opened(Page.RESET, ScreenOutcome.DONE)]
    assert evidence(world, "final_reset")["page"] == opened(Page.RESET, ScreenOutcome.DONE)


async def test_where_adb_tells_no_imei_the_page_with_it_is_open() -> None:
    world, phone = World(), Phone(imei=None)
    view = await done(world, phone)
    assert view.outcome is Outcome.PASSED
    assert evidence(world, "gates")["page"] == opened(Page.ABOUT, ScreenOutcome.DONE)
    # After the last reset adb is off: the second time that it is asked for, nothing is opened.
    assert phone.pages == [Page.ABOUT, Page.RESET]


async def test_nothing_is_opened_where_nobody_has_to_look() -> None:
    world, phone = World(), Phone()
    await done(world, phone)
    assert phone.pages == [Page.RESET]
    assert evidence(world, "gates")["page"] is None
    assert evidence(world, "initialise")["pages"] == []


@pytest.mark.parametrize("kind", [*FAULTS, "hangs"])
async def test_a_page_that_fails_to_open_costs_seconds_and_no_job(kind: str) -> None:
    world, phone = guided(), failing(used(), "open_page", kind)
    view = await done(world, phone)
    assert (view.outcome, view.reason) == (Outcome.PASSED, None)
    assert phone.pages == []
    assert evidence(world, "initialise")["pages"] == [opened(Page.RESET, ScreenOutcome.UNANSWERED)]
    assert evidence(world, "final_reset")["page"] == opened(Page.RESET, ScreenOutcome.UNANSWERED)


async def test_a_handset_that_hangs_holds_the_question_up_for_seconds_only() -> None:
    world, phone = guided(), failing(used(), "open_page", "hangs")
    async with world.running():
        world.ports["A1"].plug(phone)
        while phone.calls["open_page"] == 0:  # noqa: ASYNC110 - a counter tells nobody
            await anyio.sleep(0.1)
        begun = anyio.current_time()
        await until_asked(world, Gate.GUIDED_RESET)
        assert anyio.current_time() - begun == pytest.approx(ASKED_WITHIN_S, abs=1)


async def test_a_refusal_is_on_record() -> None:
    phone = used()
    phone.page_outcome, phone.setup_outcome = ScreenOutcome.REFUSED, ScreenOutcome.REFUSED
    world = World()
    view = await done(world, phone)
    assert view.outcome is Outcome.PASSED
    assert evidence(world, "initialise")["setup"] == ScreenOutcome.REFUSED
    assert evidence(world, "final_reset")["page"] == opened(Page.RESET, ScreenOutcome.REFUSED)


async def test_the_wizard_is_left_out_after_test_harness_mode_only() -> None:
    by_itself, by_hand = World(), guided()
    first, second = used(), used()
    await done(by_itself, first)
    assert evidence(by_itself, "initialise")["setup"] == ScreenOutcome.NOT_NEEDED
    await done(by_hand, second)
    assert evidence(by_hand, "initialise")["setup"] is None
    assert (first.calls["leave_setup_out"], second.calls["leave_setup_out"]) == (1, 0)


async def test_a_handset_that_an_account_may_lock_keeps_its_wizard() -> None:
    """Leaving it out is how thieves get past the lock that an account has left."""
    recipe = make_recipe(gates=GatesStage(accept=(Reason.LOCKED,)))
    world, phone = World(recipe=recipe), Phone(used_bytes=30 * MIB, accounts=1)
    await done(world, phone)
    assert phone.calls["enable_test_harness"] == 1
    assert phone.calls["leave_setup_out"] == 0


@pytest.mark.parametrize("kind", [*FAULTS, "hangs"])
async def test_a_wizard_that_fails_to_be_left_out_costs_no_job(kind: str) -> None:
    world = World()
    view = await done(world, failing(used(), "leave_setup_out", kind))
    assert (view.outcome, view.reason) == (Outcome.PASSED, None)
    assert evidence(world, "initialise")["setup"] == ScreenOutcome.UNANSWERED


async def test_neither_proves_a_reset() -> None:
    phone = used()
    phone.reset_lies, phone.setup_outcome = True, ScreenOutcome.DONE
    view = await done(World(), phone)
    assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.RESET_NOT_PROVEN)
    assert phone.calls["leave_setup_out"] == 0

    idle, world = Phone(), World()
    world.does_final_reset = False
    view = await done(world, idle)
    assert idle.pages == [Page.RESET]
    assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.FINAL_RESET_NOT_PROVEN)
