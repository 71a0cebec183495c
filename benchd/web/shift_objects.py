"""The JSON objects of the shift board, and how they are made from its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from benchd.domain.disposal import DisposalState
from benchd.domain.handset_file import Upto
from benchd.domain.job import Reason
from benchd.domain.operator_steps import Attended
from benchd.domain.plain_text import Language, printable
from benchd.domain.shift import Bin, FailedBy, Failures, ShiftFigures, Went
from benchd.texts.catalogue import Catalogue, Texts
from benchd.web.attended_objects import AttendedObject, attended_objects
from benchd.web.objects import TextsObject
from benchd.web.plots import Bar, Legend, horizontal_bars, standing_bars
from benchd.web.records_objects import FiledJobObject, RecordsPresenter, UptoObject
from benchd.web.serialiser import Foreign, Moment, Verbatim, WebObject


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
    """Handsets that wait for somebody, as of now, and the one that waits longest."""

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
    attended: list[AttendedObject]
    """Where people's time went in these jobs, the most first."""
    plots: list[PlotObject]
    bins: list[BinObject]
    upto: UptoObject


@dataclass(frozen=True, slots=True)
class ShiftPresenter:
    """Makes the object of the shift board."""

    catalogue: Catalogue

    def shift(
        self, told: ShiftFigures, bins: Sequence[Bin], upto: Upto, now: datetime
    ) -> ShiftObject:
        """The figures, each with the jobs that are in it, and the plots of them."""
        failures = [self._failures(by, told.failures[by]) for by in FailedBy]
        hours = [
            HourObject.of(hour, begin=_here(hour.begin), jobs=hour.done) for hour in told.hours
        ]
        return ShiftObject.of(
            told,
            now=_here(now),
            begin=_here(told.shift.begin),
            end=_here(told.shift.end),
            per_hour=told.per_hour(now),
            went=[self._went(where, jobs) for where, jobs in told.went.items()],
            hours=hours,
            ended=told.jobs,
            failures=failures,
            attended=attended_objects(self.catalogue, told.attended),
            plots=[
                self._of_hours(hours),
                *([self._of_people(told.attended)] if told.attended else []),
                *(self._of_failures(one) for one in failures if one.values),
            ],
            bins=[self._bin(one) for one in bins],
            upto=upto,
        )

    def _went(self, where: Went, jobs: Sequence[str]) -> WentObject:
        match where:
            case Went.SOLD:
                name = self.catalogue.text("board.sold")
            case Went.RECHECKED:
                name = self.catalogue.text("word.rechecked")
            case _:
                name = self.catalogue.disposal_state(DisposalState(where))
        return WentObject.of(name, value=where, jobs=jobs)

    def _failures(self, by: FailedBy, values: Sequence[Failures]) -> FailuresObject:
        title = self.catalogue.text(f"board.failed_by_{by}")
        failures = [
            FailureObject.of(one, self._name(by, one.value), jobs=one.failed) for one in values
        ]
        return FailuresObject.of(by=by, text=title, values=failures)

    def _name(self, by: FailedBy, value: str) -> Texts:
        shown = printable(value)
        if not shown:
            return self.catalogue.text("board.unknown")
        return self.catalogue.reason(Reason(value)) if by is FailedBy.REASON else _same(shown)

    def _of_hours(self, hours: Sequence[HourObject]) -> PlotObject:
        title = self.catalogue.text("board.hours")
        bars = [
            Bar(label=hour.begin[11:16], part=len(hour.sold), all=len(hour.jobs)) for hour in hours
        ]

        def drawn(language: Language) -> str:
            legend = self._legend(title.to(language), "board.sold", "board.done", language)
            return standing_bars("hours", legend, bars)

        return PlotObject(name="hours", svg=TextsObject(ja=drawn("ja"), en=drawn("en")))

    def _of_people(self, told: Sequence[Attended]) -> PlotObject:
        named = attended_objects(self.catalogue, told)

        def drawn(language: Language) -> str:
            title = self.catalogue.text("attended.title").to(language)
            legend = self._legend(title, "attended.minutes", "attended.minutes", language)
            bars = [
                Bar(label=one.to(language), part=minutes, all=minutes)
                for one in named
                if (minutes := round(one.seconds / 60))
            ]
            return horizontal_bars("attended", legend, bars, of_all=False)

        return PlotObject(name="attended", svg=TextsObject(ja=drawn("ja"), en=drawn("en")))

    def _of_failures(self, told: FailuresObject) -> PlotObject:
        def drawn(language: Language) -> str:
            legend = self._legend(told.text.to(language), "board.failed", "board.ended", language)
            bars = [
                Bar(label=one.to(language), part=len(one.jobs), all=one.ended)
                for one in told.values
            ]
            return horizontal_bars(told.by, legend, bars, of_all=told.by is not FailedBy.REASON)

        return PlotObject(name=told.by, svg=TextsObject(ja=drawn("ja"), en=drawn("en")))

    def _legend(self, title: str, part: str, whole: str, language: Language) -> Legend:
        def say(key: str) -> str:
            return self.catalogue.text(key).to(language)

        return Legend(title=title, part=say(part), all=say(whole), others=say("board.others"))

    def _bin(self, told: Bin) -> BinObject:
        oldest = RecordsPresenter(self.catalogue).job(told.oldest) if told.oldest else None
        return BinObject.of(told, self.catalogue.disposal_state(told.state), oldest=oldest)


def _here(at: datetime) -> datetime:
    """By the clock of the rack."""
    return at.astimezone()


def _same(text: str) -> Texts:
    return Texts(ja=text, en=text)
