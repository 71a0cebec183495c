"""What the centre knows of each rack: its lines of records, their lag, and who waits there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection

from benchd.domain.ids import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class RackLine:
    """One line of a rack's records."""

    name: str
    branch: int
    why: str
    left_at: int
    sequence: int
    heard_at: datetime | None
    """When its last record came in."""
    version: str | None
    lag_s: float | None
    """How long that was on its way, by the clocks of rack and centre."""
    uncounted: int
    """Records that have come in and aren't looked at yet."""
    is_newest: bool
    """Whether it is the one that the rack was heard on last."""
    waiting: int
    """Questions that nobody had answered by its last record; of the newest line only."""
    waiting_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Jobs of a rack that have ended in some time."""

    name: str
    ended: int
    passed: int


async def rack_lines(connection: AsyncConnection) -> list[RackLine]:
    """All of them, by name."""
    found = await connection.execute(
        """
        SELECT rack.id, name, branch.branch, why, left_branch, left_sequence, tip_sequence,
            CASE WHEN tip_sequence > 0 THEN heard_at END, version, record.body, taken_at,
            tip_sequence - coalesce(counted_upto.sequence, left_sequence),
            row_number() OVER (PARTITION BY rack.id ORDER BY heard_at DESC, branch.branch DESC) = 1
        FROM branch JOIN rack ON rack.id = branch.rack
        LEFT JOIN filed_upto USING (rack, branch)
        LEFT JOIN counted_upto USING (rack, branch)
        LEFT JOIN record ON record.rack = branch.rack AND record.branch = branch.branch
            AND record.sequence = tip_sequence
        ORDER BY name, branch.branch
        """
    )
    rows = await found.fetchall()
    left = {(row[0], row[2]): (row[4], row[5]) for row in rows}
    newest = {row[0]: row[2] for row in rows if row[12]}
    waiting = await _waiting(connection, left, newest)
    lines: list[RackLine] = []
    for row in rows:
        since = waiting.get(row[0], ()) if row[12] else ()
        lines.append(
            RackLine(
                name=row[1],
                branch=row[2],
                why=row[3],
                left_at=row[5],
                sequence=row[6],
                heard_at=row[7],
                version=row[8],
                lag_s=_lag_s(row[9], row[10]),
                uncounted=row[11],
                is_newest=row[12],
                waiting=len(since),
                waiting_since=min(since, default=None),
            )
        )
    return lines


async def ended_jobs(connection: AsyncConnection, begin: datetime) -> list[Ended]:
    """Those that have ended since; by name."""
    found = await connection.execute(
        """
        SELECT name, count(*), count(*) FILTER (WHERE passed)
        FROM counted_job JOIN rack ON rack.id = rack
        WHERE passed IS NOT NULL AND ended_at >= %s GROUP BY name ORDER BY name
        """,
        (begin,),
    )
    return [Ended(name=row[0], ended=row[1], passed=row[2]) for row in await found.fetchall()]


async def _waiting(
    connection: AsyncConnection,
    left: Mapping[tuple[int, int], tuple[int | None, int]],
    newest: Mapping[int, int],
) -> dict[int, list[datetime]]:
    """Since when each question is open, on the line that a rack was heard on last."""
    found = await connection.execute(
        "SELECT rack, waits, waits_branch, waits_sequence FROM folded_job WHERE waits IS NOT NULL"
    )
    waiting: dict[int, list[datetime]] = {}
    for rack, waits, branch, sequence in await found.fetchall():
        if _is_on(left, (rack, newest[rack]), branch, sequence):
            waiting.setdefault(rack, []).extend(_since(waits))
    return waiting


def _is_on(
    left: Mapping[tuple[int, int], tuple[int | None, int]],
    line: tuple[int, int],
    branch: int,
    sequence: int,
) -> bool:
    """Whether a record of a branch is on a line: one of a lost or cloned ledger isn't."""
    rack, at = line
    upto: int | None = None
    while at != branch:
        before, upto = left[rack, at]
        if before is None:
            return False
        at = before
    return upto is None or sequence <= upto


def _since(waits: Mapping[str, JsonValue]) -> Sequence[datetime]:
    asked = (each.split("=", 1) for each in str(waits.get("open", "")).split())
    return [datetime.fromisoformat(since) for _, since in asked]


def _lag_s(body: bytes | None, taken_at: datetime | None) -> float | None:
    if body is None or taken_at is None:
        return None
    with suppress(ValueError, TypeError, KeyError):
        at = datetime.fromisoformat(json.loads(bytes(body))["at"])
        return round((taken_at - at).total_seconds(), 1)
    return None
