"""How long a record of a fleet at work waits until it is acknowledged.

Each rack makes its records by a clock and sends what has gathered, with the shipped sender's pause
between two batches. A record waits from the moment that it was due, so that a bench that is late
counts against the centre, too.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import anyio

from benchd.lab.benchmarks.fleet.bench_centre import BenchCentre, bench_centre
from benchd.lab.benchmarks.fleet.synthetic_racks import SyntheticRack
from benchd.lab.benchmarks.percentiles import percentile
from benchd.lab.benchmarks.process_figures import figures_of
from benchd.lab.demo.private_postgres import Cluster
from benchd.ledger.fleet_batch import MOST_RECORDS
from benchd.ledger.ledger_record import Row
from benchd.outbound.fleet.ports import Taken
from benchd.outbound.fleet.record_sender import GATHER_S

STARTS_WITHIN_S: Final = 1.0
"""Racks aren't switched on at one moment."""
AGAIN_AFTER_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a fleet at work has seen."""

    racks: int
    rate: float
    """Records per rack and second."""
    duration_s: float
    records: int
    batches: int
    failures: int
    lag_p50_s: float
    lag_p99_s: float
    lag_worst_s: float
    centre_processor: float
    """Of one core, in the mean."""
    centre_rss_bytes: int
    unfiled: int
    """Records that weren't filed for looking up yet when the last one was acknowledged."""


@dataclass(slots=True)
class Seen:
    """What all racks together see."""

    lags_s: list[float] = field(default_factory=list[float])
    batches: int = 0
    failures: int = 0

    def acknowledged(self, due_s: list[float], at_s: float) -> None:
        """A batch of records that were due at these moments."""
        self.batches += 1
        self.lags_s += [at_s - each for each in due_s]


@dataclass(slots=True)
class Schedule:
    """When a rack's records are due: the first at once, each other so many seconds later."""

    begun_s: float
    every_s: float
    end_s: float
    given: int = 0

    def due(self, now_s: float) -> list[float]:
        """Those that are due by now and weren't given before."""
        due: list[float] = []
        while (at := self.begun_s + self.given * self.every_s) <= now_s and at < self.end_s:
            due.append(at)
            self.given += 1
        return due

    def is_over(self, now_s: float) -> bool:
        """Whether none is to come."""
        return now_s >= self.end_s


async def measure_load(cluster: Cluster, *, racks: int, rate: float, duration_s: float) -> Load:
    """So many racks with so many records a second each, beside the centre's own pages."""
    senders = [SyntheticRack(number) for number in range(racks)]
    chance, seen = random.Random(1), Seen()  # noqa: S311 - spreads racks, and is no secret
    async with bench_centre(cluster, senders, "load", with_pages=True) as centre:
        before_s, began_s = figures_of(centre.process).cpu_s, time.monotonic()
        async with anyio.create_task_group() as group:
            for sender in senders:
                first_s = began_s + chance.random() * STARTS_WITHIN_S
                times = Schedule(begun_s=first_s, every_s=1 / rate, end_s=first_s + duration_s)
                group.start_soon(_run, centre, sender, times, seen)
        took_s = time.monotonic() - began_s
        after = figures_of(centre.process)
        unfiled = await _unfiled(centre)
    return Load(
        racks=racks,
        rate=rate,
        duration_s=duration_s,
        records=len(seen.lags_s),
        batches=seen.batches,
        failures=seen.failures,
        lag_p50_s=percentile(seen.lags_s, 0.5),
        lag_p99_s=percentile(seen.lags_s, 0.99),
        lag_worst_s=max(seen.lags_s),
        centre_processor=(after.cpu_s - before_s) / took_s,
        centre_rss_bytes=after.rss_bytes,
        unfiled=unfiled,
    )


async def _run(centre: BenchCentre, sender: SyntheticRack, times: Schedule, seen: Seen) -> None:
    client = centre.client_of(sender)
    waiting: list[tuple[float, Row]] = []
    try:
        await anyio.sleep(max(0.0, times.begun_s - time.monotonic()))
        while True:
            now_s = time.monotonic()
            waiting += [(due_s, sender.write(datetime.now(UTC))) for due_s in times.due(now_s)]
            mine = waiting[:MOST_RECORDS]
            if not mine and times.is_over(now_s):
                return
            if mine:
                taken = await client.take(sender.batch([row for _, row in mine]))
                if isinstance(taken, Taken):
                    seen.acknowledged([due_s for due_s, _ in mine], time.monotonic())
                    del waiting[: len(mine)]
                else:
                    seen.failures += 1
                    await anyio.sleep(AGAIN_AFTER_S)
            await anyio.sleep(GATHER_S)
    finally:
        await client.aclose()


async def _unfiled(centre: BenchCentre) -> int:
    async with centre.database.transaction() as connection:
        found = await connection.execute(
            """
            SELECT coalesce(sum(tip_sequence - coalesce(sequence, left_sequence)), 0)::int8
            FROM branch LEFT JOIN filed_upto USING (rack, branch)
            """
        )
        [unfiled] = await found.fetchone() or (0,)
    return int(unfiled)
