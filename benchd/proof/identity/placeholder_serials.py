"""Serials that say nothing of which handset it is: a shipped list, and two plain patterns."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from benchd.domain.data_files import Table, Words, read_knowledge

_SHORTEST = 4
"""Characters of a serial that can tell handsets apart at all."""


class _Filler(Table):
    serial: Words
    source: Words


class _File(Table):
    version: Literal[1]
    filler: Annotated[tuple[_Filler, ...], Field(min_length=1)]


def is_filler(serial: str) -> bool:
    """Whether this stands where no serial was written."""
    plain = serial.strip().casefold()
    if len(plain) < _SHORTEST or len(set(plain)) == 1:
        return True
    return plain in _listed() or _counts_up(plain)


@cache
def _listed() -> frozenset[str]:
    known = read_knowledge("benchd.proof.identity", "fillers.toml", _File)
    return frozenset(entry.serial.casefold() for entry in known.filler)


def _counts_up(serial: str) -> bool:
    """0123456789, 1234567890 and such."""
    if not (serial.isascii() and serial.isdigit()):
        return False
    return all((after - before) % 10 == 1 for before, after in pairwise(map(int, serial)))
