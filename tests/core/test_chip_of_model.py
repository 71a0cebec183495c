"""What the catalogue of models says of a silent chip: it can hold a handset, never let one pass."""

from __future__ import annotations

import random
from itertools import product

import pytest

from benchd.domain.job import Disposition, Gate, Reason
from benchd.domain.models.model_catalogue import ModelCatalogue

from .catalogues import catalogue, model
from .fake_chips import CHECK, IN_USE, OTHER_CHIP, SILENT, UNUSED, FakeChip, scan_of, world_with
from .world import Phone

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

CODE = Phone().identity().model
DIGEST = "7" * 64
SAYS = {True: "has", False: "has_none", None: "unknown"}


def knowing(felica: bool | None) -> ModelCatalogue:
    return catalogue(model(CODE, felica=felica), sha256=DIGEST)


async def test_a_model_that_has_a_chip_is_never_taken_for_one_without() -> None:
    world, _ = world_with(
        FakeChip(looks=SILENT), {Gate.FELICA_RETIRED: False}, models=knowing(True)
    )
    view = await world.end_of(Phone(felica_capable=False))
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.FELICA_SILENT)
    assert Gate.FELICA_NO_CHIP not in world.asked()
    assert not world.certified()
    [check] = world.attempts(CHECK)
    assert "the catalogue of models says that it has a FeliCa chip" in check["detail"]
    assert check["evidence"]["verdict"] == "silent"
    assert check["evidence"]["felica_capable"] is False
    assert check["evidence"]["catalogue"] == {"felica": "has", "sha256": DIGEST}
    [question] = world.questions(Gate.FELICA_RETIRED)
    assert question["facts"]["model_felica"] == "has"


async def test_a_chip_that_was_retired_is_told_from_none_by_its_model() -> None:
    world, _ = world_with(FakeChip(looks=SILENT), {Gate.FELICA_RETIRED: True}, models=knowing(True))
    view = await world.end_of(Phone(felica_capable=False))
    assert (view.disposition, view.reason) == (Disposition.DESTROY, Reason.FELICA_RETIRED)


@pytest.mark.parametrize("felica", [False, None])
async def test_an_entry_that_fits_supports_what_three_others_say(felica: bool | None) -> None:
    world, _ = world_with(FakeChip(looks=SILENT), models=knowing(felica))
    await world.sells(Phone(felica_capable=False))
    [check] = world.attempts(CHECK)
    assert check["evidence"]["felica_capable"] is False
    assert check["evidence"]["catalogue"] == {"felica": SAYS[felica], "sha256": DIGEST}
    [question] = world.questions(Gate.FELICA_NO_CHIP)
    assert question["facts"]["model_felica"] == SAYS[felica]


async def test_a_model_that_nobody_has_told_of_says_nothing() -> None:
    models = catalogue(model("SO-01X", felica=True), sha256=DIGEST)
    world, _ = world_with(FakeChip(looks=SILENT), models=models)
    await world.sells(Phone(felica_capable=False))
    [check] = world.attempts(CHECK)
    assert check["evidence"]["catalogue"] == {"felica": "unknown", "sha256": DIGEST}


@pytest.mark.parametrize("capable", [True, None])
async def test_an_entry_without_a_chip_proves_nothing_by_itself(capable: bool | None) -> None:
    world, _ = world_with(
        FakeChip(looks=SILENT), {Gate.FELICA_RETIRED: False}, models=knowing(False)
    )
    view = await world.end_of(Phone(felica_capable=capable))
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.FELICA_SILENT)
    assert Gate.FELICA_NO_CHIP not in world.asked()
    assert not world.certified()


async def test_an_entry_without_a_chip_needs_the_persons_word_as_well() -> None:
    world, _ = world_with(
        FakeChip(looks=SILENT), {Gate.FELICA_NO_CHIP: False}, models=knowing(False)
    )
    view = await world.end_of(Phone(felica_capable=False))
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.FELICA_SILENT)
    assert not world.certified()


@pytest.mark.parametrize("felica", [True, False, None])
@pytest.mark.parametrize("capable", [True, False, None])
async def test_no_entry_makes_a_chip_in_use_that_answers_an_empty_one(
    felica: bool | None, capable: bool | None
) -> None:
    chip = FakeChip(looks=IN_USE, after_clear=None)
    world, _ = world_with(chip, models=knowing(felica))
    view = await world.end_of(Phone(felica_capable=capable))
    assert view.disposition is not Disposition.SELLABLE
    assert not world.certified()


async def test_no_catalogue_sells_what_none_at_all_would_have_held() -> None:
    """Each silence of a chip in use, each word of handset and people, each entry: drawn looks."""
    rng = random.Random(16)
    looks = (SILENT, SILENT, IN_USE, UNUSED, scan_of(IN_USE.verdict, chip=OTHER_CHIP))
    sold = 0
    for capable, no_chip in product([True, False, None], [True, False]):
        for _ in range(4):
            first, last = rng.choice(looks), rng.choice(looks)
            answers = {Gate.FELICA_NO_CHIP: no_chip, Gate.FELICA_RETIRED: False}
            catalogues = {"nothing": None} | {SAYS[felica]: knowing(felica) for felica in SAYS}
            ends: dict[str, bool] = {}
            for said, models in catalogues.items():
                chip = FakeChip(once=[first], looks=last, after_clear=None)
                world, _ = world_with(chip, answers, models=models)
                await world.end_of(Phone(felica_capable=capable))
                ends[said] = world.certified()
            assert all(ends["nothing"] or not passed for passed in ends.values())
            if first.verdict is SILENT.verdict:
                assert not ends["has"]
                assert not any(ends.values()) or capable is False
            sold += ends["nothing"]
    assert sold
