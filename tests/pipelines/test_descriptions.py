"""What the stages say of themselves, against what the proof of an erasure insists on."""

from __future__ import annotations

import pytest

from benchd.domain.job import StageName
from benchd.pipelines.stages import STAGE_CLASSES
from benchd.proof.order import REQUIRED_STAGES, SKIPPABLE


def test_each_name_is_described_once_in_the_file_of_its_name() -> None:
    for name, stage in STAGE_CLASSES.items():
        assert stage.describes.name is name
        assert stage.__module__ == f"benchd.pipelines.stages.{name}"
    assert len(set(STAGE_CLASSES.values())) == len(STAGE_CLASSES)


def test_the_names_of_an_erasure_come_first_and_in_its_order() -> None:
    assert list(STAGE_CLASSES)[: len(REQUIRED_STAGES) + 1] == [*REQUIRED_STAGES, StageName.CERTIFY]


@pytest.mark.parametrize("name", REQUIRED_STAGES)
def test_the_order_of_an_erasure_gives_each_stage_what_it_needs(name: StageName) -> None:
    before = REQUIRED_STAGES[: REQUIRED_STAGES.index(name)]
    assert set(STAGE_CLASSES[name].describes.after) <= set(before)


def test_a_stage_is_skipped_for_what_the_proof_takes_and_nothing_else() -> None:
    skipped = {name: stage.describes.skipped_for for name, stage in STAGE_CLASSES.items()}
    assert {name: reasons for name, reasons in skipped.items() if reasons} == SKIPPABLE
