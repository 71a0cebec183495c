"""Whose accounts of a type are: a person's, the maker's own, or nobody's that is known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from benchd.devices.android.shell.text import printable
from benchd.domain.data_files import (
    Sources,
    Table,
    Words,
    read_knowledge,
    require_sources,
    require_unique,
)

MOST_TYPES: Final = 20
"""Types that are told of one handset: the counts say what isn't."""
LONGEST_TYPE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """The accounts of a handset by whose they are; types alone are kept, fit to be shown."""

    account_count: int
    """Of people and of unknown types."""
    maker_accounts: int
    maker_account_types: tuple[str, ...]
    unknown_account_types: tuple[str, ...]
    frp_account_types: tuple[str, ...]


class _Entry(Table):
    owner: Words
    types: Annotated[tuple[Words, ...], Field(min_length=1)]
    sources: Sources


class _Person(_Entry):
    arms_frp: bool = False


class _File(Table):
    version: Literal[1]
    sources: Mapping[str, Words]
    person: Annotated[tuple[_Person, ...], Field(min_length=1)]
    maker: Annotated[tuple[_Entry, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        entries = (*self.person, *self.maker)
        require_sources(self.sources, (entry.sources for entry in entries))
        require_unique("type", _types(entries))
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    people: frozenset[str]
    makers: frozenset[str]
    arming: frozenset[str]


@cache
def _known() -> _Known:
    file = read_knowledge("benchd.devices.android.facts", "accounts.toml", _File)
    return _Known(
        people=frozenset(_types(file.person)),
        makers=frozenset(_types(file.maker)),
        arming=frozenset(_types(entry for entry in file.person if entry.arms_frp)),
    )


def sort_accounts(types: Collection[str]) -> Accounts:
    """Whose they are; what isn't listed as the maker's counts as a person's."""
    known = _known()
    makers = [name for name in types if name in known.makers]
    return Accounts(
        account_count=len(types) - len(makers),
        maker_accounts=len(makers),
        maker_account_types=_shown(makers),
        unknown_account_types=_shown(set(types) - known.people - known.makers),
        frp_account_types=_shown(set(types) & known.arming),
    )


def held_by_people(name: str) -> bool:
    """Whether accounts of this type may be a person's: all that isn't listed as a maker's is."""
    return name not in _known().makers


def _types(entries: Iterable[_Entry]) -> list[str]:
    return [name for entry in entries for name in entry.types]


def _shown(types: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({printable(name, LONGEST_TYPE) for name in types})[:MOST_TYPES])
