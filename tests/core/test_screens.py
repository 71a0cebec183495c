"""What people are shown: pages that are opened for them, and the way of this very handset."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from benchd.devices.android.adb import AdbServerLost
from benchd.domain.errors import (
    AnswerNotRecognised,
    HandsetGone,
    HandsetStalled,
    TransientFault,
)
from benchd.domain.ids import SlotName
from benchd.domain.job import Gate, Outcome, Reason, StageName
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.models.model_entry import ModelEntry
from benchd.domain.screen import Page, ScreenOutcome
from benchd.domain.slot import ProblemCode
from benchd.domain.topology import SlotPlace, Topology
from benchd.pipelines.screen_requests import ASKED_WITHIN_S
from benchd.pipelines.stages.gates import GatesStage
from benchd.pipelines.stages.initialise import InitialiseStage
from benchd.texts.catalogue import Catalogue

from .catalogues import catalogue, maker, menu, model
from .world import ADB, FRESH, MIB, MTP_ONLY, Fault, Phone, World, failing, hang, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

FAULTS = (HandsetGone, AdbServerLost, TransientFault, HandsetStalled, AnswerNotRecognised, None)
"""What may happen to a request; None: it hangs."""
TEXTS = Catalogue.load()


def used(call: str = "", fault: type[Exception] | None = None) -> Phone:
    """A handset that has to be reset; this happens at each such call."""
    faults: dict[str, Fault] = failing(call, fault("?")) if fault else {call: hang}
    return Phone(used_bytes=30 * MIB, apps=3, faults=faults)


def opened(page: Page, outcome: ScreenOutcome) -> dict[str, object]:
    way, woken = ("a page", True) if outcome is not ScreenOutcome.UNANSWERED else (None, False)
    return {"page": page, "outcome": outcome, "way": way, "woken": woken}


def guided(models: ModelCatalogue | None = None) -> World:
    stage = InitialiseStage(fresh_used_bytes=FRESH, method="guided")
    return World(recipe=make_recipe(initialise=stage), models=models)


async def test_the_reset_page_is_open_before_anybody_is_asked_to_reset() -> None:
    world, phone = guided(), used()
    async with world.running():
        world.ports["A1"].plug(phone)
        await world.until_question(Gate.GUIDED_RESET)
        assert phone.pages == [Page.RESET]
        await world.until_question(Gate.FINAL_RESET)
        assert phone.pages == [Page.RESET, Page.RESET]
        assert (await world.finished()).outcome is Outcome.PASSED
    told = opened(Page.RESET, ScreenOutcome.DONE)
    assert world.evidence(StageName.INITIALISE)["pages"] == [told]
    assert world.evidence(StageName.FINAL_RESET)["page"] == told
    # The wizard is left out after test harness mode only.
    assert world.evidence(StageName.INITIALISE)["setup"] is None
    assert phone.calls["leave_setup_out"] == 0


async def test_where_adb_tells_no_imei_the_page_with_it_is_open() -> None:
    world, phone = World(), Phone(imei=None)
    await world.sells(phone)
    assert world.evidence(StageName.GATES)["page"] == opened(Page.ABOUT, ScreenOutcome.DONE)
    # After the last reset adb is off: the second time that it is asked for, nothing is opened.
    assert phone.pages == [Page.ABOUT, Page.RESET]


async def test_nothing_is_opened_where_nobody_has_to_look() -> None:
    world, phone = World(), Phone()
    await world.sells(phone)
    assert phone.pages == [Page.RESET]
    assert world.evidence(StageName.GATES)["page"] is None
    assert world.evidence(StageName.INITIALISE)["pages"] == []


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_page_that_fails_to_open_costs_seconds_and_no_job(
    fault: type[Exception] | None,
) -> None:
    world, phone = guided(), used("open_page", fault)
    await world.sells(phone)
    assert phone.pages == []
    told = opened(Page.RESET, ScreenOutcome.UNANSWERED)
    assert world.evidence(StageName.INITIALISE)["pages"] == [told]
    assert world.evidence(StageName.FINAL_RESET)["page"] == told


async def test_a_handset_that_hangs_holds_the_question_up_for_seconds_only() -> None:
    world, phone = guided(), used("open_page")
    async with world.running():
        world.ports["A1"].plug(phone)
        while phone.calls["open_page"] == 0:  # noqa: ASYNC110 - a counter tells nobody
            await anyio.sleep(0.1)
        begun = anyio.current_time()
        await world.until_question(Gate.GUIDED_RESET)
        assert anyio.current_time() - begun == pytest.approx(ASKED_WITHIN_S, abs=1)


@pytest.mark.parametrize("outcome", [ScreenOutcome.REFUSED, ScreenOutcome.NOT_NEEDED])
async def test_what_came_of_a_request_is_on_record(outcome: ScreenOutcome) -> None:
    world, phone = World(), used()
    phone.page_outcome = phone.setup_outcome = outcome
    await world.sells(phone)
    assert world.evidence(StageName.INITIALISE)["setup"] == outcome
    assert world.evidence(StageName.FINAL_RESET)["page"] == opened(Page.RESET, outcome)
    assert phone.calls["leave_setup_out"] == 1


async def test_a_handset_that_an_account_may_lock_keeps_its_wizard() -> None:
    """Leaving it out is how thieves get past the lock that an account has left."""
    recipe = make_recipe(gates=GatesStage(accept=(Reason.LOCKED,)))
    phone = Phone(used_bytes=30 * MIB, accounts=1)
    await World(recipe=recipe).end_of(phone)
    assert phone.calls["enable_test_harness"] == 1
    assert phone.calls["leave_setup_out"] == 0


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_wizard_that_fails_to_be_left_out_costs_no_job(
    fault: type[Exception] | None,
) -> None:
    world = World()
    await world.sells(used("leave_setup_out", fault))
    assert world.evidence(StageName.INITIALISE)["setup"] == ScreenOutcome.UNANSWERED


async def test_neither_proves_a_reset() -> None:
    phone = used()
    phone.reset_lies, phone.setup_outcome = True, ScreenOutcome.DONE
    await World().refuses(phone, Reason.RESET_NOT_PROVEN)
    assert phone.calls["leave_setup_out"] == 0
    idle, world = Phone(), World()
    world.does_final_reset = False
    await world.refuses(idle, Reason.FINAL_RESET_NOT_PROVEN)
    assert idle.pages == [Page.RESET]


# The words of the handset, in the question that sends somebody into its settings


async def asked(gate: Gate, models: ModelCatalogue | None) -> tuple[str, str]:
    """What somebody is told to do in Japanese and English, in a question of this gate."""
    world = guided(models)
    final = gate is Gate.FINAL_RESET
    world.silent_in = StageName.FINAL_RESET if final else StageName.INITIALISE
    async with world.running():
        world.ports["A1"].plug(Phone(apps=5))
        told = TEXTS.question(await world.until_question(gate)).what_to_do
    return told.ja, told.en


@pytest.mark.parametrize("gate", [Gate.GUIDED_RESET, Gate.FINAL_RESET])
@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (model("SO-51C", menus="special"), "special"),
        (model("SO-51C"), "plain"),
        (model("SO-52C", menus="special"), "plain"),
    ],
    ids=["of its model", "of its model as of its maker", "of its maker"],
)
async def test_a_reset_is_asked_for_in_the_words_of_the_handset(
    gate: Gate, entry: ModelEntry, said: str
) -> None:
    japanese, english = await asked(gate, catalogue(entry))
    assert japanese.startswith(f"{said} 初期化。")
    assert english.startswith(f"{said} reset. ")


@pytest.mark.parametrize("gate", [Gate.GUIDED_RESET, Gate.FINAL_RESET])
async def test_where_nobody_has_told_of_its_maker_the_usual_words_are_said(gate: Gate) -> None:
    sharp = ModelCatalogue.of_entries([maker("sharp", ("SHARP",), ("04dd",))], [menu("plain")])
    for models in (None, sharp):
        japanese, english = await asked(gate, models)
        assert "リセット オプション" in japanese
        assert "Reset options" in english
        assert "?" not in japanese + english


MISSING: dict[str, tuple[ModelCatalogue | None, bool, str, str]] = {
    "by the way of the port's maker": (catalogue(), False, "plain デバッグ。", "plain debug. "),
    "by the way of the model once it's known": (
        catalogue(model("SO-51C", menus="special")),
        True,
        "special デバッグ。",
        "special debug. ",
    ),
    "by the usual words": (None, False, "ビルド番号を7回タップ", "Build number 7 times"),
}


@pytest.mark.parametrize("case", MISSING)
async def test_debugging_is_switched_on(case: str) -> None:
    models, after_reset, japanese, english = MISSING[case]
    world = guided(models)
    world.after_guided_reset = MTP_ONLY
    async with world.running():
        world.ports["A1"].plug(Phone(apps=5), ADB if after_reset else MTP_ONLY)
        view = await world.until_problem(ProblemCode.ADB_DISABLED)
    assert view.problem is not None
    told = TEXTS.problem(view.problem).what_to_do
    if models is None:
        assert japanese in told.ja
        assert english in told.en
    else:
        assert told.ja.startswith(japanese)
        assert told.en.startswith(english)


async def test_the_wall_says_what_a_model_is_sold_as_and_which_is_unknown() -> None:
    """Another catalogue counts from the next plug on."""
    known = catalogue(model("SO-51C", name="Xperia 1 IV"))
    assert (await World(models=known).end_of()).model_name == "Xperia 1 IV"
    world = World()
    async with world.running():
        assert (await world.ran()).model_name is None
        path = world.ports["A1"].port_path
        place = SlotPlace(name=SlotName("A1"), port_path=path, recipe="overwrite")
        parts = replace(world.parts, models=known)
        await world.supervisor.reload(Topology({place.name: place}), parts)
        assert (await world.ran()).model_name == "Xperia 1 IV"
