"""The JSON objects of the handset file, of what becomes of handsets, and of the report."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from benchd.slots.disposal_desk import LONGEST_NOTE, LONGEST_NUMBER
from benchd.web.objects import LONGEST_OPERATOR, GuidanceObject, TextsObject, without_controls
from benchd.words.chip import ChipVerdict
from benchd.words.disposal import DisposalState
from benchd.words.handset_file import ToldBy
from benchd.words.intake import Unerasable
from benchd.words.job import Disposition, Outcome, Reason
from benchd.words.report import Figure


class _Object(BaseModel):
    model_config = ConfigDict(frozen=True)


class FiledJobObject(_Object):
    """One job of a handset in short; null where nothing was recorded."""

    job: str
    slot: str
    recipe: str
    opened_at: str
    ended_at: str | None
    outcome: Outcome | None
    disposition: Disposition | None
    reason: Reason | None
    unerasable: Unerasable | None
    """Why it couldn't even be plugged in: then this is no job, and has no story."""
    reason_text: GuidanceObject | None
    lot: str | None
    tag: str | None
    manufacturer: str | None
    model: str | None
    serial: str | None
    imeis: list[str]
    usb_serial: str | None
    came_with_data: bool | None
    chip: ChipVerdict | None
    certificate: str | None
    """Its number: the SHA-256 of its file."""
    held_by: str | None = None
    """The other system that holds back what its certificate lets go: it isn't to be sold."""
    state: DisposalState | None
    """What has become of the handset; null where it's sold, or the job runs."""
    since: str | None
    run_again_as: str | None


class UptoObject(_Object):
    """Up to which record of the ledger an answer is true."""

    sequence: int
    hash: str


class FiledJobsObject(_Object):
    """The jobs that were asked for, in the order in which they were opened."""

    jobs: list[FiledJobObject]
    upto: UptoObject


class SettledObject(_Object):
    """What somebody has said of a handset, as it is on record."""

    sequence: int
    job: str
    at: str
    before: DisposalState
    state: DisposalState
    name: str
    note: str
    recycler: str | None
    number: str | None
    batch: str | None
    done_on: str | None
    later_job: str | None


class FoundHandsetObject(_Object):
    """A handset that was found, by its newest job."""

    key: str
    told_by: ToldBy
    jobs: int
    newest: FiledJobObject


class FoundObject(_Object):
    """The handsets in which a number was found, the newest first."""

    handsets: list[FoundHandsetObject]
    more: bool
    upto: UptoObject


class HandsetFileObject(_Object):
    """Everything about one handset, the oldest job first."""

    key: str
    told_by: ToldBy
    jobs: list[FiledJobObject]
    settled: list[SettledObject]
    perhaps: list[str]
    """Keys of handsets that look the same: nobody can tell whether they are this one."""
    upto: UptoObject


class DisposalItemObject(_Object):
    """A handset whose job has ended without a sale."""

    job: FiledJobObject
    settled: SettledObject | None
    moves: list[DisposalState]
    """Where it may go by a person's word; whether theirs is enough depends on their roles."""


class DisposalListObject(_Object):
    """The oldest first."""

    items: list[DisposalItemObject]
    upto: UptoObject


class SettledItemObject(_Object):
    """What a job's handset has become."""

    job: str
    state: DisposalState
    since: str
    run_again_as: str | None


_Note = Annotated[str, Field(max_length=LONGEST_NOTE), AfterValidator(without_controls)]
_Paper = Annotated[
    str, Field(min_length=1, max_length=LONGEST_NUMBER), AfterValidator(without_controls)
]


class SettlingRequest(BaseModel):
    """What somebody says has become of a handset, or is to become of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: DisposalState
    operator: Annotated[str | None, Field(max_length=LONGEST_OPERATOR)] = None
    note: _Note = ""
    recycler: _Paper | None = None
    number: _Paper | None = None
    batch: _Paper | None = None
    done_on: date | None = None
    later_job: _Paper | None = None


class CountObject(_Object):
    """How many handsets count for one value of a figure."""

    value: str
    ja: str
    en: str
    handsets: int


class FigureValueObject(CountObject):
    """The same with the last job of each of them."""

    jobs: list[str]
    assets: list[str]
    """Tags of those that couldn't be plugged in, so that there is no job of them."""


class FigureObject(_Object):
    """One figure of a report."""

    figure: Figure
    text: TextsObject
    values: list[FigureValueObject]


class ShareFigureObject(_Object):
    """One figure of a lot or a consignor."""

    figure: Figure
    text: TextsObject
    values: list[CountObject]


class ShareObject(_Object):
    """What came in as one lot or from one consignor; null is what is on record as of none."""

    lot: str | None
    consignor: str | None
    figures: list[ShareFigureObject]
    with_jobs: str
    """Where the same figures stand with their jobs."""


class ReportObject(_Object):
    """A dealer's report; `begin` is in it, `end` isn't any more."""

    begin: str
    end: str
    lot: str | None
    consignor: str | None
    figures: list[FigureObject]
    consignors: list[ShareObject]
    lots: list[ShareObject]
    upto: UptoObject
