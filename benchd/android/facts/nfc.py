"""Answers of `settings get global nfc_on` and `dumpsys nfc`: why a chip may be silent.

The service's dump begins with `mState=` and `mScreenState=`, the latter in the words of AOSP's
ScreenStateHelper: `ON_UNLOCKED` and so on. What reads otherwise is unknown, never fine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from benchd.android.shell.text import lines_of
from benchd.words.handset import NfcFacts

_STATE: Final = re.compile(r"mState=(.*)")
_SCREEN: Final = re.compile(r"mScreenState=(.*)")
_STATES: Final[Mapping[str, bool]] = {"on": True, "off": False}
_SETTINGS: Final[Mapping[str, bool]] = {"1": True, "0": False}
_SCREENS: Final[Mapping[str, tuple[bool, bool]]] = {
    "ON_UNLOCKED": (True, True),
    "ON_LOCKED": (True, False),
    "OFF_UNLOCKED": (False, True),
    "OFF_LOCKED": (False, False),
}
"""Whether the screen is on, and whether it is unlocked."""


def read_nfc(setting: str, dump: str) -> NfcFacts:
    """What both texts say; an empty one says nothing. Never raises."""
    state = _STATES.get(_only(_STATE, dump))
    wanted = _SETTINGS.get(setting.strip())
    # The service knows best, but one that contradicts the setting isn't believed that it's on.
    on = wanted if state is None and wanted is False else state
    if state is True and wanted is False:
        on = None
    screen = _SCREENS.get(_only(_SCREEN, dump), (None, None))
    return NfcFacts(nfc_on=on, screen_on=screen[0], unlocked=screen[1])


def _only(pattern: re.Pattern[str], dump: str) -> str:
    """The one value of a line; empty where there is none, or more than one."""
    found = {match[1].strip() for line in lines_of(dump) if (match := pattern.fullmatch(line))}
    return found.pop() if len(found) == 1 else ""
