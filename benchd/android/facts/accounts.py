"""Answers of `dumpsys account`: only how many accounts there are is read; names are never kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from benchd.android.shell.text import lines_of
from benchd.errors import AnswerNotRecognised

_USER: Final = re.compile(r"User UserInfo\{([0-9]{1,9}):.*")
_ANNOUNCED: Final = re.compile(r" *Accounts: ([0-9]{1,6})")
_ACCOUNT: Final = re.compile(r" *Account \{name=.*, type=.*\}")
_LAST_PART: Final = re.compile(r" *RegisteredServicesCache: [0-9]+ services?")


def count_accounts(text: str, user_ids: Sequence[int]) -> int:
    """How many accounts all users have together; `user_ids` are the users that must be told of.

    Every user's part must be there and whole, and its announced number must be the number of
    its lines: an answer cut short must not pass for a handset without accounts.
    """
    lines = lines_of(text)
    starts = [
        (number, int(match[1]))
        for number, line in enumerate(lines)
        if (match := _USER.fullmatch(line))
    ]
    told = [user for _, user in starts]
    if not user_ids or not set(user_ids) <= set(told) or len(set(told)) != len(told):
        raise AnswerNotRecognised("dumpsys account: a user is missing or stands twice")
    ends = [start for start, _ in starts[1:]] + [len(lines)]
    return sum(
        _count_of_user(lines[start + 1 : end]) for (start, _), end in zip(starts, ends, strict=True)
    )


def _count_of_user(lines: list[str]) -> int:
    announcements = [
        (number, int(match[1]))
        for number, line in enumerate(lines)
        if (match := _ANNOUNCED.fullmatch(line))
    ]
    if len(announcements) != 1:
        raise AnswerNotRecognised(f"dumpsys account: {len(announcements)} counts for one user")
    place, announced = announcements[0]
    listed = 0
    for line in lines[place + 1 :]:
        if not _ACCOUNT.fullmatch(line):
            break
        listed += 1
    if listed != announced:
        raise AnswerNotRecognised(f"dumpsys account: {announced} announced, {listed} listed")
    if not any(_LAST_PART.fullmatch(line) for line in lines[place + 1 + listed :]):
        raise AnswerNotRecognised("dumpsys account: the end of a user's part is missing")
    return listed
