"""Answers of `dumpsys account`: only the accounts' types are read; names are never kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from benchd.devices.android.shell.text import lines_of
from benchd.domain.errors import AnswerNotRecognised, OtherUserClosed

_USER: Final = re.compile(r"User UserInfo\{([0-9]{1,9}):.*")
_ANNOUNCED: Final = re.compile(r" *Accounts: ([0-9]{1,6})")
_ACCOUNT: Final = "Account {name="
_TYPE: Final = ", type="
_LAST_PART: Final = re.compile(
    r" *RegisteredServicesCache: (?:[0-9]+ services?|services not loaded)"
)
"""Source of the second form, of a user whose authenticators nobody has asked for yet: AOSP,
RegisteredServicesCache.dump."""


def read_account_types(
    text: str, user_ids: Sequence[int], *, only_those: bool = False
) -> tuple[str, ...]:
    """The type of each account that all users have together; `user_ids` must all be told of.

    With `only_those` nobody else may be: whoever is told of here and listed nowhere was left out.

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
    _require_users(told, user_ids)
    if only_those and not set(told) <= set(user_ids):
        raise AnswerNotRecognised("dumpsys account: a user that isn't among the users")
    ends = [start for start, _ in starts[1:]] + [len(lines)]
    return tuple(
        name
        for (start, _), end in zip(starts, ends, strict=True)
        for name in _types_of_user(lines[start + 1 : end])
    )


def _require_users(told: Sequence[int], user_ids: Sequence[int]) -> None:
    lacking = sorted(set(user_ids) - set(told))
    if not user_ids or lacking[:1] == [0] or len(set(told)) != len(told):
        raise AnswerNotRecognised("dumpsys account: a user is missing or stands twice")
    if lacking:
        raise OtherUserClosed(f"dumpsys account: a user is missing: {lacking[0]}")


def _types_of_user(lines: list[str]) -> list[str]:
    announcements = [
        (number, int(match[1]))
        for number, line in enumerate(lines)
        if (match := _ANNOUNCED.fullmatch(line))
    ]
    if len(announcements) != 1:
        raise AnswerNotRecognised(f"dumpsys account: {len(announcements)} counts for one user")
    place, announced = announcements[0]
    found: list[str] = []
    for line in lines[place + 1 :]:
        account_type = _type_of_account(line)
        if account_type is None:
            break
        found.append(account_type)
    if len(found) != announced:
        raise AnswerNotRecognised(f"dumpsys account: {announced} announced, {len(found)} listed")
    if not any(_LAST_PART.fullmatch(line) for line in lines[place + 1 + len(found) :]):
        raise AnswerNotRecognised("dumpsys account: the end of a user's part is missing")
    return found


def _type_of_account(line: str) -> str | None:
    """The type of an account's line; None where it is another one.

    A name may hold whatever it likes, so the last `type` counts; a pattern that looks for it
    takes minutes for a line of nothing else.
    """
    start, found, rest = line.rpartition(_TYPE)
    if not found or not rest.endswith("}") or not start.lstrip(" ").startswith(_ACCOUNT):
        return None
    return rest.removesuffix("}")
