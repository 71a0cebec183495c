"""From a shift's figures to the API's objects; every foreign string is cleaned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from benchd.texts.catalogue import Catalogue, Texts, printable
from benchd.web.objects import TextsObject
from benchd.web.plots import Bar, Legend, lying_bars, standing_bars
from benchd.web.present_records import RecordsPresenter, upto_object
from benchd.web.shift_objects import (
    BinObject,
    FailureObject,
    FailuresObject,
    HourObject,
    PlotObject,
    ShiftObject,
    WentObject,
)
from benchd.words.disposal import DisposalState
from benchd.words.handset_file import Upto
from benchd.words.job import Reason
from benchd.words.shift import Bin, FailedBy, Failures, ShiftFigures, Went

_LANGUAGES: Final[tuple[Literal["ja", "en"], ...]] = ("ja", "en")


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
            HourObject(
                begin=_here(hour.begin).isoformat(), jobs=list(hour.done), sold=list(hour.sold)
            )
            for hour in told.hours
        ]
        return ShiftObject(
            now=_here(now).isoformat(),
            begin=_here(told.shift.begin).isoformat(),
            end=_here(told.shift.end).isoformat(),
            handsets=told.handsets,
            share_sold=told.share_sold,
            per_hour=told.per_hour(now),
            went=[self._went(where, jobs) for where, jobs in told.went.items()],
            hours=hours,
            ended=told.jobs,
            failed=list(told.failed),
            failures=failures,
            plots=self._plots(hours, failures),
            bins=[self._bin(one) for one in bins],
            upto=upto_object(upto),
        )

    def _went(self, where: Went, jobs: Sequence[str]) -> WentObject:
        name = (
            self.catalogue.text("board.sold")
            if where is Went.SOLD
            else self.catalogue.disposal_state(DisposalState(where))
        )
        return WentObject(value=where, ja=name.ja, en=name.en, jobs=list(jobs))

    def _failures(self, by: FailedBy, values: Sequence[Failures]) -> FailuresObject:
        title = self.catalogue.text(f"board.failed_by_{by}")
        return FailuresObject(
            by=by,
            text=TextsObject(ja=title.ja, en=title.en),
            values=[self._failure(by, one) for one in values],
        )

    def _failure(self, by: FailedBy, told: Failures) -> FailureObject:
        name = self._name(by, told.value)
        return FailureObject(
            value=printable(told.value),
            ja=name.ja,
            en=name.en,
            jobs=list(told.failed),
            ended=told.ended,
        )

    def _name(self, by: FailedBy, value: str) -> Texts:
        shown = printable(value)
        if not shown:
            return self.catalogue.text("board.unknown")
        return self.catalogue.reason(Reason(value)) if by is FailedBy.REASON else _same(shown)

    def _plots(
        self, hours: Sequence[HourObject], failures: Sequence[FailuresObject]
    ) -> list[PlotObject]:
        by_hour = [
            Bar(label=f"{hour.begin[11:16]}", part=len(hour.sold), all=len(hour.jobs))
            for hour in hours
        ]
        of_hours = {
            language: standing_bars("hours", self._of_hours(language), by_hour)
            for language in _LANGUAGES
        }
        return [
            PlotObject(name="hours", svg=TextsObject(**of_hours)),
            *(self._plot(one) for one in failures if one.values),
        ]

    def _plot(self, told: FailuresObject) -> PlotObject:
        drawn = {
            language: lying_bars(
                told.by,
                self._of_failures(told, language),
                [
                    Bar(
                        label=one.ja if language == "ja" else one.en,
                        part=len(one.jobs),
                        all=one.ended,
                    )
                    for one in told.values
                ],
                of_all=told.by is not FailedBy.REASON,
            )
            for language in _LANGUAGES
        }
        return PlotObject(name=told.by, svg=TextsObject(**drawn))

    def _of_hours(self, language: Literal["ja", "en"]) -> Legend:
        def say(key: str) -> str:
            return self.catalogue.text(key).to(language)

        return Legend(
            title=say("board.hours"),
            part=say("board.sold"),
            all=say("board.done"),
            others=say("board.others"),
        )

    def _of_failures(self, told: FailuresObject, language: Literal["ja", "en"]) -> Legend:
        def say(key: str) -> str:
            return self.catalogue.text(key).to(language)

        return Legend(
            title=told.text.ja if language == "ja" else told.text.en,
            part=say("board.failed"),
            all=say("board.ended"),
            others=say("board.others"),
        )

    def _bin(self, told: Bin) -> BinObject:
        name = self.catalogue.disposal_state(told.state)
        return BinObject(
            state=told.state,
            ja=name.ja,
            en=name.en,
            handsets=told.handsets,
            oldest=RecordsPresenter(self.catalogue).job(told.oldest) if told.oldest else None,
        )


def _here(at: datetime) -> datetime:
    """By the clock of the rack."""
    return at.astimezone()


def _same(text: str) -> Texts:
    return Texts(ja=text, en=text)
