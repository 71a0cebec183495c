"""The tables of the read model, and what is answered of a job's row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from benchd.domain.chip import ChipVerdict
from benchd.domain.disposal import DisposalState
from benchd.domain.handset_file import DisposedLine, JobLine, Upto
from benchd.domain.ids import JobId, SlotName
from benchd.domain.imei import is_imei
from benchd.domain.intake import Unerasable
from benchd.domain.job import Disposition, Outcome, Reason, StageName
from benchd.ledger.records.columns import Table, word_of


@dataclass(frozen=True, slots=True, kw_only=True)
class UptoRow(Upto):
    """The one row that says how far the read model has come."""

    only: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job, or what was entered by hand of an asset that nobody has plugged in."""

    id: int
    """That of the record that opened it."""
    job: JobId
    handset: int
    """The first of the jobs of its handset."""
    slot: SlotName
    occupancy: int
    recipe: str
    lot: str | None = None
    consignor: str | None = None
    tag: str | None = None
    opened_at: datetime
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    disposition: Disposition | None = None
    reason: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    android: str | None = None
    serial: str | None = None
    imei: str | None = None
    second_imei: str | None = None
    screen_number: str | None = None
    usb_serial: str | None = None
    came_with_data: bool | None = None
    chip: ChipVerdict | None = None
    tied: str | None = None
    """The chip that was shown to be its handset's own, as a hash."""
    seen_chip: str | None = None
    """The chip that a reader has seen last, as a hash."""
    certificate: str | None = None
    state: DisposalState | None = None
    since: datetime | None = None
    run_again_as: JobId | None = None
    waited_as: DisposalState | None = None
    """Its state before a later job met the same handset by its number."""
    waited_since: datetime | None = None
    rechecks: JobId | None = None
    """The drawn job that it has found its handset to be of."""
    sold_under: JobId | None = None
    """Of a passed look: the certified job that its handset is sold under still."""
    sold_under_drawn: JobId | None = None
    """The drawn job whose erasure that one certifies."""
    named: bool = False
    """Whether its handset has told an IMEI in it."""
    by_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldRow:
    """A job whose handset has told an IMEI, over adb or on its own screen."""

    imei: str
    job: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MetRow:
    """A later job that has met the handset of one that waited; the first has taken it over."""

    job: int
    record: int
    later: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LotRow:
    """Whose lot it is."""

    lot: str
    consignor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtRow:
    """Which job a record is of that has brought numbers."""

    record: int
    job: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendedRow:
    """A stretch in which a slot has waited for people."""

    record: int
    """The one that has ended it."""
    part: int
    """An attempt ends all of its own at once."""
    job: int
    step: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWaitsRow:
    """What is still to be known of a running job's waits: `OpenWaits`, its lists with blanks."""

    job: int
    stage: StageName | None
    began_at: datetime | None
    open: str
    """Each `gate=since`."""
    closed: str
    """Each `from/until`."""
    returned: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRow:
    """What a slot waits for between two jobs."""

    slot: SlotName
    ended_job: int | None = None
    ended_at: datetime | None = None
    occupancy: int | None = None
    plugged_at: datetime | None = None


UPTO: Final = Table("upto", UptoRow, key=("only",))
JOB: Final = Table("job", JobRow, key=("id",), unique=("job",))
TOLD: Final = Table("told", ToldRow, key=("imei", "job"))
MET: Final = Table("met", MetRow, key=("job", "record"))
SETTLED: Final = Table("settled", DisposedLine, key=("sequence",))
LOT: Final = Table("lot", LotRow, key=("lot",))
BROUGHT: Final = Table("brought", BroughtRow, key=("record",))
ATTENDED: Final = Table("attended", AttendedRow, key=("record", "part"))
OPEN_WAITS: Final = Table("open_waits", OpenWaitsRow, key=("job",))
SLOT: Final = Table("slot", SlotRow, key=("slot",))
TABLES: Final[tuple[Table[Any], ...]] = (
    *(UPTO, JOB, TOLD, MET, SETTLED, LOT, BROUGHT),
    *(ATTENDED, OPEN_WAITS, SLOT),
)


def job_line(row: JobRow) -> JobLine:
    """What is answered of a job."""
    on_screen = row.screen_number if row.screen_number and is_imei(row.screen_number) else None
    numbers = (row.imei, row.second_imei, on_screen)
    return JobLine(
        job=row.job,
        slot=row.slot,
        recipe=row.recipe,
        opened_at=row.opened_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
        disposition=row.disposition,
        reason=word_of(Reason, row.reason),
        by_hand=row.by_hand,
        unerasable=word_of(Unerasable, row.reason) if row.by_hand else None,
        lot=row.lot,
        tag=row.tag,
        manufacturer=row.manufacturer,
        model=row.model,
        serial=row.serial,
        imeis=tuple(dict.fromkeys(number for number in numbers if number)),
        usb_serial=row.usb_serial,
        came_with_data=row.came_with_data,
        chip=row.chip,
        certificate=row.certificate,
        state=row.state,
        since=row.since,
        run_again_as=row.run_again_as,
        rechecks=row.rechecks,
        sold_under=row.sold_under,
        sold_under_drawn=row.sold_under_drawn,
        handset=row.handset,
    )
