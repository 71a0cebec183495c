"""Which handsets' papers somebody asks for, and where each of those handsets stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from benchd.domain.handset_file import JobLine, Upto
from benchd.domain.ids import JobId


class PapersOf(StrEnum):
    """By what handsets are chosen."""

    LOT = "lot"
    DAY = "day"
    CONSIGNOR = "consignor"


class Standing(StrEnum):
    """Why there is a certificate of a handset's job, or none."""

    CERTIFIED = "certified"
    """The rack has signed one for it, and vouches for it now."""
    NOT_CERTIFIED = "not_certified"
    """It ended otherwise; its reason says how."""
    RUNNING = "running"
    NOT_RUN = "not_run"
    """An asset that was listed and never came into the rack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPapers:
    """Of which handsets: by a name, or those whose jobs ended from `begin` until before `end`."""

    of: PapersOf
    name: str
    """The lot, the consignor, or the day as YYYY-MM-DD."""
    begin: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedJob:
    """A job that was asked for, and whether the same handset has been in a later one."""

    line: JobLine
    newest_job: JobId
    """The newest of its handset, or of one that nobody can tell from it, asked for or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The jobs that were asked for, in the order in which they were opened, as of one record."""

    jobs: tuple[ListedJob, ...]
    upto: Upto
