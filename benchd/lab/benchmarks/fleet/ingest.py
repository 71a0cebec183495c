"""How many records a second the centre takes in at most, beside PostgreSQL that copies them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import anyio
import psycopg
from anyio import to_thread

from benchd.domain.errors import BenchdError
from benchd.fleet.filed_jobs import job_filing
from benchd.lab.benchmarks.fleet.bench_centre import BenchCentre, bench_centre
from benchd.lab.benchmarks.fleet.synthetic_racks import SyntheticRack
from benchd.lab.benchmarks.process_figures import family_cpu_s
from benchd.lab.demo.private_postgres import Cluster
from benchd.ledger.fleet_batch import MOST_RECORDS
from benchd.outbound.fleet.ports import Taken

_COLUMNS = "rack, branch, sequence, hash, kind, body"


class BatchNotTaken(BenchdError):
    """Raised where the centre refuses what a bench sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Both ways by turns, on the same rows."""

    centre_s: float
    centre_processor_s: float
    copy_s: float
    filing_s: float
    record_bytes: float
    """On disk for each record: its row and indexes."""
    whole_bytes: float
    """On disk for each record: with all that the centre has for looking up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """Medians of all rounds."""

    racks: int
    records: int
    body_bytes: float
    packed_bytes: float
    centre_per_s: float
    copy_per_s: float
    ratio: float
    centre_processor_us: float
    """Of one record, by the centre and the processes that read for it."""
    filed_per_s: float
    record_disk_bytes: float
    whole_disk_bytes: float


async def measure_ingest(cluster: Cluster, *, racks: int, records: int, rounds: int) -> Ingest:
    """So many records of each of so many racks, sent as fast as the centre takes them."""
    senders = [SyntheticRack(number) for number in range(racks)]
    first = [sender.batch([sender.write() for _ in range(MOST_RECORDS)]) for sender in senders]
    batches: list[list[bytes]] = []
    total = packed = body_bytes = 0
    for sender in senders:
        mine: list[bytes] = []
        for done in range(0, records, MOST_RECORDS):
            rows = [sender.write() for _ in range(min(MOST_RECORDS, records - done))]
            mine.append(sender.batch(rows))
            total += len(rows)
            body_bytes += sum(len(row.body) for row in rows)
        packed += sum(map(len, mine))
        batches.append(mine)
    taken = [await _round(cluster, senders, first, batches, f"ingest_{n}") for n in range(rounds)]
    return summed_up(taken, racks=racks, records=total, body=body_bytes, packed=packed)


def summed_up(
    rounds: Sequence[Round], *, racks: int, records: int, body: int, packed: int
) -> Ingest:
    """The medians, and that of the rounds' own ratios: each has the load of its own minute."""
    return Ingest(
        racks=racks,
        records=records,
        body_bytes=body / records,
        packed_bytes=packed / records,
        centre_per_s=records / statistics.median(each.centre_s for each in rounds),
        copy_per_s=records / statistics.median(each.copy_s for each in rounds),
        ratio=statistics.median(each.copy_s / each.centre_s for each in rounds),
        centre_processor_us=statistics.median(each.centre_processor_s for each in rounds)
        / records
        * 1e6,
        filed_per_s=records / statistics.median(each.filing_s for each in rounds),
        record_disk_bytes=statistics.median(each.record_bytes for each in rounds),
        whole_disk_bytes=statistics.median(each.whole_bytes for each in rounds),
    )


async def _round(
    cluster: Cluster,
    senders: Sequence[SyntheticRack],
    first: Sequence[bytes],
    batches: Sequence[Sequence[bytes]],
    name: str,
) -> Round:
    async with bench_centre(cluster, senders, name, with_pages=False) as centre:
        # The first large batches start the processes that read all others: they don't count.
        await _send_all(centre, senders, [[batch] for batch in first])
        await job_filing(centre.database).catch_up()
        before_s = family_cpu_s(centre.process)
        began = time.perf_counter()
        await _send_all(centre, senders, batches)
        centre_s = time.perf_counter() - began
        processor_s = family_cpu_s(centre.process) - before_s
        copy_s = await to_thread.run_sync(partial(_copy, centre.conninfo))
        began = time.perf_counter()
        await job_filing(centre.database).catch_up()
        filing_s = time.perf_counter() - began
        record_bytes, whole_bytes = await to_thread.run_sync(partial(_sizes, centre.conninfo))
    return Round(
        centre_s=centre_s,
        centre_processor_s=processor_s,
        copy_s=copy_s,
        filing_s=filing_s,
        record_bytes=record_bytes,
        whole_bytes=whole_bytes,
    )


async def _send_all(
    centre: BenchCentre, senders: Sequence[SyntheticRack], batches: Sequence[Sequence[bytes]]
) -> None:
    async with anyio.create_task_group() as group:
        for sender, mine in zip(senders, batches, strict=True):
            group.start_soon(_send, centre, sender, mine)


async def _send(centre: BenchCentre, sender: SyntheticRack, batches: Sequence[bytes]) -> None:
    client = centre.client_of(sender)
    try:
        for batch in batches:
            taken = await client.take(batch)
            if not isinstance(taken, Taken):
                message = f"the centre didn't take a batch: {taken.why}"
                raise BatchNotTaken(message)
    finally:
        await client.aclose()


def _copy(conninfo: str) -> float:
    """Seconds for the same rows into a table of the same form, as PostgreSQL itself writes them.

    Without those of the first batches.
    """
    with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
        counted = f"SELECT {_COLUMNS} FROM record WHERE sequence > %s"  # noqa: S608
        with cursor.copy(f"COPY ({counted}) TO STDOUT (FORMAT BINARY)", (MOST_RECORDS,)) as copy:
            rows = [bytes(piece) for piece in copy]
        cursor.execute(
            "CREATE TABLE copied (LIKE record INCLUDING ALL,"
            " FOREIGN KEY (rack, branch) REFERENCES branch)"
        )
        connection.commit()
        began = time.perf_counter()
        with cursor.copy(f"COPY copied ({_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
            for piece in rows:
                copy.write(piece)
        connection.commit()
        took_s = time.perf_counter() - began
        cursor.execute("DROP TABLE copied")
    return took_s


def _sizes(conninfo: str) -> tuple[float, float]:
    """Bytes on disk for each record: of their own table, and of all."""
    with psycopg.connect(conninfo) as connection:
        found = connection.execute(
            """
            SELECT pg_total_relation_size('record')::float8 / count(*),
                sum_of_all::float8 / count(*)
            FROM record, (
                SELECT sum(pg_total_relation_size(oid)) AS sum_of_all FROM pg_class
                WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            ) AS every GROUP BY sum_of_all
            """
        ).fetchone()
    return (0.0, 0.0) if found is None else (float(found[0]), float(found[1]))
