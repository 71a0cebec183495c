"""What is known of the world: TOML files beside what reads them, valid or refused whole."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from importlib import resources
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Sources = Annotated[tuple[Words, ...], Field(min_length=1)]
"""The names of an entry's sources, all of which stand at the head of its file."""


class Table(BaseModel):
    """A table of such a file: exact types, no key that isn't known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Facts = TypeVar("Facts", bound=Table)


def read_knowledge(package: str, file: str, table: type[Facts]) -> Facts:
    """The facts of a file that comes with a package of benchd."""
    text = resources.files(package).joinpath(file).read_text("utf-8")
    return table.model_validate(tomllib.loads(text))


def require_unique(what: str, words: Collection[str]) -> None:
    """Raise ValueError where one of these stands twice."""
    if len(set(words)) != len(words):
        message = f"a {what} stands twice"
        raise ValueError(message)


def require_sources(sources: Mapping[str, str], cited: Iterable[tuple[str, ...]]) -> None:
    """Raise ValueError unless the sources that are named and those that are used are the same."""
    used = {name for names in cited for name in names}
    if used != set(sources):
        message = f"sources named or used only: {', '.join(sorted(used ^ set(sources)))}"
        raise ValueError(message)
