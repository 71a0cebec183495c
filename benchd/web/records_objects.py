"""The JSON objects of the handset file, of disposal and of the report, and how they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from pydantic import AfterValidator, Field

from benchd.domain.chip import ChipVerdict
from benchd.domain.disposal import DisposalState, moves_from
from benchd.domain.handset import BatteryWear
from benchd.domain.handset_file import DisposalLine, Found, HandsetFile, JobLine, ToldBy, Upto
from benchd.domain.ids import JobId
from benchd.domain.intake import Unerasable
from benchd.domain.job import Disposition, Outcome, Reason
from benchd.domain.report import Counted, Figure, Report, Share
from benchd.intake.intake_desk import LONGEST_TEXT
from benchd.proof.grade_book import Graded
from benchd.slots.disposal_desk import LONGEST_NOTE, LONGEST_NUMBER
from benchd.texts.catalogue import Catalogue, Guidance
from benchd.web.attended_objects import AttendedObject, attended_objects
from benchd.web.grade_objects import (
    BatteryObject,
    GradedObject,
    battery_shown,
    graded_shown,
)
from benchd.web.objects import LONGEST_OPERATOR, GuidanceObject, TextsObject, without_controls
from benchd.web.serialiser import Foreign, Moment, Verbatim, WebObject, WebRequest, cleaned

Longer = Annotated[str, cleaned(LONGEST_NOTE)]
"""A foreign text as long as a note."""
Named = Annotated[str, cleaned(LONGEST_TEXT)]
"""The name of a lot or of a consignor."""


class FiledJobObject(WebObject):
    """One job of a handset in short; null where nothing was recorded."""

    job: Verbatim
    slot: Verbatim
    recipe: Verbatim
    opened_at: Moment
    ended_at: Moment | None
    outcome: Outcome | None
    disposition: Disposition | None
    reason: Reason | None
    by_hand: bool
    """Whether it was entered by hand of a handset that nobody plugged in: then it has no story."""
    unerasable: Unerasable | None
    """Why it couldn't even be plugged in."""
    reason_text: GuidanceObject | None
    lot: Longer | None
    tag: Longer | None
    manufacturer: Longer | None
    model: Longer | None
    serial: Longer | None
    imeis: list[Foreign]
    usb_serial: Longer | None
    came_with_data: bool | None
    chip: ChipVerdict | None
    certificate: Verbatim | None
    """Its number: the SHA-256 of its file."""
    held_by: Verbatim | None = None
    """The other system that holds back what its certificate lets go: it isn't to be sold."""
    state: DisposalState | None
    """What has become of the handset; null where it's sold, or the job runs."""
    sold_under: Verbatim | None = None
    """Of a passed look before a sale: the job whose certificate its handset is sold under still."""
    since: Moment | None
    run_again_as: Verbatim | None


class UptoObject(WebObject):
    """Up to which record of the ledger an answer is true."""

    sequence: int
    hash: Verbatim


class FiledJobsObject(WebObject):
    """The jobs that were asked for, in the order in which they were opened."""

    jobs: list[FiledJobObject]
    upto: UptoObject


class SettledObject(WebObject):
    """What somebody has said of a handset, as it is on record."""

    sequence: int
    job: Verbatim
    at: Moment
    before: DisposalState
    state: DisposalState
    name: Foreign
    note: Longer
    recycler: Longer | None
    number: Longer | None
    batch: Longer | None
    done_on: Longer | None
    later_job: Longer | None


class FoundHandsetObject(WebObject):
    """A handset that was found, by its newest job."""

    key: Verbatim
    told_by: ToldBy
    jobs: int
    newest: FiledJobObject


class FoundObject(WebObject):
    """The handsets in which a number was found, the newest first."""

    handsets: list[FoundHandsetObject]
    more: bool
    upto: UptoObject


class HandsetFileObject(WebObject):
    """Everything about one handset, the oldest job first."""

    key: Verbatim
    told_by: ToldBy
    jobs: list[FiledJobObject]
    settled: list[SettledObject]
    perhaps: list[Verbatim]
    """Keys of handsets that look the same: nobody can tell whether they are this one."""
    graded: list[GradedObject]
    """The grades that people have given it, in any of its jobs; the last one counts."""
    battery: BatteryObject
    """How worn its battery is, as the newest inspection has heard."""
    upto: UptoObject


