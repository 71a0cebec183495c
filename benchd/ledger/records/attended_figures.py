"""Where the time of people went, over the jobs that an SQL condition picks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchd.domain.operator_steps import LONGEST, Attended, step_of
from benchd.domain.sql_statements import SqlValue, Statements, query
from benchd.ledger.records.columns import names_of, rows_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    step: str
    handsets: int
    waits: int
    seconds: int
    breaks: int


def attended_of(
    connection: Statements, condition: str, values: Sequence[SqlValue]
) -> tuple[Attended, ...]:
    """Each step that slots have waited in, the one that took most first; may raise apsw.Error."""
    counted = f"seconds <= {int(LONGEST.total_seconds())}"
    columns = names_of(
        _Step,
        handsets="count(DISTINCT handset)",
        waits=f"count(*) FILTER (WHERE {counted})",
        seconds=f"coalesce(sum(seconds) FILTER (WHERE {counted}), 0)",
        breaks=f"count(*) FILTER (WHERE NOT {counted})",
    )
    sql = (
        f"SELECT {columns} FROM attended JOIN job ON job.id = attended.job"  # noqa: S608
        f" WHERE {condition} GROUP BY step ORDER BY 4 DESC, step"
    )
    return tuple(
        Attended(
            step=step_of(one.step),
            handsets=one.handsets,
            waits=one.waits,
            seconds=one.seconds,
            breaks=one.breaks,
        )
        for one in rows_of(_Step, query(connection, sql, values))
    )
