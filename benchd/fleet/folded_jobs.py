"""A rack's own read model of a few jobs, into which its next records are folded."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import apsw

from benchd.domain.ids import JsonValue
from benchd.domain.job import Outcome
from benchd.domain.record import StoredEntry
from benchd.domain.sql_statements import SqlValue, query
from benchd.ledger.records.columns import Table, columns_of
from benchd.ledger.records.record_fold import Folder
from benchd.ledger.records.records_database import make_in_memory
from benchd.ledger.records.report_counts import CHIP_IN_USE, COUNTS_AS, HANDSET_OF_LINE
from benchd.ledger.records.row_mapping import JOB, LOT, MET, OPEN_WAITS, TOLD

Row = Mapping[str, JsonValue]
"""Of one of the read model's tables, by the names of its columns; what is null is left out."""
KIND: Final = ("runs", "outcome", "disposition", "reason", "state", "chip", "by_hand")
"""What the report tells of a handset by one of its jobs."""
_COUNTED: Final = f"""
    SELECT job.id, opened_at, ended_at, {HANDSET_OF_LINE}, {COUNTS_AS}, chip IS NOT NULL,
        {CHIP_IN_USE}, came_with_data, outcome, lot, consignor, by_hand
    FROM job
"""  # noqa: S608 - columns of the read model


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """Jobs of one rack, and what belongs to them."""

    jobs: Sequence[Row]
    imeis: Sequence[tuple[str, int]]
    met: Sequence[Row]
    lots: Mapping[str, str]
    """Whose each is."""
    waits: Mapping[int, Row]
    """What is asked, by the job's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What the report counts of a job."""

    id: int
    opened_at: str
    ended_at: str | None
    handset: int
    is_alone: bool
    """Whether it is the only job of its handset on its rack."""
    counts_as: int
    counts_at: int
    """When that one was opened, in seconds of the epoch."""
    kind: str
    has_chip: bool
    in_use: bool
    with_data: bool | None
    passed: bool | None
    """Whether it has passed; None for one that runs, and for what was no work of the rack."""
    lot: str | None
    consignor: str | None


def fold(known: Folded, records: Iterable[StoredEntry]) -> tuple[Folded, Sequence[Counted]]:
    """What is known after these records, by the rack's own rules."""
    connection = make_in_memory()
    try:
        _fill(connection, known)
        Folder(connection).take(records)
        after = Folded(
            jobs=_rows(connection, JOB),
            imeis=[(str(row["imei"]), cast("int", row["job"])) for row in _rows(connection, TOLD)],
            met=_rows(connection, MET),
            lots={str(row["lot"]): str(row["consignor"]) for row in _rows(connection, LOT)},
            waits={cast("int", row["job"]): row for row in _rows(connection, OPEN_WAITS)},
        )
        return after, _counted(connection, after)
    finally:
        connection.close()


def _fill(connection: apsw.Connection, known: Folded) -> None:
    lots = [{"lot": lot, "consignor": of} for lot, of in known.lots.items()]
    imeis = [{"imei": imei, "job": job} for imei, job in known.imeis]
    tables: tuple[tuple[Table[Any], Iterable[Row]], ...] = (
        (JOB, known.jobs),
        (TOLD, imeis),
        (MET, known.met),
        (LOT, lots),
        (OPEN_WAITS, known.waits.values()),
    )
    for table, rows in tables:
        names = [column.name for column in columns_of(table.row)]
        for row in rows:
            values = [cast("SqlValue", row.get(name)) for name in names]
            query(connection, table.insert(), values)


def _rows(connection: apsw.Connection, table: Table[Any]) -> list[Row]:
    names = [column.name for column in columns_of(table.row)]
    found = query(connection, f"SELECT {', '.join(names)} FROM {table.name}")  # noqa: S608
    return [
        cast(
            "Row",
            {name: value for name, value in zip(names, row, strict=True) if value is not None},
        )
        for row in found
    ]


def _counted(connection: apsw.Connection, after: Folded) -> list[Counted]:
    by_id = {cast("int", row["id"]): row for row in after.jobs}
    made: list[Counted] = []
    rows = list(query(connection, _COUNTED))
    jobs = Counter(row[3] for row in rows)
    for row in rows:
        job, opened_at, ended_at, handset, counts_as, has_chip, in_use, with_data, *more = row
        outcome, lot, consignor, by_hand = more
        stands = by_id[cast("int", counts_as)]
        passed = None if ended_at is None or by_hand else outcome == Outcome.PASSED
        made.append(
            Counted(
                id=cast("int", job),
                opened_at=str(opened_at),
                ended_at=None if ended_at is None else str(ended_at),
                handset=cast("int", handset),
                is_alone=jobs[handset] == 1,
                counts_as=cast("int", counts_as),
                counts_at=int(datetime.fromisoformat(str(stands["opened_at"])).timestamp()),
                kind=_kind_of(stands),
                has_chip=bool(has_chip),
                in_use=bool(in_use),
                with_data=None if with_data is None else bool(with_data),
                passed=passed,
                lot=None if lot is None else str(lot),
                consignor=None if consignor is None else str(consignor),
            )
        )
    return made


def _kind_of(row: Row) -> str:
    told = {"runs": "ended_at" not in row, "by_hand": bool(row.get("by_hand"))}
    return json.dumps({**{name: row.get(name) for name in KIND}, **told}, sort_keys=True)
