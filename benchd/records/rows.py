"""From rows to what is answered; a word that isn't known any more counts as not told."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from benchd.words.chip import ChipVerdict
from benchd.words.disposal import DisposalState
from benchd.words.handset_file import JobLine, SettledLine
from benchd.words.ids import JobId, SlotName
from benchd.words.imei import is_imei
from benchd.words.intake import Unerasable
from benchd.words.job import Disposition, Outcome, Reason

_Word = TypeVar("_Word", bound=StrEnum)

JOB_COLUMNS: Final = (
    "job, slot, recipe, opened_at, ended_at, outcome, disposition, reason, lot, tag,"
    " manufacturer, model, serial, imei, second_imei, screen_number, usb_serial,"
    " came_with_data, chip, certificate, state, since, run_again_as, handset,"
    " by_hand, rechecks"
)
SETTLED_COLUMNS: Final = (
    "sequence, job, at, before, state, name, note, recycler, number, batch, done_on, later_job"
)


def job_line(row: tuple[object, ...]) -> JobLine:
    """The job in a row of JOB_COLUMNS."""
    text = [value if isinstance(value, str) else None for value in row]
    numbers = (text[13], text[14], text[15] if text[15] and is_imei(text[15]) else None)
    return JobLine(
        job=JobId(text[0] or ""),
        slot=SlotName(text[1] or ""),
        recipe=text[2] or "",
        opened_at=datetime.fromisoformat(text[3] or ""),
        ended_at=_moment(text[4]),
        outcome=word_of(Outcome, text[5]),
        disposition=word_of(Disposition, text[6]),
        reason=None if row[24] else word_of(Reason, text[7]),
        unerasable=word_of(Unerasable, text[7]) if row[24] else None,
        lot=text[8],
        tag=text[9],
        manufacturer=text[10],
        model=text[11],
        serial=text[12],
        imeis=tuple(dict.fromkeys(number for number in numbers if number)),
        usb_serial=text[16],
        came_with_data=None if row[17] is None else bool(row[17]),
        chip=word_of(ChipVerdict, text[18]),
        certificate=text[19],
        state=word_of(DisposalState, text[20]),
        since=_moment(text[21]),
        run_again_as=JobId(text[22]) if text[22] else None,
        rechecks=JobId(text[25]) if text[25] else None,
        handset=row[23] if isinstance(row[23], int) else 0,
    )


def settled_line(row: tuple[object, ...]) -> SettledLine:
    """The settling in a row of SETTLED_COLUMNS."""
    text = [value if isinstance(value, str) else None for value in row]
    return SettledLine(
        sequence=row[0] if isinstance(row[0], int) else 0,
        job=JobId(text[1] or ""),
        at=datetime.fromisoformat(text[2] or ""),
        before=DisposalState(text[3] or ""),
        state=DisposalState(text[4] or ""),
        name=text[5] or "",
        note=text[6] or "",
        recycler=text[7],
        number=text[8],
        batch=text[9],
        done_on=text[10],
        later_job=JobId(text[11]) if text[11] else None,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def word_of(words: type[_Word], told: str | None) -> _Word | None:
    """The word that this says; None for one that isn't known."""
    try:
        return None if told is None else words(told)
    except ValueError:
        return None
