"""A handset that erases its own chip: a person's word of it is a claim, and the reader decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchd.domain.errors import AnsweredAlready, NotFound
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.record import EntryKind
from benchd.pipelines.stages.felica_erase import FelicaEraseStage

from .catalogues import catalogue, model, own_erase
from .fake_chips import (
    CHECK,
    CLEAR,
    IN_USE,
    OTHER_CHIP,
    SILENT,
    UNUSED,
    FakeChip,
    FakeChipAccess,
    scan_of,
    world_with,
)
from .world import Phone, World, before_first_reset, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

ERASE = StageName.FELICA_ERASE
RECIPE = before_first_reset(make_recipe(), FelicaEraseStage())
ERASES_ITSELF = catalogue(model("SO-51C", felica=True, felica_erase=own_erase(first_android=13)))


def rack(
    chip: FakeChip, models: ModelCatalogue = ERASES_ITSELF, answers: dict[Gate, bool] | None = None
) -> tuple[World, FakeChipAccess]:
    return world_with(chip, answers, models=models, recipe=RECIPE)


async def answered(
    world: World, do: Callable[[], object] = lambda: None, *, approved: bool = True
) -> None:
    """Somebody does something with the handset, then answers."""
    await world.until_question(Gate.FELICA_ERASE)
    do()
    await world.decide(Gate.FELICA_ERASE, approved=approved)


async def test_a_handset_that_has_erased_its_chip_is_cleared_by_no_provider() -> None:
    chip = FakeChip(looks=IN_USE)
    world, chips = rack(chip)
    world.silent_in = ERASE
    async with world.running():
        world.ports["A1"].plug(Phone())
        await answered(world, lambda: setattr(chip, "looks", UNUSED))
        world.back_at_work()
        assert (await world.finished()).outcome is Outcome.PASSED
    assert chips.orders == []
    [told] = world.attempts(ERASE)
    assert (told["evidence"]["claim"], told["evidence"]["seen"]) == ("done", "unused")
    assert told["evidence"]["answers"][0]["operator"] == "Sato"
    [clear] = world.attempts(CLEAR)
    assert (clear["evidence"]["provider"], clear["evidence"]["claim"]) == ("handset", "done")
    [question] = world.questions(Gate.FELICA_ERASE)
    assert question["facts"]["felica_erase_ja"] == "設定 → FeliCa → 消去"
    assert question["facts"]["erase_step"] == "first"


async def test_the_readers_field_is_off_while_a_person_has_it_erase_its_chip() -> None:
    chip = FakeChip(looks=IN_USE)
    world, chips = rack(chip)
    world.silent_in = ERASE
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_question(Gate.FELICA_ERASE)
        assert chips.fields_off == ["A1"]
        assert world.ledger.of(EntryKind.DECISION)[-1].entry.data["gate"] == Gate.CONSENT


async def test_a_field_that_stays_on_is_no_time_to_ask() -> None:
    world, chips = rack(FakeChip(looks=IN_USE))
    chips.field_stays_on = True
    await world.refuses(Phone(), Reason.ATTEMPTS_EXHAUSTED)
    assert Gate.FELICA_ERASE not in world.asked()


async def test_a_chip_that_is_still_in_use_is_asked_for_once_more_and_then_held() -> None:
    world, chips = rack(FakeChip(looks=IN_USE))
    view = await world.refuses(Phone(), Reason.FELICA_NOT_ERASED)
    assert view.disposition is Disposition.HOLD
    assert view.owners is not None
    assert view.owners.en == "Suica"
    steps = [asked["facts"]["erase_step"] for asked in world.questions(Gate.FELICA_ERASE)]
    assert steps == ["first", "still_in_use"]
    evidence = world.evidence(ERASE)
    assert (evidence["claim"], evidence["seen"], len(evidence["answers"])) == ("done", "in_use", 2)
    assert chips.orders == []
    assert not world.attempts(StageName.INITIALISE)


async def test_a_second_try_may_work() -> None:
    world, _ = rack(FakeChip(once=[IN_USE, IN_USE]))
    await world.sells()
    assert world.asked().count(Gate.FELICA_ERASE) == 2


async def test_a_handset_that_refuses_is_cleared_by_the_provider_of_its_rule() -> None:
    world, chips = rack(FakeChip(looks=IN_USE), answers={Gate.FELICA_ERASE: False})
    await world.sells()
    assert world.evidence(ERASE)["claim"] == "unsupported"
    assert len(chips.orders) == 1
    assert world.evidence(CLEAR)["provider"] == "fake"


async def test_a_second_no_leaves_a_chip_in_use_to_the_provider() -> None:
    world, chips = rack(FakeChip(looks=IN_USE))
    world.silent_in = ERASE
    async with world.running():
        world.ports["A1"].plug(Phone())
        await answered(world)
        await world.until_asked(Gate.FELICA_ERASE, 2)
        await answered(world, approved=False)
        world.back_at_work()
        assert (await world.finished()).outcome is Outcome.PASSED
    assert len(chips.orders) == 1


async def test_a_claim_that_the_reader_belies_later_is_cleared_by_the_provider() -> None:
    """It answered nothing right after the erase, and is in use when its clear comes."""
    world, chips = rack(FakeChip(once=[IN_USE, SILENT, IN_USE], looks=IN_USE))
    await world.sells()
    assert world.evidence(ERASE)["seen"] == "silent"
    assert len(chips.orders) == 1


async def test_a_claim_that_nothing_belies_is_still_decided_by_the_recheck() -> None:
    world, chips = rack(FakeChip(once=[IN_USE, UNUSED, UNUSED], looks=IN_USE))
    await world.refuses(Phone(), Reason.FELICA_RESIDUE)
    assert chips.orders == []


async def test_another_chip_after_it_is_nobodys_erase() -> None:
    other = scan_of(UNUSED.verdict, chip=OTHER_CHIP)
    world, _ = rack(FakeChip(once=[IN_USE, other], looks=IN_USE))
    await world.refuses(Phone(), Reason.FELICA_INCONSISTENT)
    assert world.evidence(ERASE)["chip"] == OTHER_CHIP


@pytest.mark.parametrize(
    "models",
    [
        catalogue(model("SO-51C", felica=True)),
        catalogue(model("SO-52C", felica=True, felica_erase=own_erase())),
        catalogue(model("SO-51C", felica=True, felica_erase=own_erase(first_android=14))),
    ],
    ids=["no source", "another model", "an older Android"],
)
async def test_nobody_is_asked_of_a_model_that_no_source_tells_of(models: ModelCatalogue) -> None:
    world, chips = rack(FakeChip(looks=IN_USE), models)
    await world.sells()
    [told] = world.attempts(ERASE)
    assert (told["outcome"], told["because"]) == (Outcome.SKIPPED, "no_own_erase")
    assert Gate.FELICA_ERASE not in world.asked()
    assert len(chips.orders) == 1


async def test_nobody_is_asked_for_a_chip_that_is_unused() -> None:
    world, _ = rack(FakeChip(looks=UNUSED))
    await world.sells()
    [told] = world.attempts(ERASE)
    assert (told["outcome"], told["because"]) == (Outcome.SKIPPED, "chip_unused")


async def test_an_account_that_it_took_has_to_be_gone_before_the_reset() -> None:
    chip, phone = FakeChip(looks=IN_USE), Phone()
    world, _ = rack(chip)
    world.silent_in = ERASE

    def erased() -> None:
        chip.looks = UNUSED
        phone.accounts = 1

    async with world.running():
        world.ports["A1"].plug(phone)
        await answered(world, erased)
        await world.until_asked(Gate.FELICA_ERASE, 2)
        await answered(world, lambda: setattr(phone, "accounts", 0))
        world.back_at_work()
        assert (await world.finished()).outcome is Outcome.PASSED
    steps = [asked["facts"]["erase_step"] for asked in world.questions(Gate.FELICA_ERASE)]
    assert steps == ["first", "signed_in"]


async def test_nobody_resets_a_handset_whose_account_was_left_with_a_no() -> None:
    phone = Phone()
    world, _ = rack(FakeChip(looks=IN_USE))
    world.silent_in = ERASE
    async with world.running():
        world.ports["A1"].plug(phone)
        await answered(world, lambda: setattr(phone, "accounts", 1), approved=False)
        view = await world.finished()
    world.must_not_pass(view, Reason.LOCKED)
    assert not world.attempts(StageName.INITIALISE)


async def test_a_handset_that_came_in_reset_is_reset_once_more_after_it() -> None:
    """Somebody has set it up and signed in for its erase: it isn't fresh any more."""
    chip, phone = FakeChip(looks=IN_USE), Phone()
    world, _ = rack(chip)
    world.silent_in = ERASE

    def erased() -> None:
        chip.looks = UNUSED
        phone.files = 3

    async with world.running():
        world.ports["A1"].plug(phone)
        await answered(world, erased)
        world.back_at_work()
        assert (await world.finished()).outcome is Outcome.PASSED
    [reset] = world.attempts(StageName.INITIALISE)
    assert reset["outcome"] == Outcome.PASSED


