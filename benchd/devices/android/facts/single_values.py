"""Answers that are one value: an IMEI, a setting, the time since the last start."""

from __future__ import annotations

import re
import struct
from typing import Final

from benchd.devices.android.shell.text import lines_of
from benchd.domain.errors import AnswerNotRecognised
from benchd.domain.imei import IMEI_DIGITS, is_imei

# Blanks, not all white space: what may run over line ends takes hours for a megabyte of them.
_PARCEL_WORDS: Final = re.compile(
    r"(?:^|Parcel\() *(?:0x[0-9a-f]{8}: )?((?:[0-9a-f]{8} +)+)'", re.MULTILINE
)
_NO_EXCEPTION: Final = 0


def read_imei(text: str) -> str | None:
    """The IMEI in the parcel of `service call iphonesubinfo`, dumped as hexadecimal words.

    None where the handset refuses, has none or says anything else: the meaning of the call's number
    differs between releases, so only what is an IMEI beyond doubt is taken for one.
    """
    words = [int(word, 16) for found in _PARCEL_WORDS.findall(text) for word in found.split()]
    if len(words) < 2 or words[0] != _NO_EXCEPTION or words[1] != IMEI_DIGITS:
        return None
    characters = struct.pack(f"<{len(words) - 2}I", *words[2:])
    if len(characters) < 2 * IMEI_DIGITS + 2 or any(characters[2 * IMEI_DIGITS :]):
        return None
    number = characters[: 2 * IMEI_DIGITS].decode("utf-16-le", errors="replace")
    return number if is_imei(number) else None


_ANDROID_ID: Final = re.compile(r"[0-9a-f]{8,16}")
_COUNT: Final = re.compile(r"[0-9]{1,9}")


def read_android_id(text: str) -> str:
    """The id that a reset renews; one that the handset doesn't tell is no id."""
    value = _setting(text)
    if not _ANDROID_ID.fullmatch(value):
        raise AnswerNotRecognised("settings get secure android_id: no id")
    return value


def read_boot_count(text: str) -> int | None:
    """How often the system was started since its reset; None where it doesn't count."""
    value = _setting(text)
    if value == "null":
        return None
    if not _COUNT.fullmatch(value):
        raise AnswerNotRecognised("settings get global boot_count: no number")
    return int(value)


def read_frp_armed(text: str) -> bool | None:
    """Whether factory reset protection is active; None where this Android keeps no such word.

    Source: AOSP, `Settings.Global.SECURE_FRP_MODE`, which PersistentDataBlockService writes at each
    start from Android 15 on; in Android 9 it was one of `Settings.Secure`.
    """
    value = _setting(text)
    if value == "null":
        return None
    if value not in ("0", "1"):
        raise AnswerNotRecognised("settings get secure_frp_mode: neither 0 nor 1")
    return value == "1"


def _setting(text: str) -> str:
    """All of the one line that there is; spaces in it would be digits that were lost."""
    lines = lines_of(text)
    return lines[0] if len(lines) == 1 else ""


_UPTIME: Final = re.compile(r"([0-9]{1,9})\.[0-9]{2} [0-9]{1,12}\.[0-9]{2}")
"""Source: proc_pid_uptime(5): seconds up, and seconds that all processors were idle."""


def read_uptime(text: str) -> int | None:
    """Whole seconds since its start, its sleep included.

    None where the shell may not read it, or it is anything else.
    """
    lines = lines_of(text)
    found = _UPTIME.fullmatch(lines[0]) if len(lines) == 1 else None
    return int(found[1]) if found else None
