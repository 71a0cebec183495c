"""`benchd bench crowd`: what the daemon itself costs, by how many handsets there are."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from benchd.devices.android.dossier.folder import read_folder
from benchd.domain.ids import JsonValue
from benchd.lab.benchmarks.bench_report import say, tell
from benchd.lab.benchmarks.crowd.among_strangers import lines_among, measure_among
from benchd.lab.benchmarks.crowd.blows import deal_blows
from benchd.lab.benchmarks.crowd.crowd_pace import CrowdPace
from benchd.lab.benchmarks.crowd.in_order import run_in_order
from benchd.lab.benchmarks.crowd.lines import lines_of
from benchd.lab.benchmarks.crowd.measure import Measured, measure_crowd
from benchd.lab.benchmarks.crowd.naive_ways import measure_ways
from benchd.lab.benchmarks.crowd.places import CrowdPlan, plan_of
from benchd.lab.benchmarks.crowd.with_fleet import lines_with_fleet, measure_with_fleet
from benchd.lab.demo.from_dossier import scenario_of
from benchd.lab.simulator.plan import HandsetPlan

MOST: Final = 700
"""The list of more than 736 such handsets doesn't fit into the four digits of length before it."""
PROFILED_AT_MOST: Final = 256


def bench_crowd(
    *,
    counts: Sequence[int],
    pace: CrowdPace,
    ways: bool,
    blows: bool,
    profile: bool,
    strangers: int,
    fleet: bool,
    rounds: int,
    dossier: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Measure each count in a rack of its own, and print."""
    like = None if dossier is None else handset_of(dossier)
    work = Path(tempfile.mkdtemp(prefix="bc-", dir=directory))
    load_before = os.getloadavg()
    measured: dict[int, Measured] = {}
    others: dict[int, Mapping[str, JsonValue]] = {}
    dealt: dict[int, Mapping[str, JsonValue]] = {}
    among: dict[int, Mapping[str, JsonValue]] = {}
    with_fleet: dict[int, Mapping[str, JsonValue]] = {}
    parts: Mapping[str, Mapping[str, float]] | None = None
    try:
        for count in counts:
            plan = plan_of(count, pace, like=like)
            say(f"{count} handsets")
            measured[count] = run_in_order(partial(measure_crowd, plan, work / f"{count}"))
            if blows:
                say(f"{count} handsets: reload, death of the adb server, storm, restart")
                dealt[count] = run_in_order(partial(deal_blows, plan, work / f"{count}b"))
            if strangers:
                among[count] = run_in_order(
                    partial(
                        measure_among,
                        plan,
                        work / f"{count}s",
                        strangers=strangers,
                        rounds=rounds,
                    )
                )
            if fleet:
                compare = partial(measure_with_fleet, plan, work / f"{count}f", rounds=rounds)
                with_fleet[count] = run_in_order(compare)
            if ways:
                say(f"{count} handsets: what people write")
                others[count] = run_in_order(partial(measure_ways, plan, work / f"{count}w"))
        if profile:
            count = max([n for n in counts if n <= PROFILED_AT_MOST] or [min(counts)])
            say(f"{count} handsets: whose the processor's time is")
            parts = run_in_order(partial(_profile, plan_of(count, pace, like=like), work / "p"))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    figures: dict[str, JsonValue] = {
        str(count): {
            **one.figures,
            "blows": dict(dealt.get(count, {})),
            "among_strangers": dict(among.get(count, {})),
            "with_fleet": dict(with_fleet.get(count, {})),
            "ways": dict(others.get(count, {})),
            "raw": dict(one.raw),
        }
        for count, one in measured.items()
    }
    figures["profile"] = None if parts is None else {k: dict(v) for k, v in parts.items()}
    figures["load_average"] = [*load_before, *os.getloadavg()]
    lines = [
        *lines_of(measured, dealt, others, parts),
        *(line for count, told in among.items() for line in lines_among(count, told)),
        *(line for count, told in with_fleet.items() for line in lines_with_fleet(count, told)),
    ]
    tell("crowd", figures, lines, as_json=as_json)


def handset_of(dossier: Path) -> HandsetPlan:
    """The handset that answers as the one of this dossier did."""
    return scenario_of(read_folder(dossier)).plan


async def _profile(plan: CrowdPlan, directory: Path) -> Mapping[str, Mapping[str, float]] | None:
    measured = await measure_crowd(plan, directory, profile=True, viewers=False)
    if measured.profile is None:
        return None
    count = len(plan.handsets)
    return {
        "s_per_job": {k: round(v / count, 5) for k, v in measured.profile["parts_s"].items()},
        "lines_s": {k: round(v, 3) for k, v in measured.profile["lines_s"].items()},
        "leaves_s": {k: round(v, 3) for k, v in measured.profile["leaves_s"].items()},
    }
