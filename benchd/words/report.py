"""How many handsets came in, what was found in them and what became of each: a dealer's report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from benchd.words.ids import JobId


class Figure(StrEnum):
    """What is counted; each is of handsets, not of jobs."""

    CAME_IN = "came_in"
    WITH_DATA = "with_data"
    """By whether the last owner's data was still live: with, without, or not looked at."""
    FELICA = "felica"
    """By what the first look at the chip has found."""
    NOT_ERASABLE = "not_erasable"
    """By the reason of the last job, where it has failed."""
    DISPOSITION = "disposition"
    """By where the last job has sent it."""
    BECAME = "became"
    """By what has become of it until now."""


class DataFound(StrEnum):
    """Whether the last owner's data was still live as it came in."""

    WITH = "with"
    WITHOUT = "without"
    UNKNOWN = "unknown"


class Became(StrEnum):
    """What is told beside the states of `DisposalState`."""

    SOLD = "sold"
    """Certified, so it may be."""
    RUNNING = "running"


ALL = "all"
"""The one value of a figure that isn't divided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures of a time; each value has one job for each handset that is counted in it."""

    begin: datetime
    end: datetime
    """The first moment that isn't in it any more."""
    lot: str | None
    figures: Mapping[Figure, Mapping[str, tuple[JobId, ...]]]
