"""What a clear makes of a virtual chip, and what is said of it."""

from pathlib import Path

import pytest

from benchd.domain.clear import ClearOutcome
from benchd.lab.simulator.chips.chip import VirtualChip
from benchd.lab.simulator.chips.chip_plan import ChipPlan, ClearStory
from benchd.lab.simulator.chips.clearing import clear
from benchd.lab.simulator.clear_provider import simulated


def in_use(story: ClearStory) -> VirtualChip:
    return VirtualChip(ChipPlan(profile="in_use", clear=story), "one")


def test_a_clear_leaves_root_areas_and_the_same_idm() -> None:
    chip = in_use(ClearStory.WORKS)
    before = chip.primary_idm
    assert clear(chip).outcome is ClearOutcome.DONE
    assert (chip.profile, chip.node_count, chip.primary_idm) == ("cleared", 14, before)
    assert clear(chip).outcome is ClearOutcome.ALREADY_INITIAL


@pytest.mark.parametrize(
    ("story", "outcome"),
    [
        (ClearStory.LIES, ClearOutcome.DONE),
        (ClearStory.UNSUPPORTED, ClearOutcome.UNSUPPORTED),
        (ClearStory.NEEDS_OPERATOR, ClearOutcome.NEEDS_OPERATOR),
        (ClearStory.FATAL, ClearOutcome.FATAL),
    ],
)
def test_what_is_only_said_changes_nothing(story: ClearStory, outcome: ClearOutcome) -> None:
    chip = in_use(story)
    for _ in range(2):
        assert clear(chip).outcome is outcome
        assert (chip.profile, chip.node_count) == ("in_use", 213)


def test_a_swap_leaves_another_idm() -> None:
    chip = in_use(ClearStory.SWAPS)
    before = chip.primary_idm
    assert clear(chip).outcome is ClearOutcome.DONE
    assert chip.profile == "cleared"
    assert chip.primary_idm != before


@pytest.mark.parametrize("story", [ClearStory.RETRY_ONCE, ClearStory.HALFWAY])
def test_the_second_try_may_do(story: ClearStory) -> None:
    chip = in_use(story)
    assert clear(chip).outcome is ClearOutcome.RETRYABLE
    assert chip.node_count > 100
    assert chip.profile == "in_use"
    assert (chip.node_count == 213) == (story is ClearStory.RETRY_ONCE)
    assert clear(chip).outcome is ClearOutcome.DONE
    assert chip.node_count == 14


def test_a_silent_chip_is_not_cleared() -> None:
    chip = VirtualChip(ChipPlan(profile="in_use", silent=True), "one")
    assert clear(chip).outcome is ClearOutcome.RETRYABLE
    assert chip.profile == "in_use"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"control": "control.sock"},
        {"control": "control.sock", "slots": {"A1": "1"}},
        {"control": "control.sock", "slots": {"A1": 0}},
        {"control": "control.sock", "slots": {"A 1": 1}},
        {"control": 1, "slots": {"A1": 1}},
        {"control": "control.sock", "slots": {"A1": 1}, "more": True},
    ],
)
def test_the_providers_options_are_checked(options: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allowed are control"):
        simulated("any", options, tmp_path)
