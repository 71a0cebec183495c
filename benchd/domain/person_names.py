"""What counts as a person's name, and when two names are one person."""

from __future__ import annotations

import unicodedata

from benchd.domain.errors import NameRefused
from benchd.domain.ids import OperatorName

LONGEST_NAME = 64

INVISIBLE = frozenset(
    {
        0x034F,
        *range(0x115F, 0x1161),
        *range(0x17B4, 0x17B6),
        *range(0x180B, 0x1810),
        0x2800,
        0x3164,
        *range(0xFE00, 0xFE10),
        0xFFA0,
        *range(0xE0100, 0xE01F0),
    }
)
"""Letters and marks that show nothing, though Python calls them printable.

Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties less the control, format and
unassigned ones, which aren't printable, and with the empty Braille pattern.
"""


def operator_name(text: str) -> OperatorName:
    """The name in its normal form (NFKC, single spaces), else NameRefused."""
    if any(ord(letter) in INVISIBLE for letter in text):
        message = (
            "an operator's name has no letters or marks that nobody can see;"
            " type it anew, without variants of characters"
        )
        raise NameRefused(message)
    name = " ".join(unicodedata.normalize("NFKC", text).split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        message = f"an operator's name has 1 to {LONGEST_NAME} printable characters"
        raise NameRefused(message)
    return OperatorName(name)


def same_person(one: str, other: str) -> bool:
    """Whether two names mean one person: case and width don't tell people apart."""

    def key(text: str) -> str:
        return " ".join(unicodedata.normalize("NFKC", text).casefold().split())

    return key(one) == key(other)
