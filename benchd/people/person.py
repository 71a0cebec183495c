"""What the id, reading, badge and PIN of a person may look like."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from benchd.domain.errors import PersonRefused
from benchd.domain.people import PERSON_ID, PersonId
from benchd.domain.person_names import operator_name

SHORTEST_PIN, LONGEST_PIN = 6, 12
SHORTEST_BADGE, LONGEST_BADGE = 6, 128

_PIN = re.compile(rf"[0-9]{{{SHORTEST_PIN},{LONGEST_PIN}}}")
_BADGE = re.compile(rf"[!-~]{{{SHORTEST_BADGE},{LONGEST_BADGE}}}")
_BADGES = re.compile(rf"[!-~]{{{SHORTEST_BADGE},}}")
_SYMBOLOGY = re.compile(r"^\][A-Za-z][0-9A-Za-z]")
"""Before the data of a code (ISO/IEC 15424)."""
_BETWEEN = re.compile(r"[,;]")
_MADE = re.compile(r"BD:P:", re.IGNORECASE)


def person_id(text: str) -> PersonId:
    """The text, if it can be the id of a person; else PersonRefused."""
    if not PERSON_ID.fullmatch(text):
        message = "an id has 1 to 32 lower-case letters a-z, digits and hyphens between them"
        raise PersonRefused(message)
    return PersonId(text)


def reading_of(text: str) -> str:
    """How a name is read, in kana or letters; empty where nobody has said. Else NameRefused."""
    return operator_name(text) if text.strip() else ""


def pin_of(text: str) -> str:
    """The PIN, its digits of any width; PersonRefused for one that anybody would try first."""
    pin = unicodedata.normalize("NFKC", text).strip()
    if not _PIN.fullmatch(pin):
        message = f"a PIN has {SHORTEST_PIN} to {LONGEST_PIN} digits"
        raise PersonRefused(message)
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        message = "this PIN is one that anybody would try first: no run and no repeated digit"
        raise PersonRefused(message)
    return pin


def badges_in(text: str) -> Iterator[str]:
    """All that might be a badge's code in a text: whatever stands between spaces or other letters.

    A reader may say before it of what kind the symbol was, and types into whatever stands there.
    """
    for run in _BADGES.findall(unicodedata.normalize("NFKC", text)):
        yield from dict.fromkeys((run, _SYMBOLOGY.sub("", run), *_BETWEEN.split(run)))


def is_made_badge(text: str) -> bool:
    """Whether the code of a badge that benchd has made stands in it, of whichever rack."""
    return _MADE.search(unicodedata.normalize("NFKC", text)) is not None


def badge_of(text: str) -> str:
    """The code that a badge's reader types; else PersonRefused."""
    badge = unicodedata.normalize("NFKC", text).strip()
    if not _BADGE.fullmatch(badge):
        message = (
            f"a badge's code has {SHORTEST_BADGE} to {LONGEST_BADGE} letters, digits and signs of"
            " ASCII, without spaces; set the reader to type it and nothing else"
        )
        raise PersonRefused(message)
    return badge
