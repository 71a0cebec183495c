"""A known value of a person wherever it is written: inside other words, in any case, grouped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from benchd.devices.android.dossier.personal_values import Found
from benchd.devices.android.dossier.pseudonyms import IMEI_WITHOUT_CHECK, SEPARATED, bare
from benchd.domain.dossier import PersonalKind
from benchd.domain.imei import is_imei

MOST_VALUES: Final = 200
"""Which are looked for everywhere; what else is found is replaced at its own place."""
_NAMES: Final = frozenset(
    {
        PersonalKind.ACCOUNT,
        PersonalKind.USER,
        PersonalKind.DEVICE_NAME,
        PersonalKind.ORGANISATION,
        PersonalKind.NETWORK,
        PersonalKind.FILE,
    }
)
"""What people call things: words, which may be parts of others."""
_SHORTEST_NAME: Final = 3
_SHORTEST_NAME_BEYOND_ASCII: Final = 2
_SHORTEST_NUMBER: Final = 6
_BETWEEN: Final = "[ :-]?"


class _Edge(Enum):
    """What may not stand right beside the value."""

    ANY = auto()
    DIGIT = auto()
    WORD = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A value, and how to find it."""

    one: Found
    key: str
    """What a text has to hold, in lower case and without separators where it may have them."""
    edge: _Edge
    grouped: re.Pattern[str] | None

    def places(self, lower: str) -> Iterator[tuple[int, int]]:
        """Where it stands in a text in lower case."""
        if self.grouped is not None:
            yield from (match.span() for match in self.grouped.finditer(lower))
            return
        start = lower.find(self.key)
        while start >= 0:
            end = start + len(self.key)
            if self._is_apart(lower, start, end):
                yield start, end
            start = lower.find(self.key, end)

    def _is_apart(self, lower: str, start: int, end: int) -> bool:
        beside = (lower[start - 1 : start], lower[end : end + 1])
        return not any(_holds(self.edge, letter) for letter in beside)


def looked_for(known: Iterable[Found]) -> list[Known]:
    """What is replaced wherever it stands, the longest first: it may hold another one."""
    longest_first = sorted(known, key=lambda one: -len(one.value))
    return [value for one in longest_first if (value := _known(one)) is not None][:MOST_VALUES]


def lowered(text: str) -> str:
    """The text in lower case, each character at its place."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)


def _known(one: Found) -> Known | None:
    """None for what is too short to be told from anything else."""
    key = bare(one.kind, one.value)
    if is_imei(key):
        # Its form with a software version lacks the check digit.
        head, check = key[:IMEI_WITHOUT_CHECK], key[IMEI_WITHOUT_CHECK:]
        grouped = rf"(?<![0-9]){_BETWEEN.join(head)}(?:{_BETWEEN}{check})?"
        return Known(one=one, key=head, edge=_Edge.ANY, grouped=re.compile(grouped))
    named = one.kind in _NAMES and not key.isdigit()
    if len(key) < (_shortest_name(key) if named else _SHORTEST_NUMBER):
        return None
    edge = _Edge.DIGIT if key.isdigit() else _Edge.WORD if named else _Edge.ANY
    grouped = None
    if one.kind in SEPARATED:
        apart = "(?<![0-9]){}(?![0-9])" if edge is _Edge.DIGIT else "{}"
        grouped = re.compile(apart.format(_BETWEEN.join(map(re.escape, key))))
    return Known(one=one, key=key, edge=edge, grouped=grouped)


def _shortest_name(key: str) -> int:
    return _SHORTEST_NAME if key.isascii() else _SHORTEST_NAME_BEYOND_ASCII


def _holds(edge: _Edge, letter: str) -> bool:
    match edge:
        case _Edge.ANY:
            return False
        case _Edge.DIGIT:
            return letter.isascii() and letter.isdigit()
        case _Edge.WORD:
            return letter.isascii() and letter.isalnum()
