"""Answers of `pm list users`."""

from __future__ import annotations

import re
from typing import Final

from benchd.android.shell.text import lines_of
from benchd.errors import AnswerNotRecognised

MOST_USERS: Final = 100

_HEADING: Final = "Users:"
_USER: Final = re.compile(r"\s*UserInfo\{([0-9]{1,9}):.*:[0-9a-fA-F]+\}.*")


def read_user_ids(text: str) -> tuple[int, ...]:
    """The numbers of all users and profiles, in ascending order; the owner is 0."""
    lines = [line for line in lines_of(text) if line.strip()]
    if not lines or lines[0].strip() != _HEADING:
        raise AnswerNotRecognised("pm list users: no heading")
    if len(lines) > MOST_USERS + 1:
        raise AnswerNotRecognised(f"pm list users: more than {MOST_USERS} users")
    numbers: list[int] = []
    for line in lines[1:]:
        match = _USER.fullmatch(line)
        if match is None:
            raise AnswerNotRecognised("pm list users: a line that is no user")
        numbers.append(int(match[1]))
    if 0 not in numbers or len(set(numbers)) != len(numbers):
        raise AnswerNotRecognised("pm list users: the owner is missing or a user stands twice")
    return tuple(sorted(numbers))
