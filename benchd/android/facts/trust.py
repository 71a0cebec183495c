"""Answers of `dumpsys trust`, the only source that is asked for a screen lock.

`lock_settings` is never asked: its commands count as failed attempts to unlock.
"""

from __future__ import annotations

import re
from typing import Final

from benchd.android.shell.text import lines_of
from benchd.errors import AnswerNotRecognised

_HEADING: Final = "Trust manager state:"
_USERS_LINE: Final = ' User "'
_DISABLED: Final = re.compile(r"disabled because [a-z' -]+\.")
_USER: Final = re.compile(r' User ".*" \(id=([0-9]{1,9}), flags=0x[0-9a-f]+\)(.*)')
_STATE: Final = re.compile(r"(?: \(current\))?(?: \([a-z ]+\))?: .*\bdeviceLocked=[01]\b.*")
_LOCKED: Final = re.compile(r"\bdeviceLocked=1\b")
_NO_STATE: Final = re.compile(r"(?: \(current\))?\([a-z ]+\)")
"""A profile that has no lock of its own; the next line says why."""


def has_screen_lock(text: str) -> bool | None:
    """True when a user is locked behind a PIN, pattern or password; None otherwise.

    The trust manager calls a device locked only if a secure lock is set and closed. An
    unlocked screen says nothing about whether there is a lock, so False is never returned.
    """
    lines = lines_of(text)
    if _HEADING not in lines:
        if lines and _DISABLED.fullmatch(lines[0]):
            return None
        raise AnswerNotRecognised("dumpsys trust: no heading")
    # A name may imitate the state of an open handset, so one word of a closed one is enough.
    if any(map(_LOCKED.search, lines)):
        return True
    told: set[int] = set()
    for line in lines:
        if not line.startswith(_USERS_LINE):
            continue
        user = _USER.fullmatch(line)
        if user is None or not (_STATE.fullmatch(user[2]) or _NO_STATE.fullmatch(user[2])):
            raise AnswerNotRecognised("dumpsys trust: a user without a state")
        told.add(int(user[1]))
    if 0 not in told:
        raise AnswerNotRecognised("dumpsys trust: no word about user 0")
    return None
