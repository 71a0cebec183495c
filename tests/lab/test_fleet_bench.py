"""The fleet's benchmark runs and reckons right; how fast the centre is, no test judges."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import anyio
import psycopg
import pytest

from benchd.domain.imei import is_imei
from benchd.fleet.filed_jobs import job_filing
from benchd.lab.benchmarks.fleet.bench_centre import bench_centre, bench_cluster
from benchd.lab.benchmarks.fleet.filled_jobs import fill
from benchd.lab.benchmarks.fleet.fleet_bench import Figures, shown
from benchd.lab.benchmarks.fleet.ingest import Round, summed_up
from benchd.lab.benchmarks.fleet.load import Load, Schedule, Seen
from benchd.lab.benchmarks.fleet.lookups import took
from benchd.lab.benchmarks.fleet.synthetic_racks import RECORDS_PER_JOB, SyntheticRack
from benchd.lab.benchmarks.synthetic_jobs import AGAIN_EVERY, HANDSETS, Named
from benchd.lab.demo.private_postgres import Cluster
from benchd.ledger.fleet_batch import MOST_RECORDS
from benchd.outbound.fleet.ports import Taken
from tests.program import BENCHD

FILLED = (
    b"SELECT rack, job, number, backwards FROM filed_number ORDER BY number, job",
    b"SELECT rack, job, trait, value FROM handset_trait ORDER BY 2, 3, 4",
    b"""
        SELECT rack, job, certificate, certified_branch, certified_sequence, imeis, proven
        FROM filed_job ORDER BY job
    """,
    # Records that tell of a job, and each with its own number, time and names left out.
    b"""
        SELECT job, sequence, kind, convert_from(body, 'UTF8')::json ->> 'sequence',
            convert_from(body, 'UTF8')::json ->> 'job'
        FROM job_record JOIN record USING (rack, branch, sequence) ORDER BY 1, 2
    """,
    b"""
        SELECT count(*) FROM filed_number JOIN filed_job USING (rack, job)
        WHERE filed_number.opened_at <> filed_job.opened_at
    """,
    b"""
        SELECT pg_get_indexdef(indexrelid) FROM pg_index
        WHERE indrelid::regclass::text ~ '^(filed_|handset_trait|job_record|record)' ORDER BY 1
    """,
)


@pytest.mark.timeout(180)
def test_each_part_is_measured() -> None:
    tiny = (
        *("--senders", "2", "--records", "40", "--rounds", "1"),
        *("--racks", "2", "--duration", "0.4"),
        *("--jobs", "60", "--looks", "1"),
    )
    done = subprocess.run(
        [*BENCHD, "bench", "fleet", "--json", *tiny], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    ingest, load, lookups = told["ingest"], told["load"], told["lookups"]
    assert ingest["records"] == 80
    assert all(
        ingest[name] > 0 for name in ("centre_per_s", "copy_per_s", "ratio", "record_disk_bytes")
    )
    assert (load["records"], load["failures"]) == (16, 0)
    assert 0 < load["lag_p50_s"] <= load["lag_p99_s"] <= load["lag_worst_s"]
    assert lookups["jobs"] == 60
    assert lookups["kinds"]["gate question"]["p99_ms"] > 0
    assert lookups["kinds"]["look-up of an IMEI"]["count"] == 1
    assert told["reports"]["jobs"] == 60
    assert told["reports"]["counted_per_s"] > 0
    assert told["reports"]["kinds"]["a month"]["count"] == 1


def test_an_unknown_part_is_refused() -> None:
    done = subprocess.run(
        [*BENCHD, "bench", "fleet", "--parts", "ingest,all"], capture_output=True, check=False
    )
    assert done.returncode == 2


def test_records_are_due_by_the_clock_and_each_once() -> None:
    times = Schedule(begun_s=100.0, every_s=0.25, end_s=101.0)
    assert times.due(99.0) == []
    assert times.due(100.3) == [100.0, 100.25]
    assert times.due(100.3) == []
    assert not times.is_over(100.9)
    assert times.due(200.0) == [100.5, 100.75]
    assert times.is_over(101.0)


def test_a_record_waits_from_when_it_was_due() -> None:
    seen = Seen()
    seen.acknowledged([10.0, 10.5], 11.0)
    seen.acknowledged([12.0], 12.25)
    assert (seen.lags_s, seen.batches) == ([1.0, 0.5, 0.25], 2)


def test_the_slowest_of_a_hundred_is_not_the_99th_percentile() -> None:
    told = took([*[0.001] * 50, *[0.002] * 49, 5.0])
    assert (told.count, told.p50_ms, told.p99_ms) == (100, 1.0, 2.0)


def test_the_ratio_is_the_median_of_each_rounds_own() -> None:
    def of(centre_s: float, copy_s: float) -> Round:
        return Round(
            centre_s=centre_s,
            centre_processor_s=centre_s / 2,
            copy_s=copy_s,
            filing_s=10.0,
            record_bytes=800.0,
            whole_bytes=1200.0,
        )

    told = summed_up(
        [of(4.0, 1.0), of(2.0, 1.0), of(10.0, 4.0)], racks=2, records=1000, body=5000, packed=1000
    )
    assert (told.ratio, told.centre_per_s, told.copy_per_s) == (0.4, 250.0, 1000.0)
    assert (told.body_bytes, told.packed_bytes) == (5.0, 1.0)
    assert (told.centre_processor_us, told.filed_per_s) == (2000.0, 100.0)
    assert "ratio 0.40" in next(iter(shown(Figures(ingest=told))))


def test_lag_is_shown_beside_what_failed() -> None:
    load = Load(
        racks=50,
        rate=20,
        duration_s=600,
        records=600_000,
        batches=60_000,
        failures=3,
        lag_p50_s=0.31,
        lag_p99_s=0.61,
        lag_worst_s=1.5,
        centre_processor=0.4,
        centre_rss_bytes=100 << 20,
        unfiled=12,
    )
    first, second = shown(Figures(load=load))
    assert "3 failures; lag p50 0.31 s, p99 0.61 s, at worst 1.50 s" in first
    assert "40% of a core, 100 MiB; 12 records" in second


@pytest.mark.timeout(180)
def test_filled_jobs_are_found_by_just_what_real_ones_are() -> None:
    jobs = 3 * AGAIN_EVERY

    async def rows_of(cluster: Cluster, name: str, sent: int) -> list[list[tuple[Any, ...]]]:
        rack = SyntheticRack(0)
        async with bench_centre(cluster, [rack], name, with_pages=False) as centre:
            client = centre.client_of(rack)
            records = [rack.write() for _ in range(sent * RECORDS_PER_JOB)]
            for first in range(0, len(records), MOST_RECORDS):
                batch = rack.batch(records[first : first + MOST_RECORDS])
                assert isinstance(await client.take(batch), Taken)
            await client.aclose()
            await job_filing(centre.database).catch_up()
            if sent < jobs:
                fill(centre.conninfo, [1], jobs)
            with psycopg.connect(centre.conninfo) as connection:
                return [connection.execute(query).fetchall() for query in FILLED]

    async def both() -> None:
        with bench_cluster(None) as cluster:
            real = await rows_of(cluster, "real", jobs)
            assert await rows_of(cluster, "filled", AGAIN_EVERY) == real
        numbers, _, certified, records, _, indexes = real
        assert len({job for _, job, *_ in numbers}) == jobs
        assert len(certified) == jobs
        assert len(records) > jobs
        assert len(indexes) > len(FILLED)

    anyio.run(both)


def test_no_two_handsets_have_one_imei() -> None:
    far = [number + millions * HANDSETS for millions in range(3) for number in range(0, 40, 3)]
    assert len({Named.imei(number) for number in far}) == len({*map(Named.handset, far)})
    assert all(is_imei(Named.imei(number)) for number in far)
