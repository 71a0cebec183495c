"""A label's picture, read as another program reads it, however its rows are written."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from PIL import Image

from benchd.papers.labels.png_shades import shades_of

WIDTH, HEIGHT = 37, 23


def predicted(kind: int, left: int, up: int, corner: int) -> int:
    nearest = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
    # The last is none of the standard's.
    return (0, left, up, (left + up) // 2, nearest, 0)[kind]


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_with(kinds: list[int], shades: list[list[int]], form: bytes = b"\x08\x06\0\0\0") -> bytes:
    """A grey picture whose rows are written by these filters of the standard's."""
    lines = bytearray()
    above = [0] * WIDTH
    for kind, row in zip(kinds, shades, strict=True):
        lines.append(kind)
        for place, shade in enumerate(row):
            left, corner = (row[place - 1], above[place - 1]) if place else (0, 0)
            grey = (shade - predicted(kind, left, above[place], corner)) & 255
            before = 255 if place else 0
            clear = (
                255
                - predicted(
                    kind,
                    before,
                    255 if row is not shades[0] else 0,
                    before if row is not shades[0] else 0,
                )
            ) & 255
            lines += bytes([grey, grey, grey, clear])
        above = row
    packed = zlib.compress(bytes(lines))
    header = struct.pack(">II", WIDTH, HEIGHT) + form
    half = len(packed) // 2
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", packed[:half]) + chunk(b"IDAT", packed[half:])
    return b"\x89PNG\r\n\x1a\n" + parts + chunk(b"IEND", b"")


def drawn() -> list[list[int]]:
    chance = random.Random(7)
    return [[chance.choice((0, 3, 127, 128, 255)) for _ in range(WIDTH)] for _ in range(HEIGHT)]


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, None])
def test_every_way_to_write_a_row_is_read_as_pillow_reads_it(kind: int | None) -> None:
    kinds = [number % 5 if kind is None else kind for number in range(HEIGHT)]
    png = png_with(kinds, drawn())
    with Image.open(io.BytesIO(png)) as picture:
        seen = picture.convert("L").tobytes()
    assert b"".join(shades_of(png)) == seen == bytes(shade for row in drawn() for shade in row)


@pytest.mark.parametrize(
    ("png", "why"),
    [
        (b"GIF89a", "no PNG"),
        (png_with([0] * HEIGHT, drawn(), b"\x08\x02\0\0\0"), "another form"),
        (png_with([0] * HEIGHT, drawn(), b"\x08\x06\0\0\1"), "another form"),
        (png_with([0] * HEIGHT, drawn()).replace(b"\0\0\0\x25", b"\0\0\0\x26"), "as large as"),
        (png_with([5] * HEIGHT, drawn()), "filter 5"),
    ],
)
def test_what_our_own_setting_never_writes_is_refused(png: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        shades_of(png)
