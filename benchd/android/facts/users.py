"""Answers of `pm list users`; names are never kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from benchd.android.shell.text import lines_of
from benchd.errors import AnswerNotRecognised

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
