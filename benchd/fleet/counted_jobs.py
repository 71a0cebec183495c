"""Counts what records tell of each job, for the report, as the rack's own read model does."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Final, cast

import apsw
import psycopg
import structlog
from anyio import CapacityLimiter, to_thread
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from benchd.domain.ids import JsonValue
from benchd.domain.record import EntryKind, StoredEntry
from benchd.fleet.fleet_database import FleetDatabase, can_be_kept
from benchd.fleet.folded_jobs import Counted, Folded, Row, fold
from benchd.fleet.record_follower import Reading, RecordFollower, Stretch
from benchd.ledger.ledger_record import GENESIS, stored_after
from benchd.proof.identity.sighting import model_key
from benchd.proof.identity.traits import Relation, Traits, compare
from benchd.proof.record_subject import imeis_proven

MOST_NEAR: Final = 5000
"""Jobs that one piece may bear upon: a rack may give one label to all of them."""
LONGEST: Final = 200
"""Of a text by which something is found; PostgreSQL has no index for a much longer one."""
_COUNTING: Final = 0x62656E636F756E
"""The advisory lock of whoever counts."""
_TELLING: Final = (
    EntryKind.JOB_OPENED,
    EntryKind.STAGE_ENDED,
    EntryKind.QUESTION_ASKED,
    EntryKind.DECISION,
    EntryKind.JOB_ENDED,
    EntryKind.HANDSET_SETTLED,
    EntryKind.LOT_ADDED,
    EntryKind.ASSET_BOUND,
    EntryKind.ASSET_UNERASABLE,
    EntryKind.ASSET_ASSESSED,
)
_OPEN: Final = "open"
_REVISED: Final = (
    *("ended_at", "handset", "is_alone", "counts_as", "counts_at", "kind", "has_chip", "in_use"),
    *("with_data", "passed", "lot", "consignor"),
)
"""What may be another with a later record."""

_REFUSED: Final = (
    *(psycopg.DataError, psycopg.errors.ProgramLimitExceeded, apsw.Error),
    *(ArithmeticError, ValueError),
)
"""What is raised for a record that can't be counted."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """What a piece of records names."""

    jobs: Sequence[str]
    tags: Sequence[str]
    imeis: Sequence[str]
    lots: Sequence[str]


def job_counting(database: FleetDatabase) -> RecordFollower:
    """Counts all that has come in."""
    reading = Reading(lock=_COUNTING, upto="counted_upto", kinds=_TELLING, lines=1, take=_take)
    return RecordFollower(database, reading)


async def _take(
    connection: AsyncConnection, stretches: Sequence[Stretch], thread: CapacityLimiter
) -> None:
    for each in stretches:
        if each.rows:
            await _count(connection, each, each.rows, thread)


async def _count(
    connection: AsyncConnection,
    of: Stretch,
    rows: Sequence[tuple[int, bytes]],
    thread: CapacityLimiter,
) -> None:
    rack, branch = of.rack, of.branch
    [first] = await _one(connection, "SELECT nextval('counted_number')")
    reading = partial(_read, rows, int(first))
    records, named, last = await to_thread.run_sync(reading, limiter=thread)
    if not records:
        return
    known = await _known(connection, rack, named)
    folding = partial(fold, known, records)
    try:
        after, counted = await to_thread.run_sync(folding, limiter=thread)
        async with connection.transaction():
            await _write(connection, rack, branch, known, after, last)
            await _write_counted(connection, rack, counted)
            await _unite(connection, [each.id for each in counted])
    except _REFUSED as error:
        half = len(rows) // 2
        if half:
            # One record that can't be counted keeps no other from being counted.
            await _count(connection, of, rows[:half], thread)
            await _count(connection, of, rows[half:], thread)
        else:
            _log.warning("record_not_understood", sequence=rows[0][0], detail=str(error))


