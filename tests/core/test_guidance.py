"""A question that sends somebody into a handset's settings names the way of this very handset."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchd.domain.ids import SlotName
from benchd.domain.job import Gate, StageName
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.models.model_entry import ModelEntry
from benchd.domain.slot import ProblemCode
from benchd.domain.slot_states import SlotState
from benchd.domain.topology import SlotPlace, Topology
from benchd.pipelines.stages.initialise import InitialiseStage
from benchd.texts.catalogue import Catalogue

from .catalogues import catalogue, maker, menu, model
from .world import ADB, FRESH, MTP_ONLY, Phone, World, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

TEXTS = Catalogue.load()
GUIDED = InitialiseStage(fresh_used_bytes=FRESH, method="guided")
USUAL = "リセット オプション"


async def asked(gate: Gate, models: ModelCatalogue | None) -> tuple[str, str]:
    """What somebody is told to do in Japanese and English, in a question of this gate."""
    recipe = make_recipe(initialise=GUIDED)
    world = World(recipe=recipe, models=models)
    world.silent_in = StageName.INITIALISE
    if gate is Gate.FINAL_RESET:
        world.silent_in = StageName.FINAL_RESET
    async with world.running():
        world.ports["A1"].plug(Phone(apps=5))
        await world.until(lambda: _asks(world, gate))
        question = world.view().question
    assert question is not None
    told = TEXTS.question(question).what_to_do
    return told.ja, told.en


def _asks(world: World, gate: Gate) -> bool:
    question = world.view().question
    return question is not None and question.gate is gate


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
        assert USUAL in japanese
        assert "Reset options" in english
        assert "?" not in japanese + english


async def what_is_missing(models: ModelCatalogue | None, *, after_reset: bool) -> tuple[str, str]:
    """What somebody is told to do in both languages where USB debugging is off."""
    world = World(recipe=make_recipe(initialise=GUIDED), models=models)
    world.after_guided_reset = MTP_ONLY
    async with world.running():
        world.ports["A1"].plug(Phone(apps=5), ADB if after_reset else MTP_ONLY)
        view = await world.until_state(SlotState.WAITING)
    assert view.problem is not None
    assert view.problem.code is ProblemCode.ADB_DISABLED
    told = TEXTS.problem(view.problem).what_to_do
    return told.ja, told.en


async def test_before_adb_debugging_is_switched_on_by_the_way_of_the_ports_maker() -> None:
    japanese, english = await what_is_missing(catalogue(), after_reset=False)
    assert japanese.startswith("plain デバッグ。")
    assert english.startswith("plain debug. ")


async def test_once_its_model_is_known_it_is_the_way_of_the_model() -> None:
    models = catalogue(model("SO-51C", menus="special"))
    japanese, _ = await what_is_missing(models, after_reset=True)
    assert japanese.startswith("special デバッグ。")


async def test_where_nobody_has_told_of_the_port_the_usual_words_are_said() -> None:
    japanese, english = await what_is_missing(None, after_reset=False)
    assert "ビルド番号を7回タップ" in japanese
    assert "Build number 7 times" in english


async def test_the_wall_says_what_a_model_is_sold_as_and_which_is_unknown() -> None:
    known = catalogue(model("SO-51C", name="Xperia 1 IV"))
    for models, name in ((known, "Xperia 1 IV"), (None, None)):
        view = await World(models=models).end_of()
        assert view.model_name == name


async def test_another_catalogue_counts_from_the_next_plug_on() -> None:
    world = World()
    async with world.running():
        known = replace(world.parts, models=catalogue(model("SO-51C", name="Xperia 1 IV")))
        place = SlotPlace(
            name=SlotName("A1"), port_path=world.ports["A1"].port_path, recipe="overwrite"
        )
        await world.supervisor.reload(Topology({place.name: place}), known)
        view = await world.ran()
    assert view.model_name == "Xperia 1 IV"
