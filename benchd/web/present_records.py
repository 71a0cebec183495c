"""From the handset file and the report to the API's objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

from benchd.texts.catalogue import Catalogue, Guidance
from benchd.web.records_objects import (
    CountObject,
    DisposalItemObject,
    DisposalListObject,
    FigureObject,
    FigureValueObject,
    FiledJobObject,
    FiledJobsObject,
    FoundHandsetObject,
    FoundObject,
    HandsetFileObject,
    ReportObject,
    ShareFigureObject,
    ShareObject,
)
from benchd.words.disposal import DisposalState, moves_from
from benchd.words.handset_file import DisposalLine, Found, HandsetFile, JobLine, Upto
from benchd.words.ids import JobId
from benchd.words.report import Counted, Figure, Report, Share


class RecordsPresenter:
    """Makes the objects of the read model's routes."""

    def __init__(
        self, catalogue: Catalogue, holder: Callable[[JobId], str | None] = lambda _: None
    ) -> None:
        """`holder` tells which other system holds back the handset of a job."""
        self._catalogue = catalogue
        self._holder = holder

    def found(self, found: Found, upto: Upto) -> FoundObject:
        """What was found."""
        handsets = [
            FoundHandsetObject.of(line, newest=self.job(line.newest)) for line in found.handsets
        ]
        return FoundObject.of(found, handsets=handsets, upto=upto)

    def file(self, file: HandsetFile, upto: Upto) -> HandsetFileObject:
        """A handset's file."""
        return HandsetFileObject.of(file, jobs=[self.job(job) for job in file.jobs], upto=upto)

    def items(self, items: Sequence[DisposalLine], upto: Upto) -> DisposalListObject:
        """What waits for somebody."""
        shown = [
            DisposalItemObject.of(item, job=self.job(item.job), moves=_moves(item.job))
            for item in items
        ]
        return DisposalListObject.of(items=shown, upto=upto)

    def jobs(self, jobs: Sequence[JobLine], upto: Upto) -> FiledJobsObject:
        """Jobs by their numbers."""
        return FiledJobsObject.of(jobs=[self.job(job) for job in jobs], upto=upto)

    def job(self, job: JobLine) -> FiledJobObject:
        """One job in short."""
        held_by = job.held_by(self._holder)
        return FiledJobObject.of(job, reason_text=self._reason(job), held_by=held_by)

    def _reason(self, job: JobLine) -> Guidance | None:
        if job.unerasable is not None:
            return self._catalogue.unerasable(job.unerasable)
        return None if job.reason is None else self._catalogue.reason(job.reason)


class ReportPresenter:
    """Makes the objects of `/api/v1/report`."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def report(self, report: Report, upto: Upto, days: Mapping[str, str]) -> ReportObject:
        """The figures, each value with its jobs; `days` is how they were asked for."""
        return ReportObject.of(
            report.asked,
            figures=[self._figure(figure, report.figures[figure]) for figure in Figure],
            consignors=[
                self._share(one, {**days, "consignor": one.consignor or ""})
                for one in report.consignors
            ],
            lots=[self._share(one, {**days, "lot": one.lot or ""}) for one in report.lots],
            upto=upto,
        )

    def _figure(self, figure: Figure, values: Mapping[str, Counted]) -> FigureObject:
        shown = [
            FigureValueObject.of(
                counted,
                self._catalogue.figure_value(figure, value),
                value=value,
                assets=counted.tags,
            )
            for value, counted in values.items()
        ]
        return FigureObject.of(figure=figure, text=self._catalogue.figure(figure), values=shown)

    def _share(self, share: Share, asked: Mapping[str, str]) -> ShareObject:
        return ShareObject.of(
            share,
            figures=[self._share_figure(figure, share.figures[figure]) for figure in Figure],
            with_jobs=f"/api/v1/report?{urlencode(asked)}",
        )

    def _share_figure(self, figure: Figure, values: Mapping[str, Counted]) -> ShareFigureObject:
        shown = [
            CountObject.of(counted, self._catalogue.figure_value(figure, value), value=value)
            for value, counted in values.items()
        ]
        text = self._catalogue.figure(figure)
        return ShareFigureObject.of(figure=figure, text=text, values=shown)


def _moves(job: JobLine) -> list[DisposalState]:
    """In the order of the states, so that a page shows them always alike."""
    allowed = moves_from(job.state, job.reason) if job.state else frozenset[DisposalState]()
    return [state for state in DisposalState if state in allowed]