def _read(
    rows: Sequence[tuple[int, bytes]], first: int
) -> tuple[list[StoredEntry], _Named, Mapping[str, int]]:
    """The records under numbers of their own, what they name, and each job's last number."""
    records: list[StoredEntry] = []
    jobs: set[str] = set()
    tags: set[str] = set()
    imeis: set[str] = set()
    lots: set[str] = set()
    last: dict[str, int] = {}
    for at, (sequence, body) in enumerate(rows):
        try:
            stored = stored_after(GENESIS, body)
            entry = stored.entry
            if entry.job is not None and not can_be_kept(entry.job):
                continue
            if entry.kind is EntryKind.STAGE_ENDED:
                imeis |= imeis_proven(entry)
        except Exception as error:  # noqa: BLE001 - one record's fault, whatever it is
            _log.warning("record_not_understood", sequence=sequence, detail=repr(error))
            continue
        records.append(replace(stored, sequence=first + at))
        if entry.job is not None:
            jobs.add(entry.job)
            last[entry.job] = sequence
        evidence = entry.data.get("evidence")
        drawn = evidence.get("drawn_job") if isinstance(evidence, Mapping) else None
        jobs |= _texts(drawn)
        tags |= _texts(entry.data.get("tag"))
        lots |= _texts(entry.data.get("lot"))
    named = _Named(jobs=sorted(jobs), tags=sorted(tags), imeis=sorted(imeis), lots=sorted(lots))
    return records, named, last


def _texts(value: object) -> set[str]:
    return {_kept(value)} if isinstance(value, str) and value else set()


def _kept(text: str) -> str:
    """As PostgreSQL keeps it and finds it again."""
    return text[:LONGEST].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


async def _known(connection: AsyncConnection, rack: int, named: _Named) -> Folded:
    """All jobs of the rack that may have to do with what is named."""
    ids: set[int] = set()
    found = await connection.execute(
        """
        SELECT id FROM folded_job WHERE rack = %(rack)s AND job = ANY(%(jobs)s)
        UNION SELECT id FROM folded_job WHERE rack = %(rack)s AND tag = ANY(%(tags)s)
        UNION SELECT folded_job.id FROM folded_imei AS told
            JOIN folded_job ON folded_job.id = told.job
            WHERE told.imei = ANY(%(imeis)s) AND rack = %(rack)s
        LIMIT %(most)s
        """,
        {
            "rack": rack,
            "jobs": list(named.jobs),
            "tags": list(named.tags),
            "imeis": list(named.imeis),
            "most": MOST_NEAR,
        },
    )
    fresh = {row[0] for row in await found.fetchall()}
    while fresh and len(ids) < MOST_NEAR:
        ids |= fresh
        found = await connection.execute(_NEAR, {"ids": list(fresh), "most": MOST_NEAR})
        fresh = {row[0] for row in await found.fetchall()} - ids
    if len(ids) >= MOST_NEAR:
        _log.warning("fleet_filing", detail=f"{len(ids)} jobs of rack {rack} have to do with one")
    every = list(ids)
    found = await connection.execute(
        "SELECT id, handset, told, waits FROM folded_job WHERE id = ANY(%s) ORDER BY id", (every,)
    )
    rows = await found.fetchall()
    found = await connection.execute(
        "SELECT imei, job FROM folded_imei WHERE job = ANY(%s)", (every,)
    )
    imeis = [(str(row[0]), int(row[1])) for row in await found.fetchall()]
    found = await connection.execute(
        "SELECT job, record, later, at FROM folded_met WHERE job = ANY(%s)", (every,)
    )
    met: list[Row] = [
        dict(zip(("job", "record", "later", "at"), row, strict=True))
        for row in await found.fetchall()
    ]
    found = await connection.execute(
        "SELECT lot, consignor FROM folded_lot WHERE rack = %s AND lot = ANY(%s)",
        (rack, list(named.lots)),
    )
    return Folded(
        jobs=[cast("Row", {**row[2], "id": row[0], "handset": row[1]}) for row in rows],
        imeis=imeis,
        met=met,
        lots=dict(await found.fetchall()),
        waits={row[0]: {**row[3], "job": row[0]} for row in rows if row[3] is not None},
    )


_NEAR: Final = """
    WITH mine AS (SELECT * FROM folded_job WHERE id = ANY(%(ids)s))
    SELECT id FROM folded_job WHERE handset IN (SELECT handset FROM mine)
    UNION SELECT other.id FROM mine JOIN folded_job AS other USING (rack, tag)
    UNION SELECT other.id FROM mine JOIN folded_job AS other
        ON other.rack = mine.rack AND other.job = mine.rechecks
    UNION SELECT other.id FROM mine JOIN folded_job AS other
        ON other.rack = mine.rack AND other.rechecks = mine.job
    UNION SELECT other.id FROM mine JOIN folded_imei AS told ON told.job = mine.id
        JOIN folded_imei AS too USING (imei) JOIN folded_job AS other ON other.id = too.job
        WHERE other.rack = mine.rack
    UNION SELECT later FROM folded_met WHERE job = ANY(%(ids)s)
    UNION SELECT job FROM folded_met WHERE later = ANY(%(ids)s)
    LIMIT %(most)s
"""


