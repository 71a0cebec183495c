"""The answer of `service call iphonesubinfo 1`: a parcel, dumped as hexadecimal words.

The meaning of the call's number differs between releases and newer ones refuse it, so only
what is an IMEI beyond doubt is taken for one.
"""

from __future__ import annotations

import re
import struct
from typing import Final

from benchd.words.imei import IMEI_DIGITS, is_imei

# Blanks, not all white space: what may run over line ends takes hours for a megabyte of them.
_WORDS: Final = re.compile(
    r"(?:^|Parcel\() *(?:0x[0-9a-f]{8}: )?((?:[0-9a-f]{8} +)+)'", re.MULTILINE
)
_NO_EXCEPTION: Final = 0


def read_imei(text: str) -> str | None:
    """The IMEI; None where the handset refuses, has none or says anything else."""
    words = [int(word, 16) for found in _WORDS.findall(text) for word in found.split()]
    if len(words) < 2 or words[0] != _NO_EXCEPTION or words[1] != IMEI_DIGITS:
        return None
    characters = struct.pack(f"<{len(words) - 2}I", *words[2:])
    if len(characters) < 2 * IMEI_DIGITS + 2 or any(characters[2 * IMEI_DIGITS :]):
        return None
    number = characters[: 2 * IMEI_DIGITS].decode("utf-16-le", errors="replace")
    return number if is_imei(number) else None
