"""What people write, against the same crowd: a thread per device, an `adb` process per command.

They ask four questions, then write and read by `dd`. They prove nothing: no look at who it is, no
keystream, no record.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import anyio

from benchd.domain.errors import BenchdError
from benchd.domain.ids import JsonValue
from benchd.lab.benchmarks.crowd.crowd_rack import cores, crowd_rack, pinned
from benchd.lab.benchmarks.crowd.places import CrowdPlan
from benchd.lab.benchmarks.percentiles import percentile

WAYS: Final = ("threads", "processes")
ENDS_WITHIN_S: Final = 1500.0


class WayFailed(BenchdError):
    """Raised when a script that benchd is compared with didn't come to its end."""


async def measure_ways(plan: CrowdPlan, directory: Path) -> dict[str, JsonValue]:
    """Each way's figures by its name."""
    return {way: await _measure(way, plan, directory / way) for way in WAYS}


async def _measure(way: str, plan: CrowdPlan, directory: Path) -> dict[str, JsonValue]:
    daemon_core, crowd_core = cores()
    async with crowd_rack(directory, plan, core=crowd_core) as rack:
        await rack.hands.plug(within_s=0.1)
        command = [*pinned(daemon_core), sys.executable]
        command += ["-m", "benchd.lab.benchmarks.crowd.naive_way", way, str(rack.adb_port)]
        command += [str(len(plan.handsets))]
        with anyio.fail_after(ENDS_WITHIN_S):
            done = await anyio.run_process(command, check=False, stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise WayFailed(f"{way} ended with {done.returncode}: {done.stderr[-500:]!r}")
        told: Mapping[str, float] = json.loads(done.stdout)
        first = [1000 * (one.first_byte - told["begun"]) for one in (await rack.hands.figures())[0]]
    return {
        "wall_s": round(told["wall_s"], 3),
        "cpu_s_per_device": round(told["cpu_s"] / len(plan.handsets), 4),
        "rss_mb": round(told["rss_bytes"] / 1e6, 1),
        "begin_to_first_byte_p50_ms": round(percentile(first, 0.5), 1),
        "begin_to_first_byte_p99_ms": round(percentile(first, 0.99), 1),
    }
