"""What counts as a person's name, and when two names are one person."""

from __future__ import annotations

import unicodedata

from benchd.errors import NameRefused
from benchd.words.ids import OperatorName

LONGEST_NAME = 64


def operator_name(text: str) -> OperatorName:
    """The name in its normal form (NFKC, single spaces), else NameRefused."""
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
