"""What stages say of themselves: limits of parameters in their types, names, order and skips."""

from __future__ import annotations

from dataclasses import make_dataclass
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Interval, Le, MultipleOf

from benchd.domain.job import Gate, StageName
from benchd.pipelines.parameters import OneOf, Patience, Percent, Seconds, parameters_of
from benchd.pipelines.stages import STAGE_CLASSES
from benchd.proof.stage_order import REQUIRED_STAGES, SKIPPABLE
from benchd.proof.watch_list import WatchList

LIMITED = {
    "seconds": Seconds,
    "patience": Patience,
    "two ends, one by one": Annotated[int, Ge(1), Le(9)],
    "two ends and more": Annotated[int, Interval(ge=0, lt=64), MultipleOf(8)],
    "a closed list": Gate,
    "some of a closed list": tuple[Annotated[Gate, OneOf(("jpki",))], ...],
    "words": Literal["whole", "sampled"],
    "yes or no": bool,
    "a type of its own": WatchList | None,
    "several": tuple[Percent, ...],
}
UNLIMITED = {
    "a number": int,
    "a fraction": float,
    "text": str,
    "no lower end": Annotated[int, Le(9)],
    "no upper end": Annotated[float, Interval(gt=0)],
    "only steps": Annotated[int, MultipleOf(8)],
    "several": tuple[int, ...],
    "perhaps": int | None,
    "with a remark": Annotated[float, "seconds"],
    "anything": object,
    "a list": list[int],
}


def with_parameter(kind: object) -> type[object]:
    return make_dataclass("PaintStage", [("coats", kind)], frozen=True, kw_only=True)


@pytest.mark.parametrize("kind", LIMITED.values(), ids=LIMITED)
def test_a_parameter_with_limits_is_taken(kind: object) -> None:
    [parameter] = parameters_of(with_parameter(kind))
    assert (parameter.name, parameter.kind, parameter.required) == ("coats", kind, True)
    assert parameter.waits == (kind is Patience)


@pytest.mark.parametrize("kind", UNLIMITED.values(), ids=UNLIMITED)
def test_a_parameter_without_limits_is_refused(kind: object) -> None:
    with pytest.raises(TypeError, match=r"PaintStage\.coats has no limits"):
        parameters_of(with_parameter(kind))


def test_what_is_no_dataclass_has_no_parameters_that_could_be_told() -> None:
    with pytest.raises(TypeError, match="isn't a dataclass"):
        parameters_of(object)


def test_every_wait_of_a_stage_is_named_as_one_and_nothing_else_is() -> None:
    for stage in STAGE_CLASSES.values():
        for parameter in parameters_of(stage):
            named = parameter.name.endswith(("_within_s", "stall_s"))
            assert parameter.waits == named, parameter.name


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
