"""The JSON object of where people's time went, and how it is made."""

from __future__ import annotations

from collections.abc import Iterable

from benchd.domain.job import StageName
from benchd.domain.operator_steps import Attended, AttendedStep
from benchd.texts.catalogue import Catalogue, Texts
from benchd.web.objects import TextsObject
from benchd.web.serialiser import Verbatim


class AttendedObject(TextsObject):
    """How long slots have waited for people in one step: in a stage, or between two jobs.

    Somebody who serves several slots at once counts in each.
    """

    step: Verbatim
    handsets: int
    waits: int
    """Stretches of at most half an hour."""
    seconds: float
    """Their sum."""
    seconds_each: float
    """For each of these handsets."""
    breaks: int
    """Longer stretches, whose time isn't counted."""


def attended_objects(catalogue: Catalogue, told: Iterable[Attended]) -> list[AttendedObject]:
    """One of each step, in the same order."""
    return [AttendedObject.of(one, _name(catalogue, one.step)) for one in told]


def _name(catalogue: Catalogue, step: AttendedStep) -> Texts:
    if isinstance(step, StageName):
        return catalogue.stage(step)
    return catalogue.named("between_jobs", step)
