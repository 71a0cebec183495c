"""Damage as answers take it on their way.

Nothing here makes one valid answer into another: a digit never becomes a digit, and lists that
have no count and no end aren't shortened by whole lines, since nobody could see it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Final

Damage = Callable[[str, random.Random], str]

_RUINED: Final = "\x00\x07\x1b\x7f\ufffd?!#~ \t\u2028\u3000é縁"
"""What a character becomes: nothing that an answer could have meant."""
_NOISE: Final = ("\n", "\r\n", "\x00" * 8, "WARNING: linker: x\n", "null", "[", "]", "}")
_LONGEST: Final = 40
_VALUE: Final = re.compile(r"(?<=\]: \[)[^\]\n]+")


def cut(text: str, draw: random.Random) -> str:
    """The rest never came."""
    return text[: _place(text, draw)]


def cut_the_last_line(text: str, draw: random.Random) -> str:
    """The same, in the last line of a list, and in a script's answer never between two."""
    start = text.rstrip("\n").rfind("\n") + 1
    return text[: draw.randrange(start + 1, len(text))] if start + 1 < len(text) else text


def drop_lines(text: str, draw: random.Random) -> str:
    """Some lines in a row are missing."""
    lines = text.splitlines(keepends=True)
    start = draw.randrange(len(lines))
    return "".join(lines[:start] + lines[start + draw.randint(1, 3) :])


def ruin(text: str, draw: random.Random) -> str:
    """Some characters are no longer what they were."""
    characters = list(text)
    for _ in range(draw.randint(1, 2)):
        characters[_place(text, draw)] = draw.choice(_RUINED)
    return "".join(characters)


def ruin_a_value(text: str, draw: random.Random) -> str:
    """The same within a property's value; its name would be another property's."""
    found = draw.choice(list(_VALUE.finditer(text)))
    value = draw.choice((ruin, insert))(found[0], draw)
    return text[: found.start()] + value + text[found.end() :]


def lose(text: str, draw: random.Random) -> str:
    """A few characters within a line are missing, but no digit: a number would stay one."""
    start = _place(text, draw)
    end = min(start + draw.randint(1, _LONGEST), len(text))
    gone = text[start:end]
    whole = (start == 0 or text[start - 1] == "\n") and text[end : end + 1] in ("", "\n")
    kept = whole or "\n" in gone or re.search(r"[0-9]", gone) is not None
    return text if kept else text[:start] + text[end:]


def double(text: str, draw: random.Random) -> str:
    """A line has come twice."""
    lines = text.splitlines(keepends=True)
    start = draw.randrange(len(lines))
    return "".join(lines[: start + 1] + lines[start:])


def insert(text: str, draw: random.Random) -> str:
    """Something else has got between."""
    start = _place(text, draw)
    return text[:start] + draw.choice(_NOISE) + text[start:]


def as_in_dos(text: str, draw: random.Random) -> str:
    """Lines end with CR LF, all of them or some."""
    ends = ("\r\n",) if draw.random() < 0.5 else ("\n", "\r\n")
    lines = text.split("\n")
    return "".join(line + draw.choice(ends) for line in lines[:-1]) + lines[-1]


WITHIN_LINES: Final[tuple[Damage, ...]] = (cut_the_last_line, ruin, lose, double, insert, as_in_dos)
ANY: Final[tuple[Damage, ...]] = (*WITHIN_LINES, cut, drop_lines)


def _place(text: str, draw: random.Random) -> int:
    return draw.randrange(len(text))
