"""The [grades] table: which grades people may give handsets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from benchd.config.config_values import OneLine, Section
from benchd.config.mistake_wording import found, refused
from benchd.domain.grade import LONGEST_CODE, PRESETS, Grade, GradeScale, plain

MOST_GRADES = 40
LONGEST_NAME = 40


def _code(code: str) -> str:
    if not code.isprintable() or any(sign.isspace() for sign in code):
        raise refused(f"found {found(code)}, allowed are visible characters without spaces")
    return code


Name = Annotated[OneLine, Field(max_length=LONGEST_NAME)]


class GradeSection(Section):
    """One grade of a dealer's own list."""

    code: Annotated[
        str, StringConstraints(min_length=1, max_length=LONGEST_CODE), AfterValidator(_code)
    ]
    ja: Name
    en: Name


def _each_once(own: list[GradeSection]) -> list[GradeSection]:
    seen: set[str] = set()
    for grade in own:
        if plain(grade.code) in seen:
            raise refused(f"found {found(grade.code)} twice, allowed is each grade once")
        seen.add(plain(grade.code))
    return own


class GradesSection(Section):
    """A list that is known, or the dealer's own."""

    preset: Literal["rmj", "eleven"] = "rmj"
    own: Annotated[
        list[GradeSection], Field(max_length=MOST_GRADES), AfterValidator(_each_once)
    ] = Field(default_factory=list[GradeSection])

    @property
    def scale(self) -> GradeScale:
        """The grades that may be given."""
        if not self.own:
            return PRESETS[self.preset]
        return GradeScale(tuple(Grade(code=g.code, ja=g.ja, en=g.en) for g in self.own))
