"""The JSON objects of grades, and of how worn a battery is: beside a certificate, never in it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from benchd.domain.grade import GradeScale
from benchd.domain.handset import BatteryMethod, BatteryWear
from benchd.domain.people import ShownBy
from benchd.intake.intake_desk import LONGEST_TEXT
from benchd.proof.grade_book import Graded
from benchd.web.serialiser import Foreign, Moment, Verbatim, WebObject, WebRequest


class GradeObject(WebObject):
    """One grade of the dealer's list."""

    code: Verbatim
    ja: Verbatim
    en: Verbatim


class GradeScaleObject(WebObject):
    """The grades that may be given, the best first."""

    grades: list[GradeObject]


class GradedObject(GradeObject):
    """A grade that a person has given, as the list called it then."""

    sequence: int
    """The number of its record; of two the higher one counts."""
    at: Moment
    tag: Verbatim | None
    lot: Verbatim | None
    job: Verbatim | None
    note: Foreign
    operator: Foreign
    person: Verbatim | None
    shown_by: ShownBy | None


class GradeRequest(WebRequest):
    """What somebody says of a handset."""

    grade: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
    """A code of the list."""
    note: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""
    operator: Annotated[str | None, Field(max_length=LONGEST_TEXT)] = None


class BatteryObject(WebObject):
    """How worn a battery is; null where nothing has told, and each number with what has."""

    health_percent: int | None
    health_method: BatteryMethod | None
    cycles: int | None
    cycles_method: BatteryMethod | None


def scale_shown(scale: GradeScale) -> GradeScaleObject:
    """The dealer's list."""
    return GradeScaleObject(grades=[GradeObject.of(grade) for grade in scale.grades])


def graded_shown(graded: Graded) -> GradedObject:
    """One that was given."""
    by = graded.told.by
    return GradedObject.of(
        graded, graded.told, operator=by.operator, person=by.person, shown_by=by.shown_by
    )


def battery_shown(battery: BatteryWear) -> BatteryObject:
    """What an inspection has heard of it."""
    return BatteryObject.of(battery)
