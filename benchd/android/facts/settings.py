"""Answers of `settings get`."""

from __future__ import annotations

import re
from typing import Final

from benchd.android.shell.text import lines_of
from benchd.errors import AnswerNotRecognised

_ANDROID_ID: Final = re.compile(r"[0-9a-f]{8,16}")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")


def read_android_id(text: str) -> str:
    """The id that a reset renews; one that the handset doesn't tell is no id."""
    value = _value(text)
    if not _ANDROID_ID.fullmatch(value):
        raise AnswerNotRecognised("settings get secure android_id: no id")
    return value


def read_boot_count(text: str) -> int | None:
    """How often the system was started since its reset; None where it doesn't count."""
    value = _value(text)
    if value == "null":
        return None
    if not _NUMBER.fullmatch(value):
        raise AnswerNotRecognised("settings get global boot_count: no number")
    return int(value)


def read_frp_armed(text: str) -> bool | None:
    """Whether factory reset protection is active; None where this Android keeps no such word.

    Source: AOSP, `Settings.Global.SECURE_FRP_MODE`, which PersistentDataBlockService writes at each
    start from Android 15 on; in Android 9 it was one of `Settings.Secure`.
    """
    value = _value(text)
    if value == "null":
        return None
    if value not in ("0", "1"):
        raise AnswerNotRecognised("settings get secure_frp_mode: neither 0 nor 1")
    return value == "1"


def _value(text: str) -> str:
    """All of the one line that there is; spaces in it would be digits that were lost."""
    lines = lines_of(text)
    return lines[0] if len(lines) == 1 else ""
