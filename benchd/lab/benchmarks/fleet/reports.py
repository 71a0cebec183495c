"""How long a report takes where the centre has counted very many jobs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import anyio
import httpx2
import psycopg
from anyio import to_thread

from benchd.daemon.system_clock import SystemEntropy
from benchd.fleet.counted_jobs import job_counting
from benchd.fleet.offices import Offices
from benchd.lab.benchmarks.fleet.bench_centre import BenchCentre, bench_centre
from benchd.lab.benchmarks.fleet.ingest import BatchNotTaken
from benchd.lab.benchmarks.fleet.lookups import EVERY_S, NotAnswered, Took, took
from benchd.lab.benchmarks.fleet.synthetic_racks import RECORDS_PER_JOB, SyntheticRack
from benchd.lab.benchmarks.synthetic_jobs import AGAIN_EVERY
from benchd.lab.demo.private_postgres import Cluster
from benchd.outbound.fleet.ports import Taken

RACKS: Final = 50
WITHIN_S: Final = 300.0
ASKED: Final[Mapping[str, Mapping[str, str]]] = {
    "a month": {"from": "2026-06-01", "to": "2026-06-30"},
    "a month of one rack": {"from": "2026-06-01", "to": "2026-06-30", "rack": "synthetic rack 7"},
    "a month of one lot": {"from": "2026-06-01", "to": "2026-06-30", "lot": "L-20700"},
    "a month of one consignor": {"from": "2026-06-01", "to": "2026-06-30", "consignor": "C-7"},
    "a day": {"from": "2026-06-15", "to": "2026-06-15"},
}
_FILL: Final = """
    INSERT INTO counted_job (id, opened_at, ended_at, handset, fleet_handset, counts_as, counts_at,
        rack, kind, is_alone, is_shared, has_chip, in_use, with_data, passed, lot, consignor)
    SELECT id, at, at + '40 minutes', handset, CASE WHEN is_shared THEN first ELSE handset END, id,
        extract(epoch FROM at)::bigint, (%(racks)s::int[])[1 + n %% %(count)s],
        (%(kinds)s::int[])[1 + n %% cardinality(%(kinds)s::int[])], is_alone, is_shared, true,
        n %% 7 = 0, n %% 3 = 0, n %% 20 <> 3, 'L-' || n / 200, 'C-' || n / 200 %% 40
    FROM (
        SELECT n, 1000000 + n AS id, timestamptz '2026-01-01 00:00+09'
                + n::float8 / %(jobs)s * interval '365 days' AS at,
            -- Each twentieth job is of a handset that had been on its rack before.
            1000000 + CASE WHEN n %% 1000 >= 950 THEN n - 500 ELSE n END AS handset,
            -- Of each fifty handsets two are one, on another rack.
            n %% 1000 < 450 OR n %% 1000 BETWEEN 500 AND 949 AS is_alone,
            n %% 1000 < 950 AND n %% 50 < 2 AS is_shared, 1000000 + n - n %% 50 AS first
        FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
    ) AS job
"""
PIECE: Final = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Each span beside the others."""

    jobs: int
    filled_s: float
    table_bytes: int
    """Of what is counted, with its indexes."""
    counted_per_s: float
    """Records, with nobody who looks beside."""
    kinds: Mapping[str, Took]


async def measure_reports(cluster: Cluster, *, jobs: int, looks: int) -> Reports:
    """So many reports of each kind over so many jobs of a year."""
    first = SyntheticRack(0)
    async with bench_centre(cluster, [first], "counting", with_pages=False) as centre:
        counted_per_s = await _count(centre, first)
    senders = [SyntheticRack(number) for number in range(RACKS)]
    async with bench_centre(cluster, senders, "reports", with_pages=True) as centre:
        await _count(centre, senders[0])
        began = time.perf_counter()
        await to_thread.run_sync(partial(_fill, centre.conninfo, jobs))
        filled_s = time.perf_counter() - began
        kinds = await _reports(centre, looks)
        size = await to_thread.run_sync(partial(_size, centre.conninfo))
    return Reports(
        jobs=jobs,
        filled_s=filled_s,
        table_bytes=size,
        counted_per_s=counted_per_s,
        kinds=kinds,
    )


async def _count(centre: BenchCentre, sender: SyntheticRack) -> float:
    """Some jobs as ever: what is made after them has their ends."""
    client = centre.client_of(sender)
    records = 0
    for _ in range(5):
        rows = [sender.write() for _ in range(2 * AGAIN_EVERY * RECORDS_PER_JOB)]
        records += len(rows)
        taken = await client.take(sender.batch(rows))
        if not isinstance(taken, Taken):
            message = f"the centre didn't take a batch: {taken.why}"
            raise BatchNotTaken(message)
    await client.aclose()
    began = time.perf_counter()
    await job_counting(centre.database).catch_up()
    return records / (time.perf_counter() - began)


async def _reports(centre: BenchCentre, looks: int) -> dict[str, Took]:
    secret = await Offices(centre.database).add("bench", 1, SystemEntropy())
    kinds: dict[str, Took] = {}
    async with httpx2.AsyncClient(
        base_url=str(centre.pages_url),
        timeout=WITHIN_S,
        headers={"authorization": f"Bearer {secret}"},
    ) as client:
        for kind, asked in ASKED.items():
            seconds: list[float] = []
            for _ in range(looks):
                began = time.perf_counter()
                answer = await client.get("/v1/report", params=asked)
                seconds.append(time.perf_counter() - began)
                if not answer.is_success:
                    message = f"the centre's pages answered {answer.status_code}"
                    raise NotAnswered(message)
                await anyio.sleep(EVERY_S)
            kinds[kind] = took(seconds)
    return kinds


def _fill(conninfo: str, jobs: int) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        racks = [row[0] for row in connection.execute("SELECT id FROM rack ORDER BY id")]
        kinds = [row[0] for row in connection.execute("SELECT kind FROM counted_job")]
        for first in range(0, jobs, PIECE):
            said = {
                "racks": racks,
                "count": len(racks),
                "kinds": kinds,
                "jobs": jobs,
                "first": first,
                "last": min(first + PIECE, jobs) - 1,
            }
            connection.execute(_FILL, said)
        connection.execute("VACUUM ANALYZE counted_job")


def _size(conninfo: str) -> int:
    with psycopg.connect(conninfo) as connection:
        found = connection.execute("SELECT pg_total_relation_size('counted_job')").fetchone()
    return 0 if found is None else int(found[0])
