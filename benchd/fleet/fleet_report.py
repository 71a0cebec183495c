"""The report over racks, lots and consignors: a rack's own figures, for all of them together.

A handset counts once in each share, by what is told of it last: once for each rack that it was on,
and once in the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from psycopg import AsyncConnection

from benchd.domain.chip import ChipVerdict
from benchd.domain.disposal import OPEN, DisposalState
from benchd.domain.errors import UsageRefused
from benchd.domain.ids import JsonValue
from benchd.domain.job import Disposition, Outcome
from benchd.domain.report import ALL, Asked, Became, Figure, Figures, Share
from benchd.ledger.records.columns import word_of
from benchd.ledger.records.report_counts import Alike
from benchd.ledger.records.report_figures import no_share, shares_of

SITE_ZONE: Final = "Asia/Tokyo"
LONGEST_SPAN: Final = timedelta(days=366)
SPANS: Final = "a report is of 1 to 366 days, the first day before the last"
LONGEST: Final = "60s"
"""So long PostgreSQL works on a report at most: what is held meanwhile slows each batch."""
MOST_SHARES: Final = 500
"""Of racks, lots and consignors each; the filters lead to the others."""
_KIND_BITS: Final = 20


class NoSuchDays(UsageRefused):
    """Raised for days, or a time zone, that no report is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedOfFleet(Asked):
    """The same over racks."""

    rack: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RackShare:
    """The figures of one rack."""

    rack: str
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetReport:
    """The figures of all that was asked for, and the shares in them."""

    figures: Figures
    racks: Sequence[RackShare]
    lots: Sequence[Share]
    consignors: Sequence[Share]
    more: bool
    """Whether there are shares that were left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a share is summed up in: the four after `came_in` and `run_again` make all of it."""

    came_in: int
    certified: int
    """For sale, under a certificate."""
    returned: int
    destroyed: int
    waiting: int
    """On hold, in the tray, to be run again, returned or destroyed."""
    running: int
    not_erasable: int
    """Whose last job has failed, whatever became of them."""

    @property
    def certified_share(self) -> float | None:
        """The yield: of those that aren't being processed any more."""
        ended = self.came_in - self.running
        return self.certified / ended if ended else None


def days_asked(begin: date, last: date, zone: str) -> tuple[datetime, datetime]:
    """From the first moment of one day to the last of another, where the racks stand.

    Raises NoSuchDays.
    """
    try:
        where = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise NoSuchDays(f"no time zone is called {zone[:40]!r}") from error
    if not timedelta(0) <= last - begin < LONGEST_SPAN:
        raise NoSuchDays(SPANS)
    try:
        after = last + timedelta(days=1)
        return (
            datetime(begin.year, begin.month, begin.day, tzinfo=where),
            datetime(after.year, after.month, after.day, tzinfo=where),
        )
    except OverflowError as error:
        raise NoSuchDays(SPANS) from error


async def fleet_report(connection: AsyncConnection, asked: AskedOfFleet) -> FleetReport:
    """The figures of what has been counted by now."""
    # So that what is put together is put together in memory.
    await connection.execute("SET LOCAL work_mem = '128MB'")
    await connection.execute("SET LOCAL jit = off")
    await connection.execute("SELECT set_config('statement_timeout', %s, true)", (LONGEST,))
    condition, values = _condition(asked)
    found = await connection.execute("SELECT id, told FROM counted_kind")
    kinds = dict(await found.fetchall())
    found = await connection.execute("SELECT id, name FROM rack")
    names = dict(await found.fetchall())
    statement = _sql(condition, of_one=asked.rack is not None)
    # Planned for these days: a plan for any days may read all of them.
    found = await connection.execute(statement, values, prepare=False)
    alikes: dict[str, list[tuple[int | None, Alike]]] = {"w": [], "r": [], "l": [], "c": []}
    for division, rack, *row in await found.fetchall():
        alikes[division].append((rack, _alike(row, kinds)))
    whole = shares_of(alike for _, alike in alikes["w"]) or [no_share()]
    racks = _by_rack(alikes["r"], names)
    lots = shares_of(alike for _, alike in alikes["l"])
    consignors = shares_of(alike for _, alike in alikes["c"])
    return FleetReport(
        figures=whole[0].figures,
        racks=racks[:MOST_SHARES],
        lots=lots[:MOST_SHARES],
        consignors=consignors[:MOST_SHARES],
        more=max(map(len, (racks, lots, consignors))) > MOST_SHARES,
    )


def summary_of(figures: Figures) -> Summary:
    """A share in one line."""
    became = Counter({value: told.handsets for value, told in figures[Figure.BECAME].items()})
    came_in = figures[Figure.CAME_IN].get(ALL)
    return Summary(
        came_in=0 if came_in is None else came_in.handsets,
        certified=became[Became.SOLD] + became[DisposalState.ON_SALE],
        returned=became[DisposalState.RETURNED],
        destroyed=became[DisposalState.DESTROYED],
        waiting=sum(became[state] for state in OPEN),
        running=became[Became.RUNNING],
        not_erasable=sum(told.handsets for told in figures[Figure.NOT_ERASABLE].values()),
    )


def _by_rack(
    counted: Sequence[tuple[int | None, Alike]], names: Mapping[int, str]
) -> list[RackShare]:
    by_rack: dict[str, list[Alike]] = {}
    for rack, alike in counted:
        by_rack.setdefault(names.get(rack or 0, ""), []).append(alike)
    return [
        RackShare(rack=name, figures=shares_of(by_rack[name])[0].figures)
        for name in sorted(by_rack)
    ]


