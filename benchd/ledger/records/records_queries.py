"""Looks things up in the read model: one connection that only reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Final

from benchd.domain.disposal import OPEN, DisposalState
from benchd.domain.errors import NotFound, UsageRefused
from benchd.domain.handset_file import (
    CertifiedBy,
    CertifiedLine,
    DisposalLine,
    DisposedLine,
    Found,
    HandsetFile,
    HandsetLine,
    JobLine,
    ToldBy,
    Upto,
)
from benchd.domain.ids import JobId
from benchd.domain.imei import is_imei
from benchd.domain.lot_papers import AskedPapers, Listed, ListedJob
from benchd.domain.report import Asked, Report
from benchd.domain.shift import Bin, Shift, ShiftFigures
from benchd.domain.sql_statements import SqlValue, Statements, query
from benchd.ledger.records.attended_figures import attended_of
from benchd.ledger.records.columns import names_of, row_of, utc
from benchd.ledger.records.later_jobs import later_ids, later_jobs
from benchd.ledger.records.numbers import (
    DIGEST_DIGITS,
    INDEXED_DIGEST_DIGITS,
    SHORTEST,
    phrase_of,
    plain,
    whole_word,
)
from benchd.ledger.records.report_counts import Alike, Divided, asked_jobs, count_alike
from benchd.ledger.records.report_figures import report_of
from benchd.ledger.records.row_mapping import JOB, SETTLED, JobRow, job_line
from benchd.ledger.records.shift_figures import attended_in, ended_jobs, figures_of

MOST_HANDSETS: Final = 50
MOST_ROWS_OF_WORDS: Final = 200
MOST_ALIKE: Final = 50
MOST_ITEMS: Final = 10_000
MOST_CERTIFIED: Final = 50
_WAITS: Final = "sold_under IS NULL"
"""Of what has a state: the handset of a passed look that is sold still waits for nobody."""

_CERTIFIED: Final = {
    # A recheck's certificate is the drawn job's handset's, whose numbers that one has told.
    CertifiedBy.IMEI: (
        "WHERE certificate IS NOT NULL AND (id IN (SELECT job FROM told WHERE imei = ?1)"
        " OR rechecks IN (SELECT drawn.job FROM told JOIN job AS drawn ON drawn.id = told.job"
        " WHERE told.imei = ?1))"
    ),
    CertifiedBy.TAG: "WHERE certificate IS NOT NULL AND tag = ?1",
    CertifiedBy.NUMBER: (
        "WHERE certificate = ?1 OR (job = ?1 AND certificate IS NOT NULL)"
        " OR (rechecks = ?1 AND certificate IS NOT NULL)"
    ),
}


MOST_LISTED: Final = 20_000
"""Jobs in one list; who has more asks by lot or by day."""


def jobs_of_lots(connection: Statements, lots: Collection[str]) -> Listed:
    """Those whose handsets are assets of these lots; raises UsageRefused if there are too many."""
    marks = ", ".join("?" * len(lots))
    return _listed(connection, f"lot IN ({marks})", *lots)


def jobs_ended(connection: Statements, begin: datetime, end: datetime) -> Listed:
    """Those that ended in this span; raises UsageRefused if there are too many."""
    return _listed(connection, "ended_at >= ? AND ended_at < ?", utc(begin), utc(end))


def _listed(connection: Statements, condition: str, *values: SqlValue) -> Listed:
    # One statement, so that the list is of one moment and says of which.
    later = later_ids("job.handset", "job.id")
    sql = f"""
        SELECT upto.sequence, upto.hash,
            (SELECT job FROM job AS newest WHERE newest.id = (SELECT max(id) FROM ({later}))),
            {names_of(JobRow)}
        FROM upto LEFT JOIN job ON {condition} ORDER BY job.id LIMIT {MOST_LISTED + 1}
    """  # noqa: S608
    jobs: list[ListedJob] = []
    upto = Upto(sequence=0, hash="")
    for sequence, hash_, newest_job, *columns in query(connection, sql, values):
        if isinstance(sequence, int):
            upto = Upto(sequence=sequence, hash=str(hash_))
        if columns[0] is None:
            continue
        line = job_line(row_of(JobRow, columns))
        newest = line.job if newest_job is None else JobId(str(newest_job))
        jobs.append(ListedJob(line=line, newest_job=newest))
    if len(jobs) > MOST_LISTED:
        message = f"these are more than {MOST_LISTED} jobs: ask by lot or by day"
        raise UsageRefused(message)
    return Listed(jobs=tuple(jobs), upto=upto)


class Looker:
    """Answers from one connection; every method may raise apsw.Error."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    def find(self, text: str) -> Found:
        """The handsets with this as one of their numbers or in one, each the newest first.

        Raises UsageRefused for less than four letters or digits.
        """
        wanted = plain(text)
        if len(wanted) < SHORTEST:
            message = f"look for at least {SHORTEST} letters or digits of a number"
            raise UsageRefused(message)
        whole = self._by_words(f'"{whole_word(wanted)}"')
        if len(wanted) >= INDEXED_DIGEST_DIGITS and _is_hex(wanted):
            # A certificate's number is indexed by its beginning; the rest is compared here.
            whole += self._by_digest(wanted.lower())
        # A whole IMEI or digest has many parts that others have too, and is no part of anything.
        is_whole = bool(whole) and (is_imei(wanted) or len(wanted) == DIGEST_DIGITS)
        parts = [] if is_whole else self._by_words(phrase_of(wanted))
        handsets = self._handsets_of([*whole, *parts])
        shown = handsets[:MOST_HANDSETS]
        more = len(handsets) > len(shown) or len(parts) >= MOST_ROWS_OF_WORDS
        return Found(handsets=tuple(self._line(one) for one in shown), more=more)

    def handset(self, key: str) -> HandsetFile:
        """Everything about the handset of this job; raises NotFound."""
        jobs = self._jobs(
            "WHERE handset = (SELECT handset FROM job WHERE job = ?) ORDER BY id", key
        )
        if not jobs:
            message = f"there is no handset with a job {key}"
            raise NotFound(message)
        newest = _telling(jobs)
        settled = self._settled(
            "WHERE job IN (SELECT job FROM job WHERE handset = ?)", newest.handset
        )
        return HandsetFile(
            key=jobs[0].job,
            told_by=newest.told_by,
            jobs=tuple(jobs),
            settled=tuple(settled),
            perhaps=self._look_alikes(newest),
        )

    def items(
        self, states: Collection[DisposalState] = OPEN, batch: str | None = None
    ) -> tuple[DisposalLine, ...]:
        """Handsets in these states, who is in it longest first; of one batch if that is given."""
        marks = ", ".join("?" * len(states))
        of_batch = "" if batch is None else " AND job IN (SELECT job FROM settled WHERE batch = ?)"
        values: list[SqlValue] = [*states, *([] if batch is None else [batch])]
        jobs = self._jobs(
            f"WHERE state IN ({marks}) AND {_WAITS}{of_batch}"
            f" ORDER BY since, id LIMIT {MOST_ITEMS}",
            *values,
        )
        return tuple(DisposalLine(job=job, settled=self._last_settling(job)) for job in jobs)

    def counts(self) -> dict[DisposalState, int]:
        """How many handsets are in each open state."""
        marks = ", ".join("?" * len(OPEN))
        found = {
            str(state): count
            for state, count in self._rows(
                f"SELECT state, count(*) FROM job WHERE state IN ({marks}) AND {_WAITS}"  # noqa: S608
                " GROUP BY state",
                *OPEN,
            )
        }
        return {state: _whole((found.get(state, 0),)) for state in OPEN}

    def report(self, asked: Asked, *, named: bool) -> Report:
        """The figures of all that came in, with jobs and tags of the whole if they are `named`."""

        def count(by: Divided) -> Iterator[Alike]:
            return count_alike(self._connection, asked, by, named=named and by is Divided.WHOLE)

        return report_of(asked, count, attended_of(self._connection, *asked_jobs(asked)))

    def shift(self, shift: Shift) -> ShiftFigures:
        """What a shift has done."""
        ended = ended_jobs(self._connection, shift)
        return figures_of(shift, ended, attended_in(self._connection, shift))

    def bins(self) -> tuple[Bin, ...]:
        """How many handsets are in each open state, and the job of the one in it longest."""
        longest = f"WHERE state = ? AND {_WAITS} ORDER BY since, id LIMIT 1"
        return tuple(
            Bin(
                state=state,
                handsets=handsets,
                oldest=next(iter(self._jobs(longest, state)), None),
            )
            for state, handsets in self.counts().items()
        )

    def jobs(self, jobs: Collection[str]) -> Sequence[JobLine]:
        """Those of these jobs that are there, in the order in which they were opened."""
        marks = ", ".join("?" * len(jobs))
        return self._jobs(f"WHERE job IN ({marks}) ORDER BY id", *jobs)

    def jobs_of(self, asked: AskedPapers, lots: Collection[str]) -> Listed:
        """Those of these lots, else those that ended in the span; UsageRefused for too many."""
        if asked.begin is not None and asked.end is not None:
            return jobs_ended(self._connection, asked.begin, asked.end)
        return jobs_of_lots(self._connection, lots)

    def certified(self, by: CertifiedBy, text: str) -> tuple[CertifiedLine, ...]:
        """The newest jobs with a certificate that have exactly this, not only a part of it."""
        jobs = self._jobs(f"{_CERTIFIED[by]} ORDER BY id DESC LIMIT {MOST_CERTIFIED}", text)
        return tuple(CertifiedLine(job=job, later=self._later(job)) for job in jobs)

    def _later(self, job: JobLine) -> tuple[JobId, ...]:
        return tuple(later_jobs(self._connection, job.handset, job.job, MOST_ALIKE))[::-1]

    def _by_words(self, phrase: str) -> list[int]:
        """The jobs of the newest records with this."""
        sql = (
            "SELECT brought.job FROM term CROSS JOIN brought ON brought.record = term.rowid"  # noqa: S608
            f" WHERE term MATCH ? ORDER BY term.rowid DESC LIMIT {MOST_ROWS_OF_WORDS}"
        )
        return [_whole(row) for row in self._rows(sql, phrase)]

    def _by_digest(self, wanted: str) -> list[int]:
        end = wanted + "g" if len(wanted) < DIGEST_DIGITS else wanted
        sql = "SELECT id FROM job WHERE certificate >= ? AND certificate <= ? ORDER BY id DESC"
        return [_whole(row) for row in self._rows(f"{sql} LIMIT {MOST_HANDSETS}", wanted, end)]

    def _handsets_of(self, numbers: Sequence[int]) -> list[int]:
        """Each once, in the order of these jobs."""
        marks = ", ".join("?" * len(numbers))
        sql = f"SELECT id, handset FROM job WHERE id IN ({marks})"  # noqa: S608
        of_job = {row[0]: row[1] for row in self._rows(sql, *numbers)}
        found = (of_job.get(number) for number in numbers)
        return list(dict.fromkeys(one for one in found if isinstance(one, int)))

    def _line(self, handset: int) -> HandsetLine:
        sql = (
            "SELECT count(*), (SELECT job FROM job WHERE handset = ?1 ORDER BY id LIMIT 1),"
            " max(imei IS NOT NULL OR (length(screen_number) = 15 AND screen_number <> serial)),"
            " max(serial IS NOT NULL) FROM job WHERE handset = ?1"
        )
        [(count, key, by_imei, by_serial)] = self._rows(sql, handset)
        [newest] = self._jobs("WHERE handset = ? ORDER BY id DESC LIMIT 1", handset)
        told_by = ToldBy.LOOKS if by_serial else ToldBy.PORT
        return HandsetLine(
            key=JobId(str(key)),
            told_by=ToldBy.IMEI if by_imei else told_by,
            newest=newest,
            jobs=_whole((count,)),
        )

    def _look_alikes(self, job: JobLine) -> tuple[JobId, ...]:
        if not job.serial:
            return ()
        sql = (
            "SELECT (SELECT job FROM job AS first WHERE first.handset = job.handset"  # noqa: S608
            " ORDER BY id LIMIT 1) AS key FROM job"
            " WHERE serial = ? AND model = ? AND manufacturer = ? AND handset <> ?"
            f" GROUP BY handset ORDER BY min(id) LIMIT {MOST_ALIKE}"
        )
        found = self._rows(sql, job.serial, job.model, job.manufacturer, job.handset)
        return tuple(JobId(str(row[0])) for row in found)

    def _last_settling(self, job: JobLine) -> DisposedLine | None:
        found = self._settled("WHERE job = ?", job.job)
        return found[-1] if found else None

    def _jobs(self, condition: str, *values: SqlValue) -> list[JobLine]:
        return [job_line(row) for row in JOB.rows(self._connection, condition, values)]

    def _settled(self, condition: str, *values: SqlValue) -> list[DisposedLine]:
        return list(SETTLED.rows(self._connection, f"{condition} ORDER BY sequence", values))

    def _rows(self, sql: str, *values: SqlValue) -> list[tuple[object, ...]]:
        return list(query(self._connection, sql, values))


def _telling(jobs: Sequence[JobLine]) -> JobLine:
    """The newest job that tells most of who the handset is."""
    known = [job for job in jobs if job.imeis] or [job for job in jobs if job.serial] or jobs
    return known[-1]


def _whole(row: Sequence[object]) -> int:
    return row[0] if isinstance(row[0], int) else 0


def _is_hex(text: str) -> bool:
    return all(letter in "0123456789ABCDEF" for letter in text)
