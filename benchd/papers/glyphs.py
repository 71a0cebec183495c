"""Which characters the papers' font can show, and what stands for one that it can't."""

from __future__ import annotations

from typing import Final

from benchd.domain.plain_text import printable

_LATIN_ENDS: Final = 0x180
"""The font has all of Latin-1 and of Latin Extended-A that is printed."""


def settable(text: str, longest: int) -> str:
    """The text on one line of at most so many characters, each of which the font has.

    One that it lacks is told by its number, as in 〔U+20BB7〕: a page that left it out would name
    somebody else, and PDF/A allows no empty box in its place.
    """
    return printable(text, longest).translate(_Shown())


class _Shown(dict[int, str]):
    """Made for each text, since strangers choose the characters that it would remember."""

    def __missing__(self, code: int) -> str:
        return chr(code) if _has(code) else f"〔U+{code:04X}〕"


def _has(code: int) -> bool:
    if code < _LATIN_ENDS:
        return True
    try:
        # The Japanese Windows character set is what the font was drawn for.
        chr(code).encode("cp932")
    except UnicodeEncodeError:
        return False
    return True
