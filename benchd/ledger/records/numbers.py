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
    """All of them as they are indexed: each whole, then all its parts of `SHORTEST` letters.

    The whole one stands between its own parts and those of the number before it, so that nothing
    is found across two.
    """
    told = filter(None, (plain(number) for number in numbers if number))
    return " ".join(f"{whole_word(number)} {' '.join(parts_of(number))}" for number in told)


def whole_word(number: str) -> str:
    """What a whole number is indexed as; no part of any number looks like it."""
    return f"={number}"


def phrase_of(part: str) -> str:
    """A query for numbers with this in them, which is `plain` and not shorter than `SHORTEST`."""
    return f'"{" ".join(parts_of(part))}"'


def parts_of(number: str) -> list[str]:
    """All parts of `SHORTEST` letters of a number that is `plain`."""
    return [number[at : at + SHORTEST] for at in range(len(number) - SHORTEST + 1)]