def _condition(asked: AskedOfFleet) -> tuple[str, dict[str, object]]:
    values: dict[str, object] = {"begin": asked.begin, "end": asked.end}
    condition = "opened_at >= %(begin)s AND opened_at < %(end)s"
    for column, wanted in (("lot", asked.lot), ("consignor", asked.consignor)):
        if wanted:
            values[column] = wanted.replace("\0", "\ufffd")
            condition += f" AND {column} = %({column})s"
        elif wanted is not None:
            condition += f" AND {column} IS NULL"
    if asked.rack is not None:
        values["rack"] = asked.rack.replace("\0", "\ufffd")
        condition += " AND rack = (SELECT id FROM rack WHERE name = %(rack)s)"
    return condition, values


def _sql(condition: str, *, of_one: bool) -> bytes:
    """What `report_counts` asks of a rack's own read model, without a look at any job by its id.

    What tells the newest has its kind in its lowest bits. On one rack the number of the record
    tells which is the newest, as there; over several only their clocks can. Most jobs are the only
    one of their handset: those need no look at who is whose.
    """
    of, at = ("handset", "counts_as") if of_one else ("fleet_handset", "at")
    lots, consignors = ("lot", "consignor"), ("consignor",)
    parts = " UNION ALL ".join(
        f"({_alone(name, by, shown)}) UNION ALL ({_division(name, by, shown, *how)})"
        for name, by, shown, how in (
            ("w", (), "true", (of, at)),
            ("r", ("rack",), "true", ("handset", "counts_as")),
            ("l", lots, f"({_known(lots)}) IN (TABLE lots)", (of, at)),
            ("c", consignors, f"{_known(consignors)} IN (TABLE consignors)", (of, at)),
        )
    )
    return f"""
        WITH line AS MATERIALIZED (
            SELECT rack, handset, fleet_handset, counts_as, kind, has_chip, in_use,
                with_data::int AS with_data, lot, consignor, is_alone AND NOT is_shared AS alone,
                CASE WHEN is_shared THEN counts_at ELSE counts_as END AS at
            FROM counted_job WHERE {condition}
        ), lots AS MATERIALIZED ({_most(lots)}), consignors AS MATERIALIZED ({_most(consignors)})
        {parts}
    """.encode()  # noqa: S608 - columns of the table


def _alone(name: str, by: Sequence[str], shown: str) -> str:
    return f"""
        SELECT '{name}', {_columns(by)}, kind, with_data, in_use, looked, count(*) FROM (
            SELECT *, CASE WHEN has_chip THEN kind END AS looked FROM line
            WHERE alone AND {shown}
        ) AS job GROUP BY {", ".join((*by, "kind", "with_data", "in_use", "looked"))}
    """  # noqa: S608 - the same


def _division(name: str, by: Sequence[str], shown: str, of: str, at: str) -> str:
    mask = (1 << _KIND_BITS) - 1
    packed = f"({at} << {_KIND_BITS}) | kind"
    return f"""
        SELECT '{name}', rack, lot, consignor, newest, with_data, in_use, looked, count(*) FROM (
            SELECT {_columns(by)}, (max({packed}) & {mask})::int,
                (min(2 * {at} + with_data) & 1)::int, bool_or(in_use),
                (min({packed}) FILTER (WHERE has_chip) & {mask})::int
            FROM line WHERE NOT alone AND {shown} GROUP BY {", ".join((of, *by))}
        ) AS handset (rack, lot, consignor, newest, with_data, in_use, looked)
        GROUP BY 2, 3, 4, 5, 6, 7, 8
    """  # noqa: S608 - the same


def _columns(by: Sequence[str]) -> str:
    kinds = {"rack": "int", "lot": "text", "consignor": "text"}
    return ", ".join(each if each in by else f"NULL::{kinds[each]}" for each in kinds)


def _most(by: Sequence[str]) -> str:
    """The SQL for those that have most jobs: of thousands no more are told."""
    named = ", ".join(by)
    order = f"count(*) DESC, {named} LIMIT {MOST_SHARES + 1}"
    return f"SELECT {_known(by)} FROM line GROUP BY {named} ORDER BY {order}"  # noqa: S608


def _known(by: Sequence[str]) -> str:
    """Comparable also where nothing is known."""
    return ", ".join(f"coalesce({each}, '')" for each in by)


def _alike(row: Sequence[object], kinds: Mapping[int, Mapping[str, JsonValue]]) -> Alike:
    lot, consignor, newest, with_data, in_use, looked, handsets = row
    told = kinds[int(str(newest))]
    first = None if looked is None else kinds[int(str(looked))]
    return Alike(
        lot=None if lot is None else str(lot),
        consignor=None if consignor is None else str(consignor),
        runs=bool(told["runs"]),
        outcome=word_of(Outcome, _text(told["outcome"])),
        disposition=word_of(Disposition, _text(told["disposition"])),
        reason=_text(told["reason"]),
        state=word_of(DisposalState, _text(told["state"])),
        with_data=None if with_data is None else bool(with_data),
        in_use=bool(in_use),
        chip=None if first is None else word_of(ChipVerdict, _text(first["chip"])),
        by_hand=bool(told["by_hand"]),
        handsets=int(str(handsets)),
        names=(),
    )


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None
