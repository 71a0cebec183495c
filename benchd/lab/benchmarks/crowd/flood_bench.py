"""One handset's flood against the rest of its rack: their figures with it and without, by turns."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import anyio

from benchd.domain.ids import JsonValue
from benchd.lab.benchmarks.bench_report import Line, say, tell
from benchd.lab.benchmarks.crowd.crowd_pace import CrowdPace
from benchd.lab.benchmarks.crowd.crowd_rack import CrowdRack, cores, crowd_rack
from benchd.lab.benchmarks.crowd.floods import Flood
from benchd.lab.benchmarks.crowd.in_order import run_in_order
from benchd.lab.benchmarks.crowd.latencies import Steps, latencies_of, read_steps
from benchd.lab.benchmarks.crowd.measure import (
    MOST_PATIENCE_S,
    account_of,
    attended,
    require_passed,
    until_ended,
)
from benchd.lab.benchmarks.crowd.places import CrowdPlan, plan_of, slot_name
from benchd.lab.benchmarks.percentiles import percentile
from benchd.lab.demo.demo_operators import ended

FLOODER: Final = 1
"""In whose slot it is; the others' are the figures."""
REPLUG_PAUSE_S: Final = 0.5
QUIET: Final = "quiet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """What all but one of a rack took; times in ms, lag of the loop in ms, processor in s."""

    first_byte_p50: float
    first_byte_p99: float
    job_p50: float
    """From the first byte to the certificate."""
    job_p99: float
    lag_p50: float
    lag_p99: float
    daemon_cpu_s: float
    floods: int
    """How often the flooding handset was plugged in."""


FIGURES: Final = tuple(field for field in Neighbours.__dataclass_fields__ if field != "floods")


def bench_flood(
    *,
    count: int,
    pace: CrowdPace,
    rounds: int,
    kinds: Sequence[Flood],
    directory: Path | None,
    as_json: bool,
) -> None:
    """Measure each kind of flood in racks of their own, and print."""
    work = Path(tempfile.mkdtemp(prefix="bf-", dir=directory))
    load_before = os.getloadavg()
    try:
        flooded = run_in_order(
            partial(measure_flood, plan_of(count, pace), work, rounds=rounds, kinds=kinds)
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    figures = {**flooded, "handsets": count, "load_average": [*load_before, *os.getloadavg()]}
    tell("flood", figures, lines_of(flooded), as_json=as_json)


async def measure_flood(
    plan: CrowdPlan, directory: Path, *, rounds: int, kinds: Sequence[Flood]
) -> dict[str, JsonValue]:
    """Each kind of flood right after a rack without one, in so many rounds."""
    found: dict[str, list[Neighbours]] = {}
    for turn in range(rounds):
        for kind in kinds:
            for name, flood in ((f"{QUIET}_{kind}", None), (kind.value, kind)):
                say(f"flood: round {turn + 1}, {name}")
                rack = directory / f"{turn}-{name}"
                found.setdefault(name, []).append(await neighbours_of(plan, rack, flood))
    return {
        kind.value: dict(compared(found[f"{QUIET}_{kind}"], found[kind.value])) for kind in kinds
    }


def lines_of(flooded: Mapping[str, JsonValue]) -> list[Line]:
    """By kind of flood how much of each figure its neighbours have with it, by without it."""
    lines: list[Line] = []
    for kind, figures in flooded.items():
        if isinstance(figures, Mapping):
            ratios = ", ".join(
                f"{name} {told['ratio']}"
                for name, told in figures.items()
                if isinstance(told, Mapping)
            )
            lines.append(
                Line(
                    what=f"one floods: {kind}",
                    figure=f"plugged {figures['plugged']} times",
                    beside=f"neighbours' figures with it / without: {ratios}",
                )
            )
    return lines


def compared(quiet: Sequence[Neighbours], flooded: Sequence[Neighbours]) -> Mapping[str, JsonValue]:
    """Medians over the rounds of each figure, and the one by the other."""
    told: dict[str, JsonValue] = {"plugged": sum(one.floods for one in flooded)}
    for name in FIGURES:
        without = median(getattr(one, name) for one in quiet)
        with_it = median(getattr(one, name) for one in flooded)
        told[name] = {
            "without": round(without, 3),
            "with": round(with_it, 3),
            "ratio": round(with_it / without, 3) if without else None,
        }
    return told


async def neighbours_of(plan: CrowdPlan, directory: Path, flood: Flood | None) -> Neighbours:
    """A whole rack of which one floods; raises CrowdNotDone unless all others are certified."""
    daemon_core, crowd_core = cores()
    async with crowd_rack(directory, plan, core=crowd_core) as rack:
        await rack.start_daemon(core=daemon_core)
        idle, begun_wall = account_of(rack), time.time()
        if flood is not None:
            await rack.hands.flood(FLOODER, flood)
        floods = _Floods()
        async with attended(rack), anyio.create_task_group() as tasks:
            await rack.hands.plug(within_s=0.1)
            if flood is not None:
                tasks.start_soon(floods.go_on, rack)
            with anyio.fail_after(MOST_PATIENCE_S):
                await until_ended(rack, leave_out=slot_name(FLOODER))
            tasks.cancel_scope.cancel()
        ended_wall, spent = time.time(), account_of(rack).daemon_cpu_s - idle.daemon_cpu_s
        told, _ = await rack.hands.figures()
        await rack.stop_daemon()
        steps = read_steps(rack.folder.ledger)
        lags = rack.lags_ms(begun_wall, ended_wall)
    others = range(FLOODER + 1, len(plan.handsets) + 1)
    require_passed(steps, others)
    first_byte = latencies_of(
        {number: steps[number] for number in others}, told
    ).ready_to_first_byte
    jobs = [_job_ms(steps[one.number], one.first_byte) for one in told if one.number in others]
    return Neighbours(
        first_byte_p50=percentile(first_byte, 0.5),
        first_byte_p99=percentile(first_byte, 0.99),
        job_p50=percentile(jobs, 0.5),
        job_p99=percentile(jobs, 0.99),
        lag_p50=percentile(lags, 0.5),
        lag_p99=percentile(lags, 0.99),
        daemon_cpu_s=spent,
        floods=floods.plugged,
    )


class _Floods:
    """Whose job has ended is plugged in anew, and floods on."""

    def __init__(self) -> None:
        self.plugged = 1

    async def go_on(self, rack: CrowdRack) -> None:
        while True:
            await rack.watch.next_look()
            slot = rack.watch.slots.get(slot_name(FLOODER))
            if slot is not None and ended(slot):
                await rack.hands.unplug([FLOODER])
                await anyio.sleep(REPLUG_PAUSE_S)
                await rack.hands.plug([FLOODER])
                self.plugged += 1


def _job_ms(steps: Steps, first_byte: float) -> float:
    return 1000 * (steps.ended - first_byte)
