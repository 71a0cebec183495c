"""How light each dot of a label's picture is, read from the PNG that it was set as (ISO/IEC 15948).

Of that standard there is what our own setting writes: eight bits, four channels, not interlaced. A
label is black, white and grey, so that one of the channels says it all.
"""

from __future__ import annotations

import struct
import zlib
from itertools import accumulate

SIGNATURE = b"\x89PNG\r\n\x1a\n"
RGBA = (8, 6, 0, 0, 0)
"""Eight bits, colour with transparency, and the only ways to pack and to filter; in order."""
CHANNELS = 4
GREEN = 1


def shades_of(png: bytes) -> list[bytes]:
    """A row of dots each, from 0 for black to 255; raises ValueError for a PNG of another form."""
    header, data = _chunks(png)
    width, height, *form = struct.unpack(">IIBBBBB", header)
    if tuple(form) != RGBA:
        message = f"a PNG of another form than {RGBA}: {form}"
        raise ValueError(message)
    lines = zlib.decompress(data)
    length = 1 + width * CHANNELS
    if len(lines) != length * height:
        message = "a PNG that isn't as large as it says"
        raise ValueError(message)
    rows: list[bytes] = []
    row = bytes(width)
    for start in range(0, len(lines), length):
        line = lines[start + 1 + GREEN : start + length : CHANNELS]
        row = _unfiltered(lines[start], line, row)
        rows.append(row)
    return rows


def _chunks(png: bytes) -> tuple[bytes, bytes]:
    """Its header, and what its picture is packed in."""
    if not png.startswith(SIGNATURE):
        message = "no PNG"
        raise ValueError(message)
    found = {b"IHDR": b"", b"IDAT": b""}
    place = len(SIGNATURE)
    while place < len(png):
        length, name = struct.unpack_from(">I4s", png, place)
        if name in found:
            found[name] += png[place + 8 : place + 8 + length]
        place += length + 12
    return found[b"IHDR"], found[b"IDAT"]


def _unfiltered(kind: int, line: bytes, above: bytes) -> bytes:
    """One channel of a row as it was, from its difference to the dot before, above, or both."""
    if kind == 0:
        return line
    if kind == 1:
        return bytes(value & 255 for value in accumulate(line))
    if kind == 2:
        return bytes((value + up) & 255 for value, up in zip(line, above, strict=True))
    guess = {3: _mean, 4: _paeth}.get(kind)
    if guess is None:
        message = f"a PNG with a row of filter {kind}"
        raise ValueError(message)
    row = bytearray()
    left = corner = 0
    for value, up in zip(line, above, strict=True):
        left = (value + guess(left, up, corner)) & 255
        corner = up
        row.append(left)
    return bytes(row)


def _mean(left: int, up: int, corner: int) -> int:
    del corner
    return (left + up) // 2


def _paeth(left: int, up: int, corner: int) -> int:
    """The one of the three that is nearest to where they lead."""
    to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    if to_left <= to_up and to_left <= to_corner:
        return left
    return up if to_up <= to_corner else corner
