"""Counts handsets in the read model: SQLite puts alike ones together, so that a year is little."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from benchd.records.reading import utc
from benchd.records.rows import word_of
from benchd.statements import SqlValue, Statements, query
from benchd.words.chip import ChipVerdict
from benchd.words.disposal import DisposalState
from benchd.words.job import Disposition, Outcome, Reason
from benchd.words.report import Asked

LEFT_IN_CHIP: Final = (Reason.FELICA_RESIDUE, Reason.FELICA_NOT_CLEARABLE)
"""Ends by which the chip was in use, whatever the looks at it have said."""


class Divided(StrEnum):
    """By what handsets are told apart; one that was of two lots counts in each of them."""

    WHOLE = "NULL, NULL"
    LOTS = "lot, consignor"
    CONSIGNORS = "NULL, consignor"


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
    values: list[SqlValue] = [utc(asked.begin), utc(asked.end)]
    only = ""
    for column, wanted in (("lot", asked.lot), ("consignor", asked.consignor)):
        if wanted:
            values.append(wanted)
            only += f" AND {column} = ?{len(values)}"
        elif wanted is not None:
            only += f" AND {column} IS NULL"
    for row in query(connection, _sql(by, only, named=named), values):
        yield _alike(row)


def _sql(by: Divided, only: str, *, named: bool) -> str:
    """Numbers of records tell what came first."""
    residue = ", ".join(f"'{reason}'" for reason in LEFT_IN_CHIP)
    names = "json_group_array(iif(job.by_hand, job.tag, job.job))" if named else "NULL"
    return f"""
        WITH line (handset, id, lot, consignor, with_data, chip, in_use) AS (
            SELECT iif(by_hand, coalesce((
                    SELECT handset FROM job AS plugged
                    WHERE plugged.tag = job.tag AND NOT by_hand ORDER BY id DESC LIMIT 1
                ), handset), handset), id, lot, consignor, came_with_data, chip,
                coalesce(chip = '{ChipVerdict.IN_USE}', 0) OR coalesce(reason IN ({residue}), 0)
            FROM job WHERE opened_at >= ?1 AND opened_at < ?2{only}
        ), handset (lot, consignor, newest, with_data, in_use, looked) AS (
            SELECT {by}, max(id), min(2 * id + with_data) % 2, max(in_use),
                min(id) FILTER (WHERE chip IS NOT NULL)
            FROM line GROUP BY handset, {by}
        )
        SELECT handset.lot, handset.consignor, job.ended_at IS NULL, job.outcome,
            job.disposition, job.reason, job.state, with_data, in_use, first.chip,
            job.by_hand, count(*), {names}
        FROM handset
        JOIN job ON job.id = newest
        LEFT JOIN job AS first ON first.id = looked
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    """  # noqa: S608


def _alike(row: tuple[object, ...]) -> Alike:
    text = [value if isinstance(value, str) else None for value in row]
    return Alike(
        lot=text[0],
        consignor=text[1],
        runs=bool(row[2]),
        outcome=word_of(Outcome, text[3]),
        disposition=word_of(Disposition, text[4]),
        reason=text[5],
        state=word_of(DisposalState, text[6]),
        with_data=None if row[7] is None else bool(row[7]),
        in_use=bool(row[8]),
        chip=word_of(ChipVerdict, text[9]),
        by_hand=bool(row[10]),
        handsets=row[11] if isinstance(row[11], int) else 0,
        names=tuple(json.loads(text[12])) if text[12] else (),
    )
