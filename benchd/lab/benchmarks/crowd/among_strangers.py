"""A crowd's figures among anonymous clients and without, and how much of it is the clients' own.

The clients share the crowd's core, not the daemon's. What they take of it slows the crowd down
whatever the daemon does, so the same clients are measured once more beside the daemon: asking a
dummy on the same core, at the rate at which the daemon has answered them.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from benchd.domain.ids import JsonValue
from benchd.lab.benchmarks.bench_report import Line, say
from benchd.lab.benchmarks.crowd.compared import compared, ratio_of_medians
from benchd.lab.benchmarks.crowd.crowd_rack import LOOPBACK, CrowdRack, cores, pinned
from benchd.lab.benchmarks.crowd.measure import Measured, measure_crowd, nobody
from benchd.lab.benchmarks.crowd.places import CrowdPlan, slot_name
from benchd.lab.benchmarks.process_figures import figures_of
from benchd.lab.benchmarks.visitors.programs import DUMMY, STRANGER, program

Beside = Callable[[CrowdRack], AbstractAsyncContextManager[None]]
COMPARED: Final = (
    "wall_s",
    "lag_mean_ms",
    "lag_p50_ms",
    "lag_p99_ms",
    "lag_p999_ms",
    "timer_lag_mean_ms",
    "timer_lag_p50_ms",
    "ready_to_first_byte_p99_ms",
    "daemon_cpu_s_per_job",
)
QUIET: Final = "quiet"
AMONG: Final = "among"
DUMMIES: Final = "dummy"
ASK_OF_MIXED: Final = 0.75
"""Which share of mixed strangers asks again as soon as it is answered."""
SHORTEST_DELAY_S: Final = 0.001


class _Clients:
    """So many of them for one rack, and how fast they were answered."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.per_s = 0.0
        self.statuses: Mapping[str, int] = {}
        self.share_of_core = 0.0

    @asynccontextmanager
    async def at_the_daemon(self, rack: CrowdRack) -> AsyncGenerator[None, None]:
        """They ask the daemon."""
        async with self._at(rack.http_port):
            yield

    @asynccontextmanager
    async def at_a_dummy(self, per_s: float, rack: CrowdRack) -> AsyncGenerator[None, None]:
        """They ask a server that does nothing, which answers at about this rate."""
        del rack
        delay_s = max(SHORTEST_DELAY_S, ASK_OF_MIXED * self._count / max(1.0, per_s))
        async with AsyncExitStack() as stack:
            dummy = program(DUMMY, delay_s, prefix=pinned(cores()[1]))
            _, port = await stack.enter_async_context(dummy)
            await stack.enter_async_context(self._at(int(port)))
            yield

    @asynccontextmanager
    async def _at(self, port: int) -> AsyncGenerator[None, None]:
        address, prefix = f"{LOOPBACK}:{port}", pinned(cores()[1])
        arguments = ("mixed", address, slot_name(1), self._count)
        async with program(STRANGER, *arguments, prefix=prefix) as (strangers, _):
            begun, before_s = time.monotonic(), figures_of(strangers.pid).cpu_s
            yield
            self.statuses = await strangers.asked()
            seconds = time.monotonic() - begun
            self.share_of_core = (figures_of(strangers.pid).cpu_s - before_s) / seconds
            self.per_s = sum(self.statuses.values()) / seconds


async def measure_among(
    plan: CrowdPlan, directory: Path, *, strangers: int, rounds: int
) -> dict[str, JsonValue]:
    """Without any, among them, and with them at a dummy, by turns in so many rounds."""
    found: dict[str, list[Measured]] = {QUIET: [], AMONG: [], DUMMIES: []}
    clients, at_dummy = _Clients(strangers), _Clients(strangers)
    for turn in range(rounds):
        beside: dict[str, Beside] = {
            QUIET: nobody,
            AMONG: clients.at_the_daemon,
            DUMMIES: lambda rack: at_dummy.at_a_dummy(clients.per_s, rack),
        }
        for name, who in beside.items():
            say(f"{len(plan.handsets)} handsets, {strangers} strangers: round {turn + 1}, {name}")
            place = directory / f"{turn}-{name}"
            found[name].append(await measure_crowd(plan, place, viewers=False, beside=who))
    ratios = {who: f"{who}_ratio" for who in (AMONG, DUMMIES)}
    compare = partial(compared, found=found, base=QUIET, ratios=ratios, ratio=ratio_of_medians)
    return {
        "strangers": strangers,
        **{name: compare(name) for name in COMPARED},
        "answers_per_s": {
            AMONG: round(clients.per_s, 1),
            DUMMIES: round(at_dummy.per_s, 1),
        },
        "clients_share_of_core": {
            AMONG: round(clients.share_of_core, 3),
            DUMMIES: round(at_dummy.share_of_core, 3),
        },
        "answers": dict(clients.statuses),
    }


def lines_among(count: int, told: Mapping[str, JsonValue]) -> list[Line]:
    """The table's lines of one count of handsets."""
    lines: list[Line] = []
    for name in COMPARED:
        figures = told[name]
        if isinstance(figures, Mapping):
            lines.append(
                Line(
                    what=f"{count} among {told['strangers']} strangers: {name}",
                    figure=f"{figures[AMONG]}, {figures[QUIET]} without: {figures['among_ratio']}",
                    beside=f"with the same clients at a dummy: {figures['dummy_ratio']}",
                )
            )
    lines.append(
        Line(
            what="",
            figure=f"answers per s: {told['answers_per_s']}",
            beside=f"the clients' share of the crowd's core: {told['clients_share_of_core']}",
        )
    )
    return lines
