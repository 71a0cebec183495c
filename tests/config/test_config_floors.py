"""What the proof takes and what check-config takes is one thing, told before any erasure."""

from __future__ import annotations

import math
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as some

from benchd.config import load_settings
from benchd.config.recipes import read_recipes
from benchd.daemon.config_check import check_config
from benchd.domain.errors import ConfigInvalid
from benchd.domain.job import Disposition, Gate, StageName
from benchd.domain.slot_states import SlotState
from benchd.pipelines.read_back_samples import SMALLEST_SAMPLED_BLOCKS
from benchd.pipelines.recipe import Recipe
from benchd.pipelines.stages.gates import ACCEPTABLE, ATTESTATIONS, GatesStage
from benchd.pipelines.stages.read_back import SEED_BYTES, ReadBackStage
from benchd.proof import floors
from benchd.proof.stage_order import REQUIRED_APPROVALS, REQUIRED_STAGES
from tests.core.world import Phone, World

CONFIGS = Path(__file__).parents[2] / "configs"
CERTIFYING = [*REQUIRED_STAGES, StageName.CERTIFY]


IN_RECIPES = {
    "LOWEST_MINIMUM_COVERAGE": (StageName.READ_BACK, "minimum_coverage", "at least"),
    "MINIMUM_HOST_SAMPLES": (StageName.READ_BACK, "host_samples", "at least"),
    "MOST_FRESH_USED_BYTES": (StageName.INITIALISE, "fresh_used_bytes", "at most"),
    "MOST_FRESH_USED_SHARE": (StageName.INITIALISE, "fresh_used_share", "at most"),
    "MINIMUM_ABSENCE_S": (StageName.OBSERVE, "minimum_absence_s", "at least"),
    "MOST_DAYS_OF_CONSENT": (StageName.GATES, "consent_within_days", "at most"),
    "MOST_DAYS_OF_JPKI": (StageName.GATES, "jpki_within_days", "at most"),
    "MOST_DAYS_OF_NETWORK": (StageName.GATES, "network_within_days", "at most"),
}
"""Which parameter a recipe can set too low, or too high."""
BY_THE_STAGES = {
    "MINIMUM_SUBSECTIONS",
    "PLACES_IN_SUBSECTION",
    "PLACES_FILL_SUBSECTION",
    "MINIMUM_SAMPLE",
    "MINIMUM_SEED_DIGITS",
    "LEAST_PASSES",
    "LEAST_DRAWN_STEPS",
    "LEAST_FREE_AFTER_FILL_BYTES",
    "LEAST_LOOKS_AWAY",
    "LEAST_STEPS_OFF",
    "MOST_DAYS_TO_RECHECK",
    "MOST_FREE_AFTER_FILL",
    "MOST_FREE_AFTER_FILL_BYTES",
    "MOST_S_FROM_LOOK_TO_CONFIRM",
    "MOST_S_SINCE_SHOWN_RESET",
    "MOST_TAKEN_BY_FILL",
    "STARTS_OF_A_SHOWN_RESET",
    "CAPACITY_TOLERANCE",
    "LEAST_FREED",
    "MOST_FREE_DRIFT",
    "LEAST_FREE_DRIFT_BYTES",
    "MOST_BOOTS_SINCE_RESET",
    "MOST_S_BEFORE_RESET",
    "MOST_S_BETWEEN_READINGS",
    "MOST_OVER_PICTURE_PERCENT",
    "LOWEST_SHARE_OF_NOMINAL",
    "HIGHEST_SHARE_OF_NOMINAL",
}
"""Which no recipe sets: the stage does as much by itself."""


def configured(tmp_path: Path, values: dict[str, float]) -> tuple[Path, list[str]]:
    """The shipped configuration with these values in its overwrite recipe, and its lines."""
    shutil.copytree(CONFIGS, tmp_path / "configs")
    file = tmp_path / "configs" / "recipes" / "overwrite.toml"
    text = file.read_text()
    for parameter, value in values.items():
        text, count = re.subn(rf"(?m)^{parameter} = .*", f"{parameter} = {value!r}", text)
        assert count == 1
    file.write_text(text)
    return tmp_path / "configs" / "benchd.toml", text.splitlines()


def test_no_floor_is_left_out_here() -> None:
    constants = {name for name in vars(floors) if name.isupper()}
    assert constants == IN_RECIPES.keys() | BY_THE_STAGES


@pytest.mark.parametrize("name", IN_RECIPES)
def test_a_recipe_just_beyond_a_floor_is_refused_at_its_place(tmp_path: Path, name: str) -> None:
    stage, parameter, allowed = IN_RECIPES[name]
    floor = getattr(floors, name)
    step = 0.5 if name.startswith("MOST_DAYS") else 1
    beyond = floor + (step if allowed == "at most" else -step)
    if not isinstance(floor, int):
        beyond = math.nextafter(floor, beyond)
    file, lines = configured(tmp_path, {parameter: beyond})
    [issue] = check_config(file)
    assert Path(issue.file).name == "overwrite.toml"
    assert (issue.line, issue.column) == (lines.index(f"{parameter} = {beyond!r}") + 1, 1)
    assert issue.key == f"stage[{stage}].{parameter}"
    assert issue.message == f"found {beyond}, allowed is {allowed} {floor:.12g}"


