"""What a script does today, on virtual handsets of the same pace: one by one, or in threads.

It proves nothing, neither what it wrote nor what it read; it is here for its time only.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import anyio

from benchd.domain.errors import BenchdError
from benchd.lab.benchmarks.bench_report import say
from benchd.lab.simulator.addresses import adb_address
from benchd.lab.simulator.plan import RackPlan
from benchd.lab.simulator.scenarios import SCENARIOS, Scenario
from benchd.lab.simulator.virtual_house import RackHouse

NAIVE_HANDSETS = 4
THREADED_HANDSETS = 28
ENDS_WITHIN_S = 1800.0
PORT = "5037"
"""Of the script's own adb server, in the rack's own network."""


class ScriptFailed(BenchdError):
    """Raised when the script that benchd is compared with didn't come to its end."""


async def run_naive(pace: Callable[[Scenario], Scenario]) -> dict[str, float]:
    """Seconds of each script, by the name of its figure."""
    return {
        f"serial_{NAIVE_HANDSETS}": await _time(NAIVE_HANDSETS, 1, pace),
        f"threads_{THREADED_HANDSETS}": await _time(THREADED_HANDSETS, THREADED_HANDSETS, pace),
    }


async def _time(count: int, threads: int, pace: Callable[[Scenario], Scenario]) -> float:
    say(f"a script with adbutils: {count} handsets, {threads} at once")
    clean = pace(SCENARIOS["clean"])
    plan = RackPlan(
        handsets=tuple(
            clean.handset(name=str(slot), slot=slot, copy=slot) for slot in range(1, count + 1)
        )
    )
    addresses = [adb_address(slot) for slot in range(1, count + 1)]
    async with RackHouse(plan, makes_way=True) as house:
        command = house.command(
            sys.executable,
            *("-m", "benchd.lab.benchmarks.naive_script", PORT, str(threads)),
            *addresses,
        )
        with anyio.fail_after(ENDS_WITHIN_S):
            done = await anyio.run_process(command, check=False, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise ScriptFailed(f"the script ended with {done.returncode}: {done.stderr[-500:]!r}")
    return float(done.stdout)
