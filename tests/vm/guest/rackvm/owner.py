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
SUFFIXES: Final = (".txt", ".db", ".jpg", ".xml", "")
"""f2fs chooses by suffix and size in which of its logs a file goes: every kind must be there."""


def new_token() -> bytes:
    """What only this handset's markers begin with."""
    return b"OWNER-" + secrets.token_hex(12).encode()


def marker(token: bytes, number: int) -> bytes:
    """One marker."""
    return (token + b"-%08d" % number).ljust(MARKER_BYTES, b".")


def plant(data: Path, token: bytes, count: int) -> None:
    """Write files that hold `count` markers, and delete every other one of them."""
    home = data / "media" / "0"
    files: list[Path] = []
    number = 0
    while number < count:
        file = home / f"owner-{len(files)}{SUFFIXES[len(files) % len(SUFFIXES)]}"
        big = len(files) % 10 == 0
        here = min(count - number, BIG_FILE_MARKERS if big else 1)
        with file.open("wb") as stream:
            for _ in range(here):
                stream.write(
                    marker(token, number).ljust(BLOCK_BYTES if big else MARKER_BYTES, b"\0")
                )
                number += 1
            stream.flush()
            os.fsync(stream.fileno())
        files.append(file)
    os.sync()
    for file in files[::2]:
        file.unlink()
    os.sync()


def find(chip: Path, token: bytes) -> tuple[int, ...]:
    """The offsets of all markers on a raw chip, in bytes."""
    found: list[int] = []
    with chip.open("rb") as stream, mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ) as raw:
        place = raw.find(token)
        while place >= 0:
            found.append(place)
            place = raw.find(token, place + 1)
    return tuple(found)
