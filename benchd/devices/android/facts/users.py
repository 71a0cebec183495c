"""Answers of `pm list users`, and what the users besides the owner are; names are never kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from benchd.devices.android.shell.text import lines_of
from benchd.domain.data_files import (
    Sources,
    Table,
    Words,
    read_knowledge,
    require_sources,
)
from benchd.domain.errors import AnswerNotRecognised
from benchd.domain.handset import OWNER, UserKind

MOST_USERS: Final = 100

_HEADING: Final = "Users:"
# A name may hold anything but what begins or ends a user: two lines in one would hide one.
_USER: Final = re.compile(
    r"\s*UserInfo\{([0-9]{1,9}):(?:(?!UserInfo\{|:[0-9a-fA-F]+\}).)*"
    r":([0-9a-fA-F]{1,8})\}(?: [a-z ()]*)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user or profile, by its number and Android's flags."""

    number: int
    flags: int


def read_users(text: str) -> tuple[User, ...]:
    """All users and profiles, in ascending order of their numbers; the owner is 0."""
    lines = [line for line in lines_of(text) if line]
    if not lines or lines[0].strip() != _HEADING:
        raise AnswerNotRecognised("pm list users: no heading")
    if len(lines) > MOST_USERS + 1:
        raise AnswerNotRecognised(f"pm list users: more than {MOST_USERS} users")
    found: dict[int, User] = {}
    for line in lines[1:]:
        match = _USER.fullmatch(line)
        if match is None:
            raise AnswerNotRecognised("pm list users: a line that is no user")
        user = User(number=int(match[1]), flags=int(match[2], 16))
        if user.number in found:
            raise AnswerNotRecognised("pm list users: a user stands twice")
        found[user.number] = user
    if 0 not in found:
        raise AnswerNotRecognised("pm list users: the owner is missing")
    return tuple(found[number] for number in sorted(found))


def read_user_ids(text: str) -> tuple[int, ...]:
    """Their numbers alone."""
    return tuple(user.number for user in read_users(text))


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
    return read_knowledge("benchd.devices.android.facts", "users.toml", _File).user


def kinds_of(users: Iterable[User]) -> tuple[UserKind, ...]:
    """The kind of each but the owner, in the same order."""
    return tuple(_kind(user) for user in users if user.number != OWNER)


def _kind(user: User) -> UserKind:
    return next((entry.kind for entry in _entries() if entry.fits(user)), UserKind.PERSON)
