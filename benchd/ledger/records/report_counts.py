"""Counts handsets in the read model: SQLite puts alike ones together, so that a year is little."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from benchd.domain.chip import ChipVerdict
from benchd.domain.disposal import DisposalState
from benchd.domain.job import LEFT_IN_CHIP, Disposition, Outcome
from benchd.domain.report import Asked
from benchd.domain.sql_statements import SqlValue, Statements, query
from benchd.ledger.records.columns import columns_of, names_of, rows_of, utc


class Divided(StrEnum):
    """By what handsets are told apart; one that was of two lots counts in each of them."""

    WHOLE = "NULL, NULL"
    LOTS = "lot, consignor"
    CONSIGNORS = "NULL, consignor"


HANDSET_OF_LINE: Final = """iif(by_hand, coalesce((
    SELECT handset FROM job AS plugged
    WHERE plugged.tag = job.tag AND NOT by_hand ORDER BY id DESC LIMIT 1
), handset), handset)"""
"""SQL for the handset that a job counts for: what was entered by hand is what was plugged in."""
COUNTS_AS: Final = "coalesce((SELECT sold.id FROM job AS sold WHERE sold.job = job.sold_under), id)"
"""SQL for the job that tells what has become of it: a passed look counts as what it rests on."""
_RESIDUE: Final = ", ".join(f"'{reason}'" for reason in LEFT_IN_CHIP)
CHIP_IN_USE: Final = (
    f"coalesce(chip = '{ChipVerdict.IN_USE}', 0) OR coalesce(reason IN ({_RESIDUE}), 0)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Handsets of which the same is told; None where nothing is."""

    lot: str | None
    consignor: str | None
    runs: bool
    outcome: Outcome | None
    disposition: Disposition | None
    reason: str | None
    """Of the last job, or why an asset couldn't be plugged in."""
    state: DisposalState | None
    with_data: bool | None
    in_use: bool
    chip: ChipVerdict | None
    """What the first look at it has found."""
    by_hand: bool
    """Whether the last that is told was entered at intake: then they are named by their tags."""
    handsets: int
    names: tuple[str, ...]
    """The last job of each, or the tag; empty where they weren't asked for."""


def count_alike(
    connection: Statements, asked: Asked, by: Divided, *, named: bool
) -> Iterator[Alike]:
    """All that came in; may raise apsw.Error."""
    condition, values = asked_jobs(asked)
    return rows_of(Alike, query(connection, _sql(by, condition, named=named), values))


def asked_jobs(asked: Asked) -> tuple[str, list[SqlValue]]:
    """The SQL condition that picks the jobs that are asked for, and its values."""
    values: list[SqlValue] = [utc(asked.begin), utc(asked.end)]
    condition = "opened_at >= ?1 AND opened_at < ?2"
    for column, wanted in (("lot", asked.lot), ("consignor", asked.consignor)):
        if wanted:
            values.append(wanted)
            condition += f" AND {column} = ?{len(values)}"
        elif wanted is not None:
            condition += f" AND {column} IS NULL"
    return condition, values


def _sql(by: Divided, condition: str, *, named: bool) -> str:
    """Numbers of records tell what came first."""
    names = "json_group_array(iif(job.by_hand, job.tag, job.job))" if named else "NULL"
    columns = names_of(
        Alike,
        lot="handset.lot",
        consignor="handset.consignor",
        runs="job.ended_at IS NULL",
        outcome="job.outcome",
        disposition="job.disposition",
        reason="job.reason",
        state="job.state",
        chip="first.chip",
        by_hand="job.by_hand",
        handsets="count(*)",
        names=names,
    )
    told = [column.name for column in columns_of(Alike)]
    alike = ", ".join(
        str(at) for at, name in enumerate(told, 1) if name not in ("handsets", "names")
    )
    return f"""
        WITH line (handset, id, lot, consignor, with_data, chip, in_use) AS (
            SELECT {HANDSET_OF_LINE}, {COUNTS_AS}, lot, consignor, came_with_data, chip,
                {CHIP_IN_USE}
            FROM job WHERE {condition}
        ), handset (lot, consignor, newest, with_data, in_use, looked) AS (
            SELECT {by}, max(id), min(2 * id + with_data) % 2, max(in_use),
                min(id) FILTER (WHERE chip IS NOT NULL)
            FROM line GROUP BY handset, {by}
        )
        SELECT {columns}
        FROM handset
        JOIN job ON job.id = newest
        LEFT JOIN job AS first ON first.id = looked
        GROUP BY {alike}
    """  # noqa: S608
