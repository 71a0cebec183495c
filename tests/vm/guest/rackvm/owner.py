"""What a last owner leaves on a chip, each piece marked, and the search for it on the raw chip."""

from __future__ import annotations

import mmap
import os
import secrets
from pathlib import Path
from typing import Final

MARKER_BYTES: Final = 64
BLOCK_BYTES: Final = 4096
BIG_FILE_MARKERS: Final = 64
SUFFIXES: Final = (".txt", ".db", ".jpg", ".xml", "", ".db-wal", ".mp4", ".apk")
"""f2fs chooses by suffix and size in which of its logs a file goes: every kind must be there."""
NOTE_BYTES: Final = (1024, 2048, 3072, 4096)
"""Files so small that most of them lie beside their inodes."""
NAMES_SHARE: Final = 4
"""For each so many markers in files there is one more in the name of an empty file."""


def new_token() -> bytes:
    """What only this handset's markers begin with."""
    return b"OWNER-" + secrets.token_hex(12).encode()


def marker(token: bytes, number: int) -> bytes:
    """One marker."""
    return (token + b"-%08d" % number).ljust(MARKER_BYTES, b".")


def plant(data: Path, token: bytes, count: int) -> None:
    """Write files that hold `count` markers, and delete every other one of them.

    Markers in names and in extended attributes come on top.
    """
    home = data / "media" / "0"
    files: list[Path] = []
    number = 0
    while number < count:
        file = home / f"owner-{len(files)}{SUFFIXES[len(files) % len(SUFFIXES)]}"
        big = len(files) % 10 == 0
        here = min(count - number, BIG_FILE_MARKERS if big else 1)
        with file.open("wb") as stream:
            for _ in range(here):
                size = BLOCK_BYTES if big else NOTE_BYTES[len(files) % len(NOTE_BYTES)]
                stream.write(marker(token, number).ljust(size, b"\0"))
                number += 1
            stream.flush()
            os.fsync(stream.fileno())
        if not big:
            os.setxattr(file, "user.note", marker(token, number + len(files)))
        files.append(file)
    files += _plant_names(home / "names", token, count // NAMES_SHARE)
    os.sync()
    for file in files[::2]:
        file.unlink()
    os.sync()


def _plant_names(folder: Path, token: bytes, count: int) -> list[Path]:
    folder.mkdir()
    files = [folder / marker(token, number).decode() for number in range(count)]
    for file in files:
        file.touch()
    return files


def find(chip: Path, token: bytes) -> tuple[int, ...]:
    """The offsets of all markers on a raw chip, in bytes."""
    found: list[int] = []
    with chip.open("rb") as stream, mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ) as raw:
        place = raw.find(token)
        while place >= 0:
            found.append(place)
            place = raw.find(token, place + 1)
    return tuple(found)
