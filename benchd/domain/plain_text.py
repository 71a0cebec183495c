"""Foreign text made fit to be shown, and the languages that people are told in."""

from __future__ import annotations

from typing import Literal

Language = Literal["ja", "en"]


LONGEST_VALUE = 80
"""Characters of one filled-in value; a model or serial that is longer is cut."""


def printable(text: str, longest: int = LONGEST_VALUE) -> str:
    """The text on one line, bounded, without what could steer a terminal or turn its order.

    Control and format characters, surrogates and unassigned code points fall out; every kind
    of white space becomes a space.
    """
    bounded = text[: longest * 4]
    kept = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in bounded)
    kept = " ".join(kept.split())
    return kept if len(kept) <= longest else f"{kept[: longest - 1]}…"
