"""One crowd through one daemon, from plug to certificate: what it took, and who was the limit."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Final

import anyio

from benchd.domain.errors import BenchdError
from benchd.domain.ids import JsonValue
from benchd.lab.benchmarks.crowd.account import Account
from benchd.lab.benchmarks.crowd.crowd_daemon import TIMER_LAGS_FILE
from benchd.lab.benchmarks.crowd.crowd_rack import CrowdRack, cores, crowd_rack
from benchd.lab.benchmarks.crowd.latencies import (
    Steps,
    count_records,
    latencies_of,
    read_steps,
)
from benchd.lab.benchmarks.crowd.places import CrowdPlan
from benchd.lab.benchmarks.crowd.viewers import Viewers
from benchd.lab.benchmarks.percentiles import histogram_count, histogram_percentile, percentile
from benchd.lab.demo.demo_folder import DemoFolder
from benchd.lab.demo.demo_operators import ended

VIEWERS: Final = (0, 1, 20)
WINDOW_S: Final = 4.0
SCRAPES: Final = 5
LOOK_EVERY_S: Final = 0.25
MOST_PATIENCE_S: Final = 1500.0
CROWD_LIMIT: Final = 0.8
"""A crowd that has used its core to this share was a limit itself."""


class CrowdNotDone(BenchdError):
    """Raised when a handset of the crowd ended otherwise than it must, or was asked the unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One count of handsets."""

    count: int
    figures: Mapping[str, JsonValue]
    raw: Mapping[str, JsonValue]
    """Every value beside the percentiles."""
    profile: Mapping[str, Mapping[str, float]] | None = None

    @property
    def wall_s(self) -> float:
        """From the first plug to the last certificate."""
        return float(str(self.figures["wall_s"]))


@asynccontextmanager
async def nobody(rack: CrowdRack) -> AsyncGenerator[None, None]:
    """Nothing goes on beside the crowd."""
    del rack
    yield


async def measure_crowd(
    plan: CrowdPlan,
    directory: Path,
    *,
    profile: bool = False,
    viewers: bool = True,
    prepare: Callable[[DemoFolder], Awaitable[None]] | None = None,
    beside: Callable[[CrowdRack], AbstractAsyncContextManager[None]] = nobody,
) -> Measured:
    """Plug all in within 100 ms and stay until every handset is certified.

    `prepare` is done with the daemon's folder before it starts;
    `beside` is what goes on from before the first plug until the last has ended.
    """
    daemon_core, crowd_core = cores()
    count = len(plan.handsets)
    async with crowd_rack(directory, plan, core=crowd_core) as rack:
        if prepare is not None:
            await prepare(rack.folder)
        start_s = await rack.start_daemon(core=daemon_core, profile=profile)
        if profile:
            rack.begin_profile()
        async with beside(rack), attended(rack):
            idle = account_of(rack)
            begun, begun_wall = time.monotonic(), time.time()
            await rack.hands.plug(within_s=0.1)
            with anyio.fail_after(MOST_PATIENCE_S):
                await until_first_bytes(rack)
                filling_s, at_filling = time.monotonic() - begun, account_of(rack)
                looked = await _look_on(rack) if viewers else {}
                await until_ended(rack)
            wall_s = time.monotonic() - begun
            ended_wall, at_end = time.time(), account_of(rack)
            exposition = await rack.watch.metrics()
        told, not_understood = await rack.hands.figures()
        await rack.stop_daemon()
        if not_understood:
            raise CrowdNotDone(f"the crowd was asked what it doesn't play: {not_understood[0]}")
        steps = read_steps(rack.folder.ledger)
        require_passed(steps, range(1, count + 1))
        lags = rack.lags_ms(begun_wall, ended_wall)
        timer_lags = rack.lags_ms(begun_wall, ended_wall, of=TIMER_LAGS_FILE)
        records = count_records(rack.folder.ledger)
        profiled = rack.profile() if profile else None
    found = latencies_of(steps, told)
    spent = at_end.since(idle)
    until_filling = at_filling.since(idle)
    crowd_share = (at_filling.crowd_cpu_s - idle.crowd_cpu_s) / filling_s
    figures: dict[str, JsonValue] = {
        "wall_s": round(wall_s, 3),
        "start_s": round(start_s, 3),
        "until_filling_s": round(filling_s, 3),
        "daemon_cpu_s_per_job": round((at_end.daemon_cpu_s - idle.daemon_cpu_s) / count, 4),
        "workers_cpu_s_per_job": round((at_end.workers_cpu_s - idle.workers_cpu_s) / count, 4),
        "idle_rss_mb": round(idle.daemon_rss_bytes / 1e6, 1),
        "rss_mb": round(at_end.daemon_rss_bytes / 1e6, 1),
        "shells_per_job": round(sum(one.shells for one in told) / count, 1),
        "wakeups_per_job": round((at_end.daemon_wakeups - idle.daemon_wakeups) / count),
        "rss_kb_per_slot": round((at_end.daemon_rss_bytes - idle.daemon_rss_bytes) / count / 1e3),
        **_percentiles("port_to_shown", found.port_to_shown),
        **_percentiles("ready_to_first_byte", found.ready_to_first_byte),
        **_percentiles("with_people", found.with_people),
        **_percentiles("lag", lags),
        "lag_mean_ms": round(mean(lags), 3),
        "lag_max_ms": round(max(lags), 2),
        "timer_lag_mean_ms": round(mean(timer_lags), 3),
        "timer_lag_p50_ms": round(percentile(timer_lags, 0.5), 3),
        "records": records,
        "records_per_s": round(records / wall_s, 1),
        "commits": histogram_count(exposition, "benchd_ledger_commit_records"),
        "commit_p99_at_most_ms": round(
            1000 * histogram_percentile(exposition, "benchd_ledger_commit_seconds", 0.99), 2
        ),
        "crowd_share_of_core": round(crowd_share, 2),
        "crowd_was_limit": crowd_share > CROWD_LIMIT,
        **looked,
    }
    raw: dict[str, JsonValue] = {
        "spent": dict(spent),
        "until_filling": dict(until_filling),
        "port_to_shown_ms": list(found.port_to_shown),
        "ready_to_first_byte_ms": list(found.ready_to_first_byte),
        "with_people_ms": list(found.with_people),
    }
    return Measured(count=count, figures=figures, raw=raw, profile=profiled)


@asynccontextmanager
async def attended(rack: CrowdRack, *, must_live: bool = True) -> AsyncGenerator[None, None]:
    """Its people are at work for the length of the block; the daemon may end only if allowed to."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(rack.operators(look_every_s=LOOK_EVERY_S).work)
        if must_live:
            tasks.start_soon(rack.must_live)
        yield
        tasks.cancel_scope.cancel()