class DisposalItemObject(WebObject):
    """A handset whose job has ended without a sale."""

    job: FiledJobObject
    settled: SettledObject | None
    moves: list[DisposalState]
    """Where it may go by a person's word; whether theirs is enough depends on their roles."""


class DisposalListObject(WebObject):
    """Who waits longest first."""

    items: list[DisposalItemObject]
    upto: UptoObject


class SettledItemObject(WebObject):
    """What a job's handset has become."""

    job: Verbatim
    state: DisposalState
    since: Moment
    run_again_as: Verbatim | None


_Note = Annotated[str, Field(max_length=LONGEST_NOTE), AfterValidator(without_controls)]
_Paper = Annotated[
    str, Field(min_length=1, max_length=LONGEST_NUMBER), AfterValidator(without_controls)
]


class SettlingRequest(WebRequest):
    """What somebody says has become of a handset, or is to become of it."""

    state: DisposalState
    operator: Annotated[str | None, Field(max_length=LONGEST_OPERATOR)] = None
    note: _Note = ""
    recycler: _Paper | None = None
    number: _Paper | None = None
    batch: _Paper | None = None
    done_on: date | None = None
    later_job: _Paper | None = None


class CountObject(WebObject):
    """How many handsets count for one value of a figure."""

    value: Verbatim
    ja: Verbatim
    en: Verbatim
    handsets: int


class FigureValueObject(CountObject):
    """The same with the last job of each of them."""

    jobs: list[Verbatim]
    assets: list[Foreign]
    """Tags of those that couldn't be plugged in, so that there is no job of them."""


class FigureObject(WebObject):
    """One figure of a report."""

    figure: Figure
    text: TextsObject
    values: list[FigureValueObject]


class ShareFigureObject(WebObject):
    """One figure of a lot or a consignor."""

    figure: Figure
    text: TextsObject
    values: list[CountObject]


class ShareObject(WebObject):
    """What came in as one lot or from one consignor; null is what is on record as of none."""

    lot: Named | None
    consignor: Named | None
    figures: list[ShareFigureObject]
    with_jobs: Verbatim
    """Where the same figures stand with their jobs."""


class ReportObject(WebObject):
    """A dealer's report; `begin` is in it, `end` isn't any more."""

    begin: Moment
    end: Moment
    lot: Named | None
    consignor: Named | None
    figures: list[FigureObject]
    consignors: list[ShareObject]
    lots: list[ShareObject]
    attended: list[AttendedObject]
    """Where people's time went in the jobs of all these, the most first."""
    upto: UptoObject


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

    def file(
        self, file: HandsetFile, upto: Upto, graded: Sequence[Graded], battery: BatteryWear
    ) -> HandsetFileObject:
        """A handset's file, with what stands beside its certificates."""
        return HandsetFileObject.of(
            file,
            jobs=[self.job(job) for job in file.jobs],
            graded=[graded_shown(each) for each in graded],
            battery=battery_shown(battery),
            upto=upto,
        )

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
        state = job.state if job.sold_under is None else None
        return FiledJobObject.of(job, reason_text=self._reason(job), held_by=held_by, state=state)

    def _reason(self, job: JobLine) -> Guidance | None:
        if job.unerasable is not None:
            return self._catalogue.unerasable(job.unerasable)
        if job.reason is None:
            return None
        told = self._catalogue.reason(job.reason)
        if job.sold_under is None:
            return told
        return replace(told, what_to_do=self._catalogue.text("wall.rechecked_to_do"))


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
            attended=attended_objects(self._catalogue, report.attended),
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
        return FigureObject.of(
            figure=figure, text=self._catalogue.text(f"figure.{figure}"), values=shown
        )

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
        text = self._catalogue.text(f"figure.{figure}")
        return ShareFigureObject.of(figure=figure, text=text, values=shown)


def _moves(job: JobLine) -> list[DisposalState]:
    """In the order of the states, so that a page shows them always alike."""
    allowed = moves_from(job.state, job.reason) if job.state else frozenset[DisposalState]()
    return [state for state in DisposalState if state in allowed]
