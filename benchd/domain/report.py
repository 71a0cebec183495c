"""How many handsets came in, what was found in them and what became of each: a dealer's report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from benchd.domain.ids import JobId
from benchd.domain.intake import LotId, Tag
from benchd.domain.operator_steps import Attended


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
class Asked:
    """Of which handsets: those of jobs that were opened from `begin` until before `end`."""

    begin: datetime
    end: datetime
    lot: str | None = None
    """None is all, blank what is of none; so is the next."""
    consignor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many handsets count for a value, and which; blank where they weren't asked for."""

    handsets: int
    jobs: tuple[JobId, ...] = ()
    """One of each handset, its last."""
    tags: tuple[Tag, ...] = ()
    """Assets that couldn't be plugged in, so that there is no job of them."""


Figures = Mapping[Figure, Mapping[str, Counted]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The figures of one lot, or of one consignor; of None: what is of no lot."""

    lot: LotId | None
    consignor: str | None
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures of what was asked for, and the shares of each lot and each consignor in them."""

    asked: Asked
    figures: Figures
    lots: tuple[Share, ...]
    consignors: tuple[Share, ...]
    attended: tuple[Attended, ...]
    """Where the time of people went in the jobs of all these, the most first."""
