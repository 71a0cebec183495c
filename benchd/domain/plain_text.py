"""Foreign text made fit to be shown, figures as people read them, and the languages of people."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["ja", "en"]


LONGEST_VALUE = 80
"""Characters of one filled-in value; a model or serial that is longer is cut."""
UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def printable(text: str, longest: int = LONGEST_VALUE) -> str:
    """The text on one line, bounded, without what could steer a terminal or turn its order.

    Control and format characters, surrogates and unassigned code points fall out; every kind
    of white space becomes a space.
    """
    bounded = text[: longest * 4]
    kept = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in bounded)
    kept = " ".join(kept.split())
    return kept if len(kept) <= longest else f"{kept[: longest - 1]}…"


def size(count: int) -> str:
    """Bytes in the units that storage is sold with, never more than there are: 58.2 GB."""
    return _in_units(count, up=False)


def size_at_most(count: int) -> str:
    """The same, never less than there are: for what is left, or wasn't reached."""
    return _in_units(count, up=True)


def _in_units(count: int, *, up: bool) -> str:
    unit, scale = 0, 1
    while count >= scale * 1000 and unit < len(UNITS) - 1:
        unit, scale = unit + 1, scale * 1000
    if not unit:
        return f"{count} B"
    value = -(-count * 10 // scale) if up else count * 10 // scale
    return f"{value // 10}.{value % 10} {UNITS[unit]}"