async def _write(
    connection: AsyncConnection,
    rack: int,
    branch: int,
    known: Folded,
    after: Folded,
    last: Mapping[str, int],
) -> None:
    before = {row["id"]: (row, known.waits.get(cast("int", row["id"]))) for row in known.jobs}
    changed: list[dict[str, JsonValue]] = []
    for row in after.jobs:
        number = cast("int", row["id"])
        waits = _asked(after.waits.get(number))
        if before.get(number) == (row, waits):
            continue
        job, tag, rechecks = (row.get(name) for name in ("job", "tag", "rechecks"))
        told = {name: value for name, value in row.items() if name not in ("id", "handset")}
        changed.append(
            {
                "id": number,
                "job": job,
                "handset": row["handset"],
                "tag": None if tag is None else _kept(str(tag)),
                "rechecks": None if rechecks is None else _kept(str(rechecks)),
                "told": _clean(told),
                "waits": None if waits is None else dict(waits),
                "sequence": last.get(str(job)),
            }
        )
    await connection.execute(
        """
        INSERT INTO folded_job AS known (id, rack, job, handset, tag, rechecks, told, waits,
            waits_branch, waits_sequence)
        SELECT id, %s, job, handset, tag, rechecks, told, waits,
            CASE WHEN sequence IS NOT NULL THEN %s END, sequence
        FROM jsonb_to_recordset(%s) AS told (id bigint, job text, handset bigint, tag text,
            rechecks text, told jsonb, waits jsonb, sequence bigint)
        ON CONFLICT (id) DO UPDATE SET handset = excluded.handset, tag = excluded.tag,
            rechecks = excluded.rechecks, told = excluded.told,
            waits = excluded.waits,
            waits_branch = coalesce(excluded.waits_branch, known.waits_branch),
            waits_sequence = coalesce(excluded.waits_sequence, known.waits_sequence)
        """,
        (rack, branch, Jsonb(changed)),
    )
    new_imeis = set(after.imeis) - set(known.imeis)
    if new_imeis:
        await connection.cursor().executemany(
            "INSERT INTO folded_imei (imei, job) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            sorted(new_imeis),
        )
    await _write_met(connection, known.met, after.met)
    lots = [(rack, _kept(lot), _kept(of)) for lot, of in after.lots.items()]
    if lots:
        await connection.cursor().executemany(
            """
            INSERT INTO folded_lot (rack, lot, consignor) VALUES (%s, %s, %s)
            ON CONFLICT (rack, lot) DO UPDATE SET consignor = excluded.consignor
            """,
            lots,
        )


async def _write_met(
    connection: AsyncConnection, before: Sequence[Row], after: Sequence[Row]
) -> None:
    keys = {(row["job"], row["record"]) for row in before}
    kept = {(row["job"], row["record"]) for row in after}
    for gone in keys - kept:
        await connection.execute("DELETE FROM folded_met WHERE job = %s AND record = %s", gone)
    for row in after:
        if (row["job"], row["record"]) not in keys:
            await connection.execute(
                """
                INSERT INTO folded_met (job, record, later, at)
                VALUES (%(job)s, %(record)s, %(later)s, %(at)s)
                """,
                dict(row),
            )


async def _write_counted(
    connection: AsyncConnection, rack: int, counted: Sequence[Counted]
) -> None:
    rows = Jsonb([_clean(asdict(each)) for each in counted])
    await connection.execute(
        """
        INSERT INTO counted_kind (told)
        SELECT DISTINCT kind::jsonb FROM jsonb_to_recordset(%s) AS told (kind text)
        WHERE NOT EXISTS (SELECT FROM counted_kind WHERE counted_kind.told = kind::jsonb)
        """,
        (rows,),
    )
    named = "(" + ", ".join(_REVISED) + ")"
    old = "(" + ", ".join(f"known.{name}" for name in _REVISED) + ")"
    new = "(" + ", ".join(f"excluded.{name}" for name in _REVISED) + ")"
    await connection.execute(
        f"""
        INSERT INTO counted_job AS known
            (id, opened_at, fleet_handset, rack, is_shared, {", ".join(_REVISED)})
        SELECT told.id, opened_at, handset, %s, false, ended_at, handset, is_alone, counts_as,
            counts_at, counted_kind.id, has_chip, in_use, with_data, passed, lot, consignor
        FROM jsonb_to_recordset(%s) AS told (id bigint, opened_at timestamptz,
            ended_at timestamptz, handset bigint, is_alone boolean, counts_as bigint,
            counts_at bigint, kind text, has_chip boolean, in_use boolean, with_data boolean,
            passed boolean, lot text, consignor text)
        JOIN counted_kind ON counted_kind.told = told.kind::jsonb
        ON CONFLICT (id) DO UPDATE SET {named} = {new} WHERE {old} IS DISTINCT FROM {new}
        """.encode(),  # noqa: S608 - columns of the table
        (rack, rows),
    )


