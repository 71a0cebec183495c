"""The JSON objects of the handset file, of what becomes of handsets, and of the report."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from benchd.intake.desk import LONGEST_TEXT
from benchd.slots.disposal_desk import LONGEST_NOTE, LONGEST_NUMBER
from benchd.web.objects import LONGEST_OPERATOR, GuidanceObject, TextsObject, without_controls
from benchd.web.serialiser import Foreign, Moment, Verbatim, WebObject, WebRequest, cleaned
from benchd.words.chip import ChipVerdict
from benchd.words.disposal import DisposalState
from benchd.words.handset_file import ToldBy
from benchd.words.intake import Unerasable
from benchd.words.job import Disposition, Outcome, Reason
from benchd.words.report import Figure

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
    unerasable: Unerasable | None
    """Why it couldn't even be plugged in: then this is no job, and has no story."""
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
    upto: UptoObject


class DisposalItemObject(WebObject):
    """A handset whose job has ended without a sale."""

    job: FiledJobObject
    settled: SettledObject | None
    moves: list[DisposalState]
    """Where it may go by a person's word; whether theirs is enough depends on their roles."""


class DisposalListObject(WebObject):
    """The oldest first."""

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
    upto: UptoObject
