"""The stages that recipes are made of, as tables of TOML: what a stage declares, read strictly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Final, cast, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    create_model,
)

from benchd.config.mistake_wording import found, listed, refused, suggestion
from benchd.config.watch_lists import watch_list
from benchd.domain.job import StageName
from benchd.pipelines.parameters import OneOf, Seconds, parameters_of
from benchd.pipelines.recipe import StageSpec
from benchd.pipelines.stage_contract import Stage
from benchd.pipelines.stages import STAGE_CLASSES
from benchd.proof.erasure import ANDROID_PROFILE, DeviceProfile
from benchd.proof.watch_list import WatchList

# pydantic would turn "5" and true into numbers; enums and tuples have to be turned into.
_STRICTLY: Final[Mapping[object, tuple[object, ...]]] = {
    int: (Strict(),),
    float: (Strict(), Field(allow_inf_nan=False)),
    bool: (Strict(),),
    WatchList | None: (BeforeValidator(watch_list),),
}
"""How a type is read that TOML has another one for, or that pydantic would read too kindly."""


def _chosen_of(words: tuple[str, ...]) -> Callable[[object], object]:
    def chosen(value: object) -> object:
        if value not in words:
            raise refused(
                f"found {found(value)}, allowed is one of {listed(words)}{suggestion(value, words)}"
            )
        return value

    return chosen


class StageTable(BaseModel):
    """What every stage of a recipe has; a stage of its own kind has its parameters too."""

    model_config = ConfigDict(extra="ignore", frozen=True, validate_default=True)

    name: Annotated[str, BeforeValidator(_chosen_of(tuple(STAGE_CLASSES)))]
    deadline_s: Annotated[Seconds, Strict(), Field(allow_inf_nan=False)]
    attempts: Annotated[int, Strict(), Field(ge=1, le=10)]


class _KnownStageTable(StageTable):
    model_config = ConfigDict(extra="forbid")

    name: str


def table_of(stage: type[Stage]) -> type[StageTable]:
    """The table in which a recipe sets up this stage; TypeError for a number without limits."""
    definitions: dict[str, Any] = {
        parameter.name: (_read(parameter.kind), ... if parameter.required else parameter.default)
        for parameter in parameters_of(stage)
    }
    name = f"{stage.describes.name}_table"
    return create_model(name, __base__=_KnownStageTable, **definitions)


def _read(kind: object) -> object:
    """The same type with the same limits, for pydantic."""
    parts = get_args(kind)
    if get_origin(kind) is Annotated:
        return _annotated(_read(parts[0]), *(_as_pydantic_has_it(mark) for mark in parts[1:]))
    if get_origin(kind) is tuple:
        return cast("Any", tuple)[tuple(_read(part) for part in parts)]
    return _annotated(kind, *_STRICTLY.get(kind, ()))


def _annotated(kind: object, *marks: object) -> object:
    return cast("Any", Annotated)[kind, *marks] if marks else kind


def _as_pydantic_has_it(mark: object) -> object:
    return BeforeValidator(_chosen_of(mark.words)) if isinstance(mark, OneOf) else mark


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeKind:
    """What the recipes for one kind of device are made of, and held to."""

    profile: DeviceProfile
    stages: Mapping[StageName, type[Stage]]
    tables: Mapping[StageName, type[StageTable]]
    """In which a recipe sets up each of them."""
    unknown: type[StageTable]
    """That of a stage which it hasn't."""

    @classmethod
    def of(cls, profile: DeviceProfile, stages: Mapping[StageName, type[Stage]]) -> RecipeKind:
        """By its profile and stages; TypeError for a number without limits."""
        named = Annotated[str, BeforeValidator(_chosen_of(tuple(stages)))]
        return cls(
            profile=profile,
            stages=stages,
            tables=MappingProxyType({name: table_of(stage) for name, stage in stages.items()}),
            unknown=create_model("unknown_table", __base__=StageTable, name=(named, ...)),
        )

    def spec(self, table: StageTable) -> StageSpec:
        """The step that one of its tables describes."""
        common = StageTable.model_fields.keys()
        parameters = {
            name: getattr(table, name) for name in type(table).model_fields if name not in common
        }
        return StageSpec(
            stage=self.stages[StageName(table.name)](**parameters),
            deadline_s=table.deadline_s,
            attempts=table.attempts,
        )


HANDSETS: Final = RecipeKind.of(ANDROID_PROFILE, STAGE_CLASSES)
STAGE_TABLES: Final = HANDSETS.tables
