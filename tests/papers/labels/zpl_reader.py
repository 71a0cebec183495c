"""Reads a label's ZPL back, by the ZPL II programming guide and without what has written it."""

from __future__ import annotations

import base64
import binascii
import re
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

WHOLE = re.compile(
    r"\^XA\s*\^PW(?P<width>\d+)\s*\^LL(?P<length>\d+)\s*\^FO(?P<x>\d+),(?P<y>\d+)"
    r"\^GFA,(?P<sent>\d+),(?P<size>\d+),(?P<row>\d+),(?P<data>[^^~]*)\^FS\s*\^XZ\s*"
)
FIELD = re.compile(r":Z64:(?P<text>[A-Za-z0-9+/=]+):(?P<crc>[0-9A-Fa-f]{4})")


@dataclass(frozen=True, kw_only=True)
class ReadLabel:
    """A label as its printer has it."""

    width: int
    length: int
    x: int
    y: int
    row_bytes: int
    dots: bytes
    """One bit for each dot, a 1 is printed, each row in whole bytes."""

    @property
    def rows(self) -> int:
        return len(self.dots) // self.row_bytes

    def as_pbm(self) -> bytes:
        """A picture of what comes out, one pixel for each dot."""
        return b"P4\n%d %d\n" % (self.row_bytes * 8, self.rows) + self.dots


def read_zpl(sent: bytes) -> ReadLabel:
    """One label, in which every count and checksum is as it has to be."""
    found = WHOLE.fullmatch(sent.decode("ascii"))
    assert found, sent[:80]
    field = FIELD.fullmatch(found["data"])
    assert field, found["data"][:40]
    # CRC-16-CCITT with an initial value of 0, over the letters of the base64 text.
    assert int(field["crc"], 16) == binascii.crc_hqx(field["text"].encode(), 0)
    dots = zlib.decompress(base64.b64decode(field["text"], validate=True))
    assert len(dots) == int(found["size"])
    assert len(dots) % int(found["row"]) == 0
    assert int(found["sent"]) == len(found["data"])
    return ReadLabel(
        width=int(found["width"]),
        length=int(found["length"]),
        x=int(found["x"]),
        y=int(found["y"]),
        row_bytes=int(found["row"]),
        dots=dots,
    )


def scanned(picture: bytes, folder: Path, name: str) -> list[str]:
    """What zbar reads in a picture, as a reader at the till does."""
    file = folder / name
    file.write_bytes(picture)
    told = subprocess.run(
        ["zbarimg", "--quiet", str(file)], capture_output=True, check=False, timeout=30
    )
    return told.stdout.decode().splitlines()
