"""A dealer's grades: how a used handset looks and works, by the short codes of their own list."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

LONGEST_CODE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """One step of a list, with its name for people."""

    code: str
    ja: str
    en: str


@dataclass(frozen=True, slots=True)
class GradeScale:
    """The grades that may be given, the best first."""

    grades: tuple[Grade, ...]

    @property
    def codes(self) -> str:
        """All of them as a sentence names them."""
        return ", ".join(grade.code for grade in self.grades)

    def find(self, told: str) -> Grade | None:
        """The grade of this code, however wide or large somebody has typed it."""
        return next((grade for grade in self.grades if plain(grade.code) == plain(told)), None)


def plain(code: str) -> str:
    """A code as codes are compared: `ａ＋` is A+."""
    return unicodedata.normalize("NFKC", code).strip().casefold()


def _scale(*grades: tuple[str, str, str]) -> GradeScale:
    return GradeScale(tuple(Grade(code=code, ja=ja, en=en) for code, ja, en in grades))


RMJ: Final = _scale(
    ("S", "未使用品", "unused"),
    ("A", "美品", "fine"),
    ("B", "中程度品", "fair"),
    ("C", "使用済み品", "worn"),
    ("J", "ジャンク品", "junk"),
)
"""The five of the guideline of RMJ (リユースモバイルガイドライン): what its members sell by."""
ELEVEN: Final = _scale(
    ("S", "未使用品", "unused"),
    ("A+", "美品（上）", "fine, upper"),
    ("A", "美品", "fine"),
    ("A-", "美品（下）", "fine, lower"),
    ("B+", "中程度品（上）", "fair, upper"),
    ("B", "中程度品", "fair"),
    ("B-", "中程度品（下）", "fair, lower"),
    ("C+", "使用済み品（上）", "worn, upper"),
    ("C", "使用済み品", "worn"),
    ("C-", "使用済み品（下）", "worn, lower"),
    ("J", "ジャンク品", "junk"),
)
"""The same in eleven steps: each of the three in the middle has an upper and a lower one."""
PRESETS: Final[Mapping[str, GradeScale]] = MappingProxyType({"rmj": RMJ, "eleven": ELEVEN})