async def until_first_bytes(rack: CrowdRack) -> None:
    """Wait until every handset's fill has begun."""
    # Another process: only looking tells.
    while not all(one.first_byte for one in (await rack.hands.figures())[0]):  # noqa: ASYNC110
        await anyio.sleep(LOOK_EVERY_S)


async def until_ended(rack: CrowdRack, leave_out: str = "") -> None:
    """Wait until every slot, but perhaps for one, has nothing left to do."""
    while len(rack.watch.slots) < rack.slots or not all(
        ended(slot) for name, slot in rack.watch.slots.items() if name != leave_out
    ):
        await rack.watch.next_look()


def require_passed(steps: Mapping[int, Steps], numbers: Iterable[int]) -> None:
    """Raise CrowdNotDone unless all of these handsets were certified."""
    for number in numbers:
        own = steps.get(number)
        if own is None or own.outcome != "passed":
            ending = None if own is None else (own.outcome, own.reason)
            raise CrowdNotDone(f"handset {number} ended as {ending}: these figures are worthless")


async def _look_on(rack: CrowdRack) -> dict[str, JsonValue]:
    """What screens at the stream cost beside each other, and a scrape, while all handsets fill."""
    told: dict[str, JsonValue] = {}
    for count in VIEWERS:
        async with Viewers.at(rack.folder.socket, count) as viewers:
            before, received = account_of(rack), viewers.received_bytes
            begun = time.monotonic()
            await anyio.sleep(WINDOW_S)
            seconds = time.monotonic() - begun
            spent = account_of(rack).daemon_cpu_s - before.daemon_cpu_s
            told[f"viewers_{count}_share_of_core"] = round(spent / seconds, 3)
            told[f"viewers_{count}_kb_per_s"] = round(
                (viewers.received_bytes - received) / seconds / 1e3, 1
            )
    scrapes: list[float] = []
    for _ in range(SCRAPES):
        begun = time.monotonic()
        await rack.watch.metrics()
        scrapes.append(1000 * (time.monotonic() - begun))
    return {**told, "scrape_median_ms": round(percentile(scrapes, 0.5), 1)}


def account_of(rack: CrowdRack) -> Account:
    """What its processes have cost so far; raises CrowdNotDone without a daemon."""
    if rack.daemon is None:
        raise CrowdNotDone("the daemon isn't there")
    return Account.of(rack.daemon.pid, rack.crowd.pid)


def _percentiles(name: str, values: Sequence[float]) -> dict[str, JsonValue]:
    return {
        f"{name}_{label}_ms": round(percentile(values, share), 2)
        for label, share in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))
    }
