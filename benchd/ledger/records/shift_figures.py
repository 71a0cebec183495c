"""From the jobs that have ended in a shift to its figures, and how the read model finds them.

What couldn't even be plugged in was no work of the rack: it counts in the report, not here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from benchd.domain.disposal import DisposalState, opened_by
from benchd.domain.ids import JobId
from benchd.domain.job import Outcome
from benchd.domain.operator_steps import Attended
from benchd.domain.shift import (
    HOUR,
    MAY_BE_SOLD,
    EndedJob,
    FailedBy,
    Failures,
    Hour,
    Shift,
    ShiftFigures,
    Went,
)
from benchd.domain.sql_statements import Statements, query
from benchd.ledger.records.attended_figures import attended_of
from benchd.ledger.records.columns import names_of, rows_of, utc

_WENT: Final = {
    None: Went.SOLD,
    DisposalState.TO_RETURN: Went.TO_RETURN,
    DisposalState.HELD: Went.HELD,
    DisposalState.TO_DESTROY: Went.TO_DESTROY,
    DisposalState.TRAY: Went.TRAY,
}
_VALUE_OF: Final[dict[FailedBy, Callable[[EndedJob], str]]] = {
    FailedBy.MODEL: lambda job: " ".join(filter(None, (job.manufacturer, job.model))),
    FailedBy.SLOT: lambda job: job.slot,
    FailedBy.REASON: lambda job: job.reason or "",
}

_ENDED_IN: Final = "ended_at >= ? AND ended_at < ? AND NOT by_hand"


def ended_jobs(connection: Statements, shift: Shift) -> Iterator[EndedJob]:
    """Those that have ended in a shift, in that order; may raise apsw.Error."""
    columns = names_of(EndedJob, certified="certificate IS NOT NULL")
    sql = f"SELECT {columns} FROM job WHERE {_ENDED_IN} ORDER BY ended_at, id"  # noqa: S608
    return rows_of(EndedJob, query(connection, sql, _span(shift)))


def attended_in(connection: Statements, shift: Shift) -> tuple[Attended, ...]:
    """Where the time of people went in the jobs that have ended in a shift."""
    return attended_of(connection, _ENDED_IN, _span(shift))


def _span(shift: Shift) -> tuple[str, str]:
    return utc(shift.begin), utc(shift.end)


def figures_of(
    shift: Shift, ended: Iterable[EndedJob], attended: tuple[Attended, ...] = ()
) -> ShiftFigures:
    """The figures of these jobs, which come in the order in which they have ended."""
    jobs = list(ended)
    last = _last_words(jobs)
    went: dict[Went, list[JobId]] = {where: [] for where in Went}
    for job in last.values():
        went[_went(job)].append(job.job)
    failed = [job for job in jobs if job.outcome is not Outcome.PASSED]
    return ShiftFigures(
        shift=shift,
        went={where: tuple(sorted(names)) for where, names in went.items()},
        hours=tuple(_hours(shift, last.values())),
        jobs=len(jobs),
        failed=tuple(job.job for job in failed),
        failures={by: _failures(by, failed, jobs) for by in FailedBy},
        attended=attended,
    )


def _last_words(jobs: Iterable[EndedJob]) -> dict[int, EndedJob]:
    last: dict[int, EndedJob] = {}
    for job in jobs:
        before = last.get(job.handset)
        stands = before is not None and job.sold_under in (before.job, before.sold_under)
        if job.sold_under is None or not stands:
            last[job.handset] = job
    return last


def _went(job: EndedJob) -> Went:
    """What says nothing of where it goes is held: no word is a default for a sale."""
    if job.sold_under is not None:
        return Went.RECHECKED
    if job.outcome is None or job.disposition is None:
        return Went.HELD
    return _WENT[opened_by(job.outcome, job.disposition, certified=job.certified)]


def _hours(shift: Shift, last: Iterable[EndedJob]) -> Iterator[Hour]:
    done: dict[int, list[EndedJob]] = {}
    for job in last:
        done.setdefault((job.ended_at - shift.begin) // HOUR, []).append(job)
    for number in range(-((shift.begin - shift.end) // HOUR)):
        mine = done.get(number, [])
        yield Hour(
            begin=shift.begin + number * HOUR,
            done=tuple(job.job for job in mine),
            sold=tuple(job.job for job in mine if _went(job) in MAY_BE_SOLD),
        )


def _failures(
    by: FailedBy, failed: Sequence[EndedJob], ended: Sequence[EndedJob]
) -> tuple[Failures, ...]:
    value_of = _VALUE_OF[by]
    found: dict[str, list[JobId]] = {}
    for job in failed:
        found.setdefault(value_of(job), []).append(job.job)
    of_value = Counter(map(value_of, ended))
    told = (
        Failures(
            value=value,
            failed=tuple(jobs),
            ended=len(ended) if by is FailedBy.REASON else of_value[value],
        )
        for value, jobs in found.items()
    )
    return tuple(sorted(told, key=lambda one: (-len(one.failed), one.value)))
