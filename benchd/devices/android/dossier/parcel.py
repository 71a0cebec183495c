"""Dumps of parcels, as `service call` prints them: hexadecimal words, and the letters beside."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from typing import Final

_ROW: Final = re.compile(
    r"(?:^|(?<=Parcel\())[ \t]*(?:0x[0-9a-f]{8}: )?(?P<words>(?:[0-9a-f]{8}[ \t]+)+)"
    r"'(?P<letters>[^\n]{1,16})",
    re.MULTILINE,
)
_WORD: Final = re.compile(r"[0-9a-f]{8}")
_BYTES: Final = 4

Spans = Sequence[tuple[int, int, str]]


class Dump:
    """The bytes of all parcels in an answer, each with its place."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words: list[int] = []
        self._letters: list[int] = []
        data = bytearray()
        for row in _ROW.finditer(text):
            places = [row.start("words") + word.start() for word in _WORD.finditer(row["words"])]
            self._words += places
            self._letters += range(row.start("letters"), row.start("letters") + 4 * len(places))
            data += b"".join(
                struct.pack("<I", int(text[place : place + 8], 16)) for place in places
            )
        self._data = bytes(data)

    @property
    def wide(self) -> str:
        """Each two bytes as one character: strings of Java."""
        units = struct.unpack(f"<{len(self._data) // 2}H", self._data)
        return "".join(map(chr, units))

    @property
    def narrow(self) -> str:
        """Each byte as one character."""
        return self._data.decode("latin-1")

    def masked(self, find: Callable[[str], Spans]) -> str:
        """The answer with what is found in its strings replaced, in the words and beside them."""
        data = bytearray(self._data)
        for start, end, mark in find(self.narrow):
            if mark.isascii() and len(mark) == end - start:
                data[start:end] = mark.encode()
        for start, end, mark in find(self.wide):
            encoded = mark.encode("utf-16-le", errors="surrogatepass")
            if len(encoded) == 2 * (end - start):
                data[2 * start : 2 * end] = encoded
        return self._written(bytes(data))

    def _written(self, data: bytes) -> str:
        letters = list(self._text)
        changed = [place for place, byte in enumerate(data) if byte != self._data[place]]
        for place in changed:
            start = place - place % _BYTES
            (word,) = struct.unpack_from("<I", data, start)
            at = self._words[start // _BYTES]
            letters[at : at + 8] = f"{word:08x}"
            beside = self._letters[place]
            if beside < len(letters) and letters[beside] not in "'\n":
                letters[beside] = chr(data[place]) if 32 <= data[place] < 127 else "."
        return "".join(letters)
