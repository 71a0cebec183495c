"""The checksum on each page of a ledger's file, computed here and not by SQLite."""

from __future__ import annotations

import struct
from pathlib import Path

from benchd.checksum_vfs import CHECKSUM_BYTES
from benchd.ledger.database import PAGE_BYTES

_WORDS = struct.Struct(f"<{(PAGE_BYTES - CHECKSUM_BYTES) // 4}I")
_CHECKSUM = struct.Struct("<2I")
_PAGE_COUNT = struct.Struct(">I")
_PAGE_COUNT_OFFSET = 28
_MASK = 0xFFFFFFFF


def page_checksum(page: bytes) -> bytes:
    """The eight bytes that SQLite's checksum VFS puts at the end of a page.

    Any one changed byte changes them: the sums are linear, and two neighbouring Fibonacci
    numbers, by which a word enters the two sums, are never both zero modulo 2**32.
    """
    words = iter(_WORDS.unpack_from(page))
    first = second = 0
    for even, odd in zip(words, words, strict=True):
        first = (first + even + second) & _MASK
        second = (second + odd + first) & _MASK
    return _CHECKSUM.pack(first, second)


def damage_of(path: Path, *, settled: bool) -> str | None:
    """What is wrong with the pages of a ledger's file, or None; nothing but their bytes is asked.

    `settled` means that no WAL belongs to the file, so that its length has to be exact.
    """
    pages = 0
    announced = 0
    with path.open("rb") as file:
        while page := file.read(PAGE_BYTES):
            pages += 1
            if len(page) != PAGE_BYTES:
                return f"the file ends in the middle of page {pages}"
            if page_checksum(page) != page[-CHECKSUM_BYTES:]:
                start = (pages - 1) * PAGE_BYTES
                return f"page {pages} (bytes {start} to {start + PAGE_BYTES - 1}) has changed"
            if pages == 1:
                (announced,) = _PAGE_COUNT.unpack_from(page, _PAGE_COUNT_OFFSET)
    if settled and pages != announced:
        return f"the file has {pages} pages, and its first page says {announced}"
    return None
