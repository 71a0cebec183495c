"""Numbers as they are looked for: without what people and labels put in between."""

from __future__ import annotations

import unicodedata
from typing import Final

SHORTEST: Final = 4
LONGEST: Final = 80
DIGEST_DIGITS: Final = 64
INDEXED_DIGEST_DIGITS: Final = 16
"""Of a certificate's digest; nobody types more, and a whole one is found by itself."""


def plain(text: str) -> str:
    """Letters and digits only, in their normal form and in capitals."""
    normal = unicodedata.normalize("NFKC", text[: LONGEST * 4]).upper()
    return "".join(letter for letter in normal if letter.isalnum())[:LONGEST]


def words_of(*numbers: str | None) -> str:
    """All of them as one text, none of which runs into the next."""
    return " ".join(filter(None, (plain(number) for number in numbers if number)))
