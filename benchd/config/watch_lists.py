"""Reads a list of wanted handsets: one IMEI a line, and what follows # is a remark."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from benchd.config.mistake_wording import found, refused
from benchd.config.parsed_toml import unreadable
from benchd.domain.errors import ListRefused
from benchd.domain.imei import is_imei
from benchd.proof.watch_list import Wanted, WatchList

NO_LIST: Final = ""
SHOWN_MISTAKES: Final = 5
LARGEST_BYTES: Final = 64 << 20


def watch_list(value: object, info: ValidationInfo) -> WatchList | None:
    """The list in the file of this name, relative to the folder of the file that names it."""
    if value is None or value == NO_LIST:
        return None
    if not isinstance(value, str) or "\0" in value:
        raise refused(f"found {found(value)}, allowed is the path of a list, or an empty text")
    file = _folder(info) / value
    stamp, wanted = _read(file, value)
    return WatchList(wanted=wanted, file=file, stamp=stamp)


def renew(watched: WatchList) -> bool:
    """Read it again if its file has changed; whether it has.

    What can't be used raises ListRefused, once for each change: the former list stays.
    """
    if watched.file is None:
        return False
    try:
        stamp = _stamp(watched.file)
    except OSError as error:
        raise ListRefused(f"the list {watched.file} {unreadable(error)}") from error
    if stamp == watched.stamp:
        return False
    try:
        watched.stamp, watched.wanted = _read(watched.file, str(watched.file))
    except PydanticCustomError as error:
        raise ListRefused(error.message()) from error
    return True


def _read(file: Path, shown: str) -> tuple[tuple[int, ...], Wanted]:
    try:
        # Before its content: what is written meanwhile makes it change once more.
        stamp = _stamp(file)
        if file.stat().st_size > LARGEST_BYTES:
            raise refused(f"{shown} is larger than {LARGEST_BYTES >> 20} MiB; no list is")
        content = file.read_bytes()
    except OSError as error:
        raise refused(f"the list {shown} {unreadable(error)}") from error
    digest = hashlib.sha256(content).hexdigest()
    return stamp, Wanted(imeis=_imeis(content, shown), sha256=digest)


def _stamp(file: Path) -> tuple[int, ...]:
    status = file.stat()
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def _folder(info: ValidationInfo) -> Path:
    match info.context:
        case {"folder": Path() as folder}:
            return folder
        case _:
            return Path()


def _imeis(content: bytes, shown: str) -> frozenset[str]:
    imeis: set[str] = set()
    mistakes: list[str] = []
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        text = line.partition(b"#")[0].decode(errors="replace").strip()
        # Lists come with the grouping of labels: 35-693803-564380-9.
        digits = text.translate({ord(" "): None, ord("-"): None})
        if not digits:
            continue
        if is_imei(digits):
            imeis.add(digits)
        else:
            mistakes.append(f"line {number}")
    if mistakes:
        more = f" and {len(mistakes) - SHOWN_MISTAKES} more" if mistakes[SHOWN_MISTAKES:] else ""
        raise refused(
            f"in {shown}, {', '.join(mistakes[:SHOWN_MISTAKES])}{more} should be an IMEI: 15 digits"
            " with the right check digit"
        )
    return frozenset(imeis)
