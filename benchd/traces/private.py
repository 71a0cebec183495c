"""What a handset says of its make, if nothing in it tells which one it is."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from benchd.texts.templates import printable
from benchd.words.ids import Evidence

LONGEST_WORD: Final = 60
SHORTEST_NUMBER: Final = 4
"""A shorter serial is no one's: it would be found in every word."""
_MANY_DIGITS: Final = re.compile(r"\d{8}")
"""No model has so many in a row; an IMEI and many a serial have."""


def numbers_of(opened: Evidence, inspected: Evidence | None) -> frozenset[str]:
    """All that tells this handset from others, in lower case."""
    told = [opened.get("usb_serial")]
    told += [(inspected or {}).get(name) for name in ("serial", "imei", "second_imei")]
    words = (word.strip().lower() for word in told if isinstance(word, str))
    return frozenset(word for word in words if len(word) >= SHORTEST_NUMBER)


def make_of(value: object, numbers: Collection[str]) -> str | None:
    """A maker or model in plain letters; None where it has one of the numbers in it."""
    if not isinstance(value, str):
        return None
    word = printable(value, LONGEST_WORD)
    told = word.lower()
    hidden = _MANY_DIGITS.search(word) or any(number in told for number in numbers)
    return None if hidden or not word else word
