"""What the users besides the owner are, so that somebody can be told how each is removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from benchd.android.facts.users import User
from benchd.knowledge import (
    Sources,
    Table,
    Words,
    read_knowledge,
    require_sources,
)
from benchd.words.handset import OWNER, UserKind


class _Entry(Table):
    kind: UserKind
    ids: tuple[int, int] | None = None
    flags: int | None = None
    sources: Sources

    def fits(self, user: User) -> bool:
        by_id = self.ids is None or self.ids[0] <= user.number <= self.ids[1]
        return by_id and (self.flags is None or bool(user.flags & self.flags))


class _File(Table):
    version: Literal[1]
    sources: Mapping[str, Words]
    user: Annotated[tuple[_Entry, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        require_sources(self.sources, (entry.sources for entry in self.user))
        return self


@cache
def _entries() -> tuple[_Entry, ...]:
    return read_knowledge("benchd.android.facts", "users.toml", _File).user


def kinds_of(users: Iterable[User]) -> tuple[UserKind, ...]:
    """The kind of each but the owner, in the same order."""
    return tuple(_kind(user) for user in users if user.number != OWNER)


def _kind(user: User) -> UserKind:
    return next((entry.kind for entry in _entries() if entry.fits(user)), UserKind.PERSON)
