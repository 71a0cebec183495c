"""Marks: what stands in a dossier in the place of a personal value, of the same form and nobody's.

The number of a mark is that of its value among those of its kind, so a dossier that is masked
once more stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from benchd.domain.dossier import PersonalKind
from benchd.domain.imei import IMEI_DIGITS, is_imei

SEPARATED: Final = frozenset(
    {PersonalKind.IMEI, PersonalKind.SUBSCRIBER, PersonalKind.PHONE, PersonalKind.ADDRESS}
)
"""Kinds of which the same value is written with separators or without."""
_SEPARATORS: Final = re.compile(r"[ :-]")
_TEST_TAC: Final = "00100000"
"""Type allocation codes that begin with 00 are for tests: no handset that is sold has one.
Source: GSMA TS.06."""
_MAC: Final = re.compile(r"[0-9a-f]{12}")
_LOCAL_MAC: Final = "0200000000"
"""Locally administered (IEEE 802c), so it's nobody's."""
_TOP_LEVEL: Final = ".test"
"""Reserved: RFC 2606."""
_KEPT: Final = {PersonalKind.PHONE: 3, PersonalKind.SUBSCRIBER: 5}
"""The first characters of a number that say its country or its network, not whose it is."""
_HEXADECIMAL: Final = re.compile(r"[0-9a-f]*[a-f][0-9a-f]*")
_BEYOND_ASCII: Final = "甲乙丙丁戊己庚辛壬癸"
_BEYOND_16_BITS: Final = "𠮷"
_MOST_TRIES: Final = 1000


def bare(kind: PersonalKind, value: str) -> str:
    """The value without what only groups it, in one case: equal ones are the same value."""
    return _SEPARATORS.sub("", value).lower() if kind in SEPARATED else value.lower()


class Marks:
    """The marks of one dossier: equal values have equal ones, different values different ones."""

    def __init__(self, originals: Collection[str]) -> None:
        self._originals = frozenset(original.lower() for original in originals)
        self._marks: dict[str, str] = {}
        self._counts: dict[PersonalKind, int] = {}
        self._taken: set[str] = set()

    def of(self, kind: PersonalKind, value: str, written: str | None = None) -> str:
        """The mark of a value as it is written: with its separators, in the case of its letters."""
        key = bare(kind, value)
        if key not in self._marks:
            self._marks[key] = self._next(kind, key)
        return _fill(kind, value if written is None else written, self._marks[key])

    def _next(self, kind: PersonalKind, key: str) -> str:
        mark = key
        for _ in range(_MOST_TRIES):
            self._counts[kind] = self._counts.get(kind, 0) + 1
            mark = _mark(kind, key, self._counts[kind])
            if mark not in self._taken and (mark == key or mark not in self._originals):
                break
        self._taken.add(mark)
        return mark


def _fill(kind: PersonalKind, written: str, mark: str) -> str:
    rest = iter(mark)
    return "".join(
        letter
        if kind in SEPARATED and _SEPARATORS.fullmatch(letter)
        else _cased(letter, next(rest, letter))
        for letter in written
    )


def _cased(like: str, letter: str) -> str:
    return letter.upper() if like.isascii() and like.isupper() else letter


def _mark(kind: PersonalKind, value: str, number: int) -> str:
    if is_imei(value):
        return _imei(number)
    if kind is PersonalKind.ADDRESS and _MAC.fullmatch(value):
        return f"{_LOCAL_MAC}{number % 256:02x}"
    if kind is PersonalKind.MAIL or ("@" in value and kind is PersonalKind.ACCOUNT):
        return _mail(value, number)
    kept = _KEPT.get(kind, 0)
    return value[:kept] + alike(value[kept:], number)


def _imei(number: int) -> str:
    body = f"{_TEST_TAC}{number % 10**6:06}"
    return next(body + digit for digit in "0123456789" if is_imei(body + digit))


def _mail(value: str, number: int) -> str:
    """Of the same length, so that it can stand in a dump."""
    name, _, domain = value.rpartition("@")
    if len(domain) <= len(_TOP_LEVEL):
        return alike(value, number)
    head = domain[: -len(_TOP_LEVEL)].replace(".", "a")
    return alike(f"{name}@{head}", number) + _TOP_LEVEL


def alike(value: str, number: int) -> str:
    """Characters of the same classes in which the number is written, its last place last."""
    letters = 6 if _HEXADECIMAL.fullmatch(value) else 26
    made: list[str] = []
    for letter in reversed(value):
        choice = _choice(letter, letters)
        number, place = divmod(number, len(choice))
        made.append(choice[place])
    return "".join(reversed(made))


def _choice(letter: str, letters: int) -> str:
    if letter.isascii():
        if letter.isdigit():
            return "0123456789"
        if letter.isalpha():
            return "abcdefghijklmnopqrstuvwxyz"[:letters]
        return letter
    if letter.isspace():
        return letter
    return _BEYOND_ASCII if ord(letter) <= 0xFFFF else _BEYOND_16_BITS


IMEI_WITHOUT_CHECK: Final = IMEI_DIGITS - 1
"""Digits of an IMEI that stand in its form with a software version, which has no check digit."""
