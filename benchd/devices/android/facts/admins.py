"""Device admins that can lock a handset: lenders' and makers' own, from a file of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from benchd.domain.data_files import (
    Sources,
    Table,
    Words,
    read_knowledge,
    require_sources,
    require_unique,
)


class _Entry(Table):
    owner: Words
    packages: Annotated[tuple[Words, ...], Field(min_length=1)]
    sources: Sources


class _State(Table):
    property: Words
    managed: Annotated[tuple[Words, ...], Field(min_length=1)]
    sources: Sources


class _File(Table):
    version: Literal[1]
    sources: Mapping[str, Words]
    lender: Annotated[tuple[_Entry, ...], Field(min_length=1)]
    maker: Annotated[tuple[_Entry, ...], Field(min_length=1)]
    state: Annotated[tuple[_State, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        entries = (*self.lender, *self.maker)
        require_sources(self.sources, (entry.sources for entry in (*entries, *self.state)))
        require_unique("package", _packages(entries))
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    lenders: frozenset[str]
    makers: frozenset[str]
    states: Mapping[str, frozenset[str]]


@cache
def _known() -> _Known:
    file = read_knowledge("benchd.devices.android.facts", "admins.toml", _File)
    return _Known(
        lenders=frozenset(_packages(file.lender)),
        makers=frozenset(_packages(file.maker)),
        states={one.property: frozenset(one.managed) for one in file.state},
    )


def of_lenders(packages: Iterable[str]) -> tuple[str, ...]:
    """Those of these packages that are a lender's."""
    return tuple(sorted(_known().lenders.intersection(packages)))


def of_makers(packages: Iterable[str]) -> tuple[str, ...]:
    """Those that are a maker's own service for lenders."""
    return tuple(sorted(_known().makers.intersection(packages)))


def is_enrolled(properties: Mapping[str, str]) -> bool:
    """Whether a property tells that the maker's service holds the handset for somebody."""
    return any(
        properties.get(name, "").casefold() in managed for name, managed in _known().states.items()
    )


def _packages(entries: Iterable[_Entry]) -> list[str]:
    return [package for entry in entries for package in entry.packages]
