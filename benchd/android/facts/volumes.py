"""Answers of `sm list-volumes all` and `sm list-disks`: whether there is a card in the handset."""

from __future__ import annotations

import re
from typing import Final

from benchd.android.shell.text import lines_of
from benchd.errors import AnswerNotRecognised

# Nothing stands after the file system's id: two lines in one would hide a card.
_VOLUME: Final = re.compile(r"([!-~]{1,128}) [a-z_]{1,32}(?: [!-~]{1,64})?")
_BUILT_IN: Final = re.compile(r"private|emulated(?:;[0-9]{1,9})?|obb:[0-9]{1,9}")
_ON_A_DISK: Final = re.compile(r"(?:public|private|emulated|stub):[!-~]+")
_DISK: Final = re.compile(r"disk:[0-9]{1,9},[0-9]{1,9}")
_OWN: Final = "private"
"""The handset's own storage: a list without it isn't whole."""


def has_removable_media(volumes: str, disks: str) -> bool:
    """Whether there is a memory card or a USB drive, readable or not, or one adopted as storage.

    Android calls a disk only what can be taken out; one that it can't read has no volume.
    """
    names = [_volume(line.strip()) for line in lines_of(volumes) if line.strip()]
    if _OWN not in names:
        raise AnswerNotRecognised("sm list-volumes: the handset's own storage is missing")
    found = [line.strip() for line in lines_of(disks) if line.strip()]
    if not all(_DISK.fullmatch(line) for line in found):
        raise AnswerNotRecognised("sm list-disks: a line that is no disk")
    return bool(found) or any(_ON_A_DISK.fullmatch(name) for name in names)


def _volume(line: str) -> str:
    match = _VOLUME.fullmatch(line)
    if match is None or not (_BUILT_IN.fullmatch(match[1]) or _ON_A_DISK.fullmatch(match[1])):
        raise AnswerNotRecognised("sm list-volumes: a line that is no volume")
    return match[1]
