"""ZPL, the language of label printers: a label from a picture, and how a printer says it is.

To `~HS` it answers as the ZPL II programming guide has it: three lines, each between STX and ETX.
Of the first the second field says that there is no paper and the third that it is paused, of the
second the third says that the head is open and the fourth that the ribbon is out.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from dataclasses import dataclass

from benchd.papers.labels.png_shades import shades_of

HALF = 127
"""Darker than this is a dot: nothing is dithered, which would tear letters and codes."""
ASK_STATUS = b"~HS"
STATUS_LINES = 3
LONGEST_STATUS = 512

_IS_DOT = b"1" * (HALF + 1) + b"0" * (255 - HALF)
_LINE = re.compile(rb"\x02([^\x02\x03]*)\x03")


def zpl_of(png: bytes) -> bytes:
    """A whole label in ZPL: its size in dots, and the picture as one graphic field.

    The picture carries the Japanese, so that no printer needs a font for it.
    """
    rows = shades_of(png)
    width = len(rows[0])
    row_bytes = -(-width // 8)
    dots = b"".join(_packed(row, row_bytes) for row in rows)
    text = base64.b64encode(zlib.compress(dots))
    # CRC-16-CCITT, over the letters.
    field = b":Z64:%s:%04X" % (text, binascii.crc_hqx(text, 0))
    size = b"^PW%d\n^LL%d\n" % (width, len(rows))
    sent = b"^FO0,0^GFA,%d,%d,%d,%s^FS\n" % (len(field), len(dots), row_bytes, field)
    return b"^XA\n" + size + sent + b"^XZ\n"


def _packed(row: bytes, row_bytes: int) -> bytes:
    """A bit for each dot, the first the highest; what fills the last byte stays white."""
    return int(row.translate(_IS_DOT).ljust(row_bytes * 8, b"0"), 2).to_bytes(row_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStatus:
    """How the printer says it is."""

    paper_out: bool
    paused: bool
    head_open: bool
    ribbon_out: bool

    @property
    def needs_a_person(self) -> bool:
        """Whether it prints nothing until somebody comes."""
        return self.paper_out or self.paused or self.head_open or self.ribbon_out


def is_whole_status(answer: bytes) -> bool:
    """Whether all three lines have come."""
    return len(_LINE.findall(answer)) >= STATUS_LINES


def read_status(answer: bytes) -> HostStatus | None:
    """The status in an answer; None for what isn't one."""
    lines = [found.split(b",") for found in _LINE.findall(answer)]
    if len(lines) < STATUS_LINES or len(lines[0]) < 12 or len(lines[1]) < 11:
        return None
    flags = (lines[0][1], lines[0][2], lines[1][2], lines[1][3])
    if any(flag.strip() not in (b"0", b"1") for flag in flags):
        return None
    paper_out, paused, head_open, ribbon_out = (flag.strip() == b"1" for flag in flags)
    return HostStatus(
        paper_out=paper_out, paused=paused, head_open=head_open, ribbon_out=ribbon_out
    )
