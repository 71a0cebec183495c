"""The JSON objects of the shift board."""

from __future__ import annotations

from benchd.web.objects import TextsObject
from benchd.web.records_objects import FiledJobObject, UptoObject
from benchd.web.serialiser import Foreign, Moment, Verbatim, WebObject
from benchd.words.disposal import DisposalState
from benchd.words.shift import FailedBy, Went


class WentObject(TextsObject):
    """Where handsets go, by the last job of each in the shift."""

    value: Went
    jobs: list[Verbatim]


class HourObject(WebObject):
    """One hour of the shift: the last job of each handset that was done in it."""

    begin: Moment
    jobs: list[Verbatim]
    sold: list[Verbatim]


class FailureObject(TextsObject):
    """Failed jobs of one model, of one slot or for one reason."""

    value: Foreign
    jobs: list[Verbatim]
    ended: int
    """How many jobs have ended; for a reason, all of the shift."""


class FailuresObject(WebObject):
    """What failed in the shift, most often first."""

    by: FailedBy
    text: TextsObject
    values: list[FailureObject]


class PlotObject(WebObject):
    """A picture of one of the figures, as SVG in each language."""

    name: Verbatim
    svg: TextsObject


class BinObject(TextsObject):
    """Handsets that wait for somebody, as of now, and the one whose job is the oldest."""

    state: DisposalState
    handsets: int
    oldest: FiledJobObject | None


class ShiftObject(WebObject):
    """What a shift has done, by the rack's own clock; `end` isn't in it any more."""

    now: Moment
    begin: Moment
    end: Moment
    handsets: int
    """How many are done; each counts once."""
    share_sold: float | None
    per_hour: float | None
    """Of what has passed of the shift; null in its first hour."""
    went: list[WentObject]
    hours: list[HourObject]
    ended: int
    """How many jobs have ended; of a handset it may be several."""
    failed: list[Verbatim]
    """The jobs among them that failed or were cut short."""
    failures: list[FailuresObject]
    plots: list[PlotObject]
    bins: list[BinObject]
    upto: UptoObject
