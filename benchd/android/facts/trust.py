"""Answers of `dumpsys trust`, the only source that is asked for a screen lock.

`lock_settings` is never asked: its commands count as failed attempts to unlock.
"""

from __future__ import annotations

import re
from typing import Final

from benchd.android.shell.text import lines_of
from benchd.errors import AnswerNotRecognised

_HEADING: Final = "Trust manager state:"
_DISABLED: Final = re.compile(r"disabled because [a-z' -]+\.")
_USER: Final = re.compile(r' User ".*" \(id=([0-9]{1,9}), flags=0x[0-9a-f]+\).*')
_LOCKED: Final = re.compile(r"deviceLocked=([01])")


def has_screen_lock(text: str) -> bool | None:
    """True when a user is locked behind a PIN, pattern or password; None otherwise.

    The trust manager calls a device locked only if a secure lock is set and closed. An
    unlocked screen says nothing about whether there is a lock, so False is never returned.
    """
    lines = lines_of(text)
    if any(_DISABLED.fullmatch(line.strip()) for line in lines):
        return None
    if _HEADING not in lines:
        raise AnswerNotRecognised("dumpsys trust: no heading")
    states: dict[int, bool] = {}
    for line in lines:
        user = _USER.fullmatch(line)
        if user is not None:
            # The user's name comes first and may imitate anything; the state is what comes last.
            found = _LOCKED.findall(line)
            number = int(user[1])
            states[number] = states.get(number, False) or found[-1:] == ["1"]
    if 0 not in states:
        raise AnswerNotRecognised("dumpsys trust: no word about user 0")
    return True if any(states.values()) else None
