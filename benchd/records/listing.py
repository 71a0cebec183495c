"""All jobs of some lots or of a span of time, for the papers that leave the house."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from benchd.errors import UsageRefused
from benchd.records.columns import names_of, row_of, utc
from benchd.records.later import later_ids
from benchd.records.rows import JobRow, job_line
from benchd.statements import SqlValue, Statements, query
from benchd.words.handset_file import Upto
from benchd.words.ids import JobId
from benchd.words.lot_papers import Listed, ListedJob

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
