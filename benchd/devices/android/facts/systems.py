"""How systems that aren't their makers' any more show, from a file of what is known of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from benchd.domain.data_files import (
    Sources,
    Table,
    Words,
    read_knowledge,
    require_sources,
)
from benchd.domain.handset import ModificationSource


class KnownWord(Table):
    """A property with a closed list of words, in any case."""

    name: Words
    fine: tuple[Words, ...]
    signs: tuple[Words, ...]
    source: ModificationSource
    sources: Sources


class _Prefixes(Table):
    prefixes: Annotated[tuple[Words, ...], Field(min_length=1)]
    sources: Sources


class _Properties(_Prefixes):
    source: ModificationSource


class _LeftOver(Table):
    names: Annotated[tuple[Words, ...], Field(min_length=1)]
    sources: Sources


class _Sign(Table):
    property: Words
    value: Words


class _Excused(Table):
    """A sign that a maker's own build shows, and all that has to be so beside it."""

    maker: Words
    sign: _Sign
    where: Annotated[Mapping[Words, re.Pattern[str]], Field(min_length=3)]
    sources: Sources

    def covers(self, properties: Mapping[str, str], name: str) -> bool:
        """Whether these are the properties of such a build, and this is its sign."""
        is_sign = name == self.sign.property and properties.get(name) == self.sign.value
        return is_sign and all(
            pattern.fullmatch(properties.get(each, "")) for each, pattern in self.where.items()
        )


class Fingerprint(Table):
    """Which properties its parts have to agree with; the first that is set counts."""

    release: tuple[Words, ...]
    id: tuple[Words, ...]
    type: tuple[Words, ...]
    sources: Sources


class _File(Table):
    version: Literal[1]
    sources: Mapping[str, Words]
    word: Annotated[tuple[KnownWord, ...], Field(min_length=1)]
    property: Annotated[tuple[_Properties, ...], Field(min_length=1)]
    flavor: Annotated[tuple[_Prefixes, ...], Field(min_length=1)]
    excused: tuple[_Excused, ...]
    exempt: _Prefixes
    left_over: _LeftOver
    fingerprint: Fingerprint

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        entries = (
            *self.word,
            *self.property,
            *self.flavor,
            *self.excused,
            self.exempt,
            self.left_over,
            self.fingerprint,
        )
        require_sources(self.sources, (entry.sources for entry in entries))
        return self


class Systems:
    """The same, ready to be asked."""

    def __init__(self, file: _File) -> None:
        self.words = file.word
        self.fingerprint = file.fingerprint
        self._properties = file.property
        self._left_over = frozenset(file.left_over.names)
        self._flavors = _all(file.flavor)
        self._excused = file.excused
        self._exempt = file.exempt.prefixes

    def source_of(self, name: str) -> ModificationSource | None:
        """What a property that no maker's system has is a sign of; None for any other."""
        found = (one.source for one in self._properties if name.startswith(one.prefixes))
        return next(found, None)

    def is_another(self, flavor: str) -> bool:
        """Whether a build of this name is another system's."""
        return flavor.lower().startswith(self._flavors)

    def excuses(self, properties: Mapping[str, str], name: str) -> bool:
        """Whether a maker's stock build of exactly this form shows this property so."""
        return any(one.covers(properties, name) for one in self._excused)

    def is_left_over(self, name: str) -> bool:
        """Whether stock systems leave this property as it was before they were signed."""
        return name in self._left_over

    def is_exempt(self, name: str) -> bool:
        """Whether stock systems fill this property from another build."""
        return name.startswith(self._exempt)


def _all(entries: Iterable[_Prefixes]) -> tuple[str, ...]:
    return tuple(prefix for entry in entries for prefix in entry.prefixes)


@cache
def systems() -> Systems:
    """What benchd comes with."""
    return Systems(read_knowledge("benchd.devices.android.facts", "systems.toml", _File))