async def _unite(connection: AsyncConnection, jobs: Sequence[int]) -> None:
    """Say it anew which handsets of these jobs are certainly those of jobs on other racks.

    What only may be the same handset counts by itself: one of them mustn't stand for the other.
    """
    found = await connection.execute(
        """
        SELECT DISTINCT fleet.handset FROM counted_job AS mine
        JOIN counted_job AS fleet USING (fleet_handset) WHERE mine.id = ANY(%s) AND mine.is_shared
        UNION SELECT handset FROM counted_job WHERE id = ANY(%s)
        """,
        (list(jobs), list(jobs)),
    )
    fresh = {row[0] for row in await found.fetchall()}
    together: dict[int, int] = {each: each for each in fresh}
    shared: set[int] = set()

    def first(of: int) -> int:
        while together[of] != of:
            of = together[of]
        return of

    while fresh and len(together) < MOST_NEAR:
        pairs = await _certain(connection, fresh)
        fresh = {each for pair in pairs for each in pair} - together.keys()
        together |= {each: each for each in fresh}
        for pair in pairs:
            shared |= set(pair)
            low, high = sorted(map(first, pair))
            together[high] = low
    of = sorted(together)
    await connection.execute(
        """
        UPDATE counted_job SET fleet_handset = fleet, is_shared = shared
        FROM unnest(%s::int8[], %s::int8[], %s::bool[]) AS told (of, fleet, shared)
        WHERE counted_job.handset = of AND (fleet_handset, is_shared) <> (fleet, shared)
        """,
        (of, [first(each) for each in of], [each in shared for each in of]),
    )


async def _certain(connection: AsyncConnection, handsets: Collection[int]) -> set[tuple[int, int]]:
    """Each of these together with one of another rack that it certainly is."""
    found = await connection.execute(
        """
        SELECT DISTINCT mine.id, mine.handset, other.id, other.handset
        FROM counted_job AS mine JOIN folded_imei AS told ON told.job = mine.id
        JOIN folded_imei AS too USING (imei) JOIN counted_job AS other ON other.id = too.job
        WHERE mine.handset = ANY(%s) AND other.rack <> mine.rack LIMIT %s
        """,
        (list(handsets), MOST_NEAR),
    )
    rows = await found.fetchall()
    if not rows:
        return set()
    found = await connection.execute(
        """
        SELECT id, rack, told, ARRAY(SELECT imei FROM folded_imei WHERE folded_imei.job = id)
        FROM folded_job WHERE id = ANY(%s)
        """,
        ([each for row in rows for each in (row[0], row[2])],),
    )
    traits = {row[0]: _traits(*row[1:]) for row in await found.fetchall()}
    return {
        (handset, of)
        for job, handset, other, of in rows
        if compare(traits[job], traits[other]).relation is Relation.CERTAIN
    }


def _traits(rack: int, told: Mapping[str, str], imeis: Sequence[str]) -> Traits:
    """By what a job's handset is known, as the rack's own read model puts it."""
    maker, model = told.get("manufacturer"), told.get("model")
    return Traits(
        imeis=frozenset(imeis),
        proven=frozenset(imeis),
        serial=told.get("serial"),
        model=model_key(maker, model) if maker and model else None,
        tied_chip=told.get("tied"),
        # Each rack hashes chips with a secret of its own.
        chip_secret=f"rack {rack}",
    )


def _asked(waits: Row | None) -> Row | None:
    """What is still asked; None for a job that waits for nobody."""
    return waits if waits and waits.get(_OPEN) else None


def _clean(told: Mapping[str, object]) -> dict[str, JsonValue]:
    """Texts as PostgreSQL can keep them."""
    return {
        name: _storable(name, value) if isinstance(value, str) else cast("JsonValue", value)
        for name, value in told.items()
    }


def _storable(name: str, text: str) -> str:
    whole = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return whole[:LONGEST] if name in ("tag", "lot", "consignor") else whole


async def _one(connection: AsyncConnection, statement: str) -> tuple[int, ...]:
    found = await connection.execute(statement.encode())
    return await found.fetchone() or (0,)
