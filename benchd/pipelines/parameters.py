"""What a recipe may set of a stage: each parameter is a field whose type carries its limits.

A number has to have both ends. One without is refused where a stage's parameters are read,
which is before any recipe is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from inspect import isclass
from types import NoneType, UnionType
from typing import Annotated, Final, Literal, get_args, get_origin, get_type_hints

from annotated_types import Ge, GroupedMetadata, Gt, Interval, Le, Lt

LONGEST_S: Final = 30 * 24 * 3600
"""A month; what is longer was most likely meant as milliseconds."""
LARGEST_BYTES: Final = 1 << 40
"""The fill program takes no larger file, and no handset has more storage."""


@dataclass(frozen=True, slots=True)
class Waits:
    """The stage may wait for so long: together its waits have to be shorter than its deadline."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """Only these words of a longer list."""

    words: tuple[str, ...]


Seconds = Annotated[float, Interval(gt=0, le=LONGEST_S)]
Patience = Annotated[Seconds, Waits()]
Bytes = Annotated[int, Interval(gt=0, le=LARGEST_BYTES)]
Celsius = Annotated[float, Interval(ge=-20, le=60)]
Share = Annotated[float, Interval(gt=0, le=1)]
Percent = Annotated[int, Interval(ge=0, le=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a stage as its class declares it."""

    name: str
    kind: object
    """Its type with its limits."""
    default: object
    """`MISSING` where a recipe has to set it."""

    @property
    def required(self) -> bool:
        """Whether a recipe has to set it."""
        return self.default is MISSING

    @property
    def waits(self) -> bool:
        """Whether the stage may wait for so long."""
        return any(isinstance(mark, Waits) for mark in _marks(self.kind))


def parameters_of(stage: type[object]) -> tuple[Parameter, ...]:
    """What can be set of a stage; TypeError where its class leaves out the limits of one."""
    if not is_dataclass(stage):
        raise TypeError(f"{stage.__name__} isn't a dataclass, so its parameters can't be told")
    kinds = get_type_hints(stage, include_extras=True)
    parameters = tuple(
        Parameter(name=field.name, kind=kinds[field.name], default=field.default)
        for field in fields(stage)
        if field.init
    )
    for parameter in parameters:
        if not _has_limits(parameter.kind):
            raise TypeError(
                f"{stage.__name__}.{parameter.name} has no limits: give it a type like those of"
                " benchd/pipelines/parameters.py"
            )
    return parameters


def _has_limits(kind: object) -> bool:
    """Whether it can be told of every value if it's allowed; what isn't known here has none."""
    parts = get_args(kind)
    match get_origin(kind):
        case origin if origin is Annotated:
            return _are_limits(_marks(kind)) or _has_limits(parts[0])
        case origin if origin is Literal:
            return True
        case origin if origin in (tuple, UnionType):
            return all(_has_limits(part) for part in parts if part not in (..., NoneType))
        case _:
            own = isclass(kind) and (issubclass(kind, Enum) or is_dataclass(kind))
            return own or kind is bool


def _are_limits(marks: Sequence[object]) -> bool:
    both_ends = any(isinstance(mark, Gt | Ge) for mark in marks) and any(
        isinstance(mark, Lt | Le) for mark in marks
    )
    return both_ends or any(isinstance(mark, OneOf) for mark in marks)


def _marks(kind: object) -> tuple[object, ...]:
    """All that an Annotated type says beside the type, one by one."""
    if get_origin(kind) is not Annotated:
        return ()
    return tuple(part for mark in get_args(kind)[1:] for part in _parts(mark))


def _parts(mark: object) -> Iterator[object]:
    if isinstance(mark, GroupedMetadata):
        yield from mark
    else:
        yield mark