def test_row_4_a_recipe_that_asks_for_next_to_nothing_is_refused_with_four_lines(
    tmp_path: Path,
) -> None:
    file, _ = configured(
        tmp_path,
        {
            "fresh_used_bytes": 1 << 40,
            "fresh_used_share": 1.0,
            "minimum_coverage": 0.5,
            "minimum_absence_s": 0.001,
        },
    )
    with pytest.raises(ConfigInvalid) as refused:
        load_settings(file)
    assert len(str(refused.value).splitlines()) == 4


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_recipe_at_every_floor_is_taken_and_ends_in_a_certificate(tmp_path: Path) -> None:
    values: dict[str, float] = {
        key: getattr(floors, name) for name, (_, key, _) in IN_RECIPES.items()
    }
    file, _ = configured(tmp_path, values)
    assert check_config(file) == ()
    world = World(recipe=load_settings(file).recipes["overwrite"])
    async with world.running():
        world.ports["A1"].plug(Phone())
        view = await world.until_state(SlotState.FINISHED)
    assert (view.disposition, view.reason) == (Disposition.SELLABLE, None)


def test_what_no_recipe_sets_the_stages_do_by_themselves() -> None:
    assert SEED_BYTES * 2 >= floors.MINIMUM_SEED_DIGITS
    assert SMALLEST_SAMPLED_BLOCKS >= floors.MINIMUM_SUBSECTIONS


EXTRA = [StageName.ASSESS, StageName.LOOK, *REQUIRED_STAGES]


@some.composite
def orders(draw: some.DrawFn) -> list[StageName]:
    """The stages of an erasure, most often with one mistake in them."""
    names = list(CERTIFYING)
    place, other = draw(some.tuples(*[some.integers(0, len(names) - 1)] * 2))
    match draw(some.sampled_from(["as it is", "without", "swapped", "with"])):
        case "without":
            del names[place]
        case "swapped":
            names[place], names[other] = names[other], names[place]
        case "with":
            names.insert(place, draw(some.sampled_from(EXTRA)))
        case _:
            pass
    return names


def words(of: list[str]) -> some.SearchStrategy[list[str]]:
    """Now all of them, now some."""
    return some.one_of(some.just(of), some.lists(some.sampled_from(of), unique=True))


def refused_by_the_proof(recipe: Recipe) -> list[str]:
    """What of this recipe no record could make good in the eyes of the proof."""
    names = [spec.name for spec in recipe.stages]
    asked = {Gate.FINAL_RESET, Gate.OBSERVE, Gate.CONFIRM}
    refused: list[str] = []
    if [name for name in names if name in CERTIFYING] != CERTIFYING:
        refused.append("the order")
    for spec in recipe.stages:
        match spec.stage:
            case GatesStage(attest=attest, accept=accept):
                asked.update(attest)
                refused += accept
            case ReadBackStage(minimum_coverage=coverage, host_samples=samples):
                if coverage < floors.LOWEST_MINIMUM_COVERAGE:
                    refused.append("the coverage")
                if samples < floors.MINIMUM_HOST_SAMPLES:
                    refused.append("the samples")
            case _:
                pass
    return [*refused, *(gate for gate in REQUIRED_APPROVALS if gate not in asked)]


GOOD = {
    "names": CERTIFYING,
    "attest": list(ATTESTATIONS),
    "accept": [],
    "coverage": floors.LOWEST_MINIMUM_COVERAGE,
    "samples": floors.MINIMUM_HOST_SAMPLES,
}


@settings(max_examples=200, deadline=None)
@given(
    names=orders(),
    attest=words(list(ATTESTATIONS)),
    accept=some.one_of(some.just([]), words(list(ACCEPTABLE))),
    coverage=some.one_of(some.just(0.85), some.floats(0, 1)),
    samples=some.one_of(some.just(64), some.integers(0, 20)),
)
@example(**GOOD)
def test_what_the_rules_take_for_an_erasure_the_proof_takes_too(
    tmp_path_factory: pytest.TempPathFactory,
    names: list[StageName],
    attest: list[str],
    accept: list[str],
    coverage: float,
    samples: int,
) -> None:
    parameters = {
        StageName.GATES: f"attest = {[*map(str, attest)]}\naccept = {[*map(str, accept)]}",
        StageName.INITIALISE: "fresh_used_bytes = 1000",
        StageName.READ_BACK: f"minimum_coverage = {coverage!r}\nhost_samples = {samples}",
    }
    file = tmp_path_factory.getbasetemp() / "trial.toml"
    file.write_text(
        'name = "trial"\ndescription_ja = "試す"\ndescription_en = "Try"\n'
        + "".join(
            f'[[stage]]\nname = "{name}"\ndeadline_s = 90000\nattempts = 1\n'
            f"{parameters.get(name, '')}\n"
            for name in names
        )
    )
    for recipe in read_recipes({file: "trial.toml"}).recipes.values():
        if StageName.CERTIFY in names:
            event("taken")
            assert refused_by_the_proof(recipe) == []