async def test_one_answer_given_twice_is_one_answer() -> None:
    """The second comes too late, or finds the question anew, which isn't the one that was seen."""
    world, _ = rack(FakeChip(looks=IN_USE))
    world.silent_in = ERASE
    async with world.running():
        world.ports["A1"].plug(Phone())
        seen = await world.until_question(Gate.FELICA_ERASE)
        await world.decide(Gate.FELICA_ERASE, asking=seen.asking)
        with pytest.raises(AnsweredAlready):
            await world.decide(Gate.FELICA_ERASE, asking=seen.asking)
        await world.until_asked(Gate.FELICA_ERASE, 2)
        with pytest.raises(NotFound):
            await world.decide(Gate.FELICA_ERASE, asking=seen.asking)
        assert len(decisions(world)) == 1


def decisions(world: World) -> list[Any]:
    told = [stored.entry.data for stored in world.ledger.of(EntryKind.DECISION)]
    return [data for data in told if data["gate"] == Gate.FELICA_ERASE]


async def test_a_slot_without_a_reader_has_a_person_look_again() -> None:
    world = World(models=ERASES_ITSELF, recipe=RECIPE, answers={Gate.FELICA_CHECK: False})
    await world.sells()
    assert world.evidence(ERASE)["seen"] is None
    assert world.evidence(CLEAR)["provider"] == "handset"
    assert Gate.FELICA_CLEAR not in world.asked()
    assert world.asked().count(Gate.FELICA_RECHECK) == 1
    assert world.evidence(CHECK)["verdict"] == "in_use"
