"""`benchd bench scale`: N virtual handsets beside one, through the real daemon.

Storage is rate-limited, as flash is, so that one handset's time is its own and not the
processor's. The simulators run at nice 19, and only when nobody else wants to: they stand for
hardware that isn't there.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import anyio

from benchd.domain.errors import BenchdError
from benchd.domain.ids import JsonValue
from benchd.lab.benchmarks.bench_report import Line, autogroup, ratio, say, tell
from benchd.lab.benchmarks.naive import NAIVE_HANDSETS, THREADED_HANDSETS, run_naive
from benchd.lab.benchmarks.percentiles import histogram_percentile, percentile
from benchd.lab.benchmarks.process_figures import figures_of
from benchd.lab.benchmarks.rack_measurement import RackMeasurement, Spent
from benchd.lab.demo.demo_rack import DemoRack, demo_rack
from benchd.lab.simulator.scenarios import SCENARIOS, Scenario

TROUBLED_FROM = 64
"""From so many handsets on one of them hangs and one is unplugged."""
WRITE_BYTES_PER_S = 400_000
READ_BYTES_PER_S = 1_200_000
BURST_BYTES = 4 << 20
"""A medium a thousand times too small gets a flash dozens of times too slow, that one handset
takes minutes; the program that is pushed onto it first is of its true size, and isn't slowed."""
ENDS_WITHIN_S = 900.0
STALL_S = 20


class RackNotDone(BenchdError):
    """Raised when a handset of a measured rack ended otherwise than its scenario says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One rack from plug to end."""

    wall_s: float
    """From the daemon's readiness, all handsets plugged in, to the end of the last clean one."""
    daemon_cpu_s: float
    jobs: int
    loop_lag_p99_ms: float
    ready_to_first_byte_ms: tuple[float, ...]
    at_peak_rss_bytes: int
    until_filling: Spent
    """When the last handset's first byte was on its medium: whose processor time that took."""

    def figures(self) -> dict[str, JsonValue]:
        """The same as JSON."""
        return {
            "wall_s": self.wall_s,
            "daemon_cpu_s": self.daemon_cpu_s,
            "jobs": self.jobs,
            "loop_lag_p99_ms": self.loop_lag_p99_ms,
            "ready_to_first_byte_p50_ms": percentile(self.ready_to_first_byte_ms, 0.50),
            "ready_to_first_byte_p99_ms": percentile(self.ready_to_first_byte_ms, 0.99),
            "rss_mb": self.at_peak_rss_bytes / 1e6,
            "until_filling": asdict(self.until_filling),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the virtual flash is: slow enough that the processor isn't what is measured."""

    write_bytes_per_s: int = WRITE_BYTES_PER_S
    read_bytes_per_s: int = READ_BYTES_PER_S

    def of(self, scenario: Scenario) -> Scenario:
        """The same handset with storage that takes its time."""
        slow = replace(
            scenario.plan.faults,
            write_bytes_per_s=self.write_bytes_per_s,
            burst_bytes=BURST_BYTES,
            read_bytes_per_s=self.read_bytes_per_s,
        )
        return replace(scenario, plan=replace(scenario.plan, faults=slow))


def bench_scale(
    *, counts: Sequence[int], pace: Pace, naive: bool, directory: Path | None, as_json: bool
) -> None:
    """Measure each count in a rack of its own, and print."""
    if autogroup():
        say(
            "every handset's session gets as much of the processors as the daemon, nice or not:"
            " sysctl kernel.sched_autogroup_enabled=0 for figures of the daemon itself"
        )
    work = Path(tempfile.mkdtemp(prefix="benchd-bench-", dir=directory))
    try:
        measured = {count: anyio.run(_measure, count, pace, work / str(count)) for count in counts}
        others = anyio.run(run_naive, pace.of) if naive else {}
    finally:
        shutil.rmtree(work)
    figures: dict[str, JsonValue] = {str(n): rack.figures() for n, rack in measured.items()}
    figures.update({name: {"wall_s": seconds} for name, seconds in others.items()})
    tell("scale: virtual handsets", figures, _lines(measured, others), as_json=as_json)


def _handsets(count: int, pace: Pace) -> list[Scenario]:
    names = ["clean"] * count
    if count >= TROUBLED_FROM:
        names[-2:] = ["unplugged", "hangs"]
    return [pace.of(SCENARIOS[name]) for name in names]


async def _measure(count: int, pace: Pace, directory: Path) -> Measured:
    say(f"{count} handsets")
    async with demo_rack(directory, _handsets(count, pace), port=8420, make_way=True) as rack:
        _be_patient(rack)
        await rack.start_daemon()
        begun = time.monotonic()
        if rack.daemon is None:
            raise RackNotDone("the daemon isn't there")
        at_start = figures_of(rack.daemon.pid)
        measured = RackMeasurement(rack, begun)
        async with anyio.create_task_group() as group:
            group.start_soon(rack.operators().work)
            group.start_soon(rack.must_live)
            with anyio.fail_after(ENDS_WITHIN_S):
                await measured.until_all_ended()
            group.cancel_scope.cancel()
        at_end = figures_of(rack.daemon.pid)
        exposition = await rack.watch.metrics()
        first_bytes_ms = await _first_bytes_ms(rack, measured.wall_to_monotonic_s)
        last_s = await _last_first_byte_s(rack)
    _require_ends(rack)
    return Measured(
        wall_s=measured.last_clean_end_s,
        daemon_cpu_s=at_end.cpu_s - at_start.cpu_s,
        jobs=count,
        loop_lag_p99_ms=1000
        * histogram_percentile(exposition, "benchd_event_loop_lag_seconds", 0.99),
        ready_to_first_byte_ms=tuple(first_bytes_ms),
        at_peak_rss_bytes=measured.peak_rss_bytes,
        until_filling=measured.spent_at(last_s - begun),
    )


def _be_patient(rack: DemoRack) -> None:
    """Flash as slow as this one writes a single piece for longer than the demo waits."""
    recipe = rack.folder.path / "recipes" / "overwrite.toml"
    text = recipe.read_text(encoding="utf-8")
    recipe.write_text(text.replace("stall_s = 5\n", f"stall_s = {STALL_S}\n"), encoding="utf-8")


async def _first_bytes_ms(rack: DemoRack, wall_to_monotonic_s: float) -> list[float]:
    """From a job's begin, at which adb is ready, to the first bytes on the medium, per slot.

    Inspection, questions and chip lie in between. A handset that was plugged in twice counts
    with its first time only, which its storage remembers.
    """
    states = {state.name: state for state in await rack.hands.handsets()}
    found: list[float] = []
    for job in await rack.watch.jobs():
        state = states[str(job["slot"])]
        if job["occupancy"] == 1 and state.filled_since_s is not None:
            opened = datetime.fromisoformat(str(job["opened_at"])).timestamp()
            found.append(1000 * (state.filled_since_s - opened - wall_to_monotonic_s))
    return found


async def _last_first_byte_s(rack: DemoRack) -> float:
    """When the last handset's first byte was on its medium, by this machine's monotonic clock."""
    states = await rack.hands.handsets()
    return max((s.filled_since_s for s in states if s.filled_since_s is not None), default=0.0)


def _require_ends(rack: DemoRack) -> None:
    for placed in rack.placed:
        slot = rack.watch.slots[placed.slot]
        end = placed.scenario.end
        if (slot["outcome"], slot["reason"]) != (end.outcome, end.reason):
            message = (
                f"{placed.slot} ({placed.scenario.name}) ended as {slot['outcome']},"
                f" {slot['reason']}: these figures would be worth nothing"
            )
            raise RackNotDone(message)


def _lines(measured: Mapping[int, Measured], others: Mapping[str, float]) -> list[Line]:
    one = measured.get(1)
    lines: list[Line] = []
    for count, rack in measured.items():
        beside = "" if one is None else f"{ratio(rack.wall_s, one.wall_s)} one handset's time"
        lines.append(Line(what=f"{count} handsets", figure=f"{rack.wall_s:.1f} s", beside=beside))
        figures = rack.figures()
        lines.append(
            Line(
                what="",
                figure=f"processor {rack.daemon_cpu_s / rack.jobs:.2f} s per job,"
                f" RSS {rack.at_peak_rss_bytes / 1e6:.0f} MB",
                beside=f"loop lag p99 ≤ {rack.loop_lag_p99_ms:.0f} ms, ready to first byte"
                f" p50 {figures['ready_to_first_byte_p50_ms']:.0f} ms,"
                f" p99 {figures['ready_to_first_byte_p99_ms']:.0f} ms",
            )
        )
        spent = rack.until_filling
        lines.append(
            Line(
                what="",
                figure=f"all filling after {spent.at_s:.1f} s",
                beside=f"that took {spent.machine_s:.1f} s of processor time, {spent.host_s:.1f} s"
                " of it the daemon's and its adb server's and readers', the handsets' the rest",
            )
        )
    if "serial_4" in others and 28 in measured:
        serial = others["serial_4"]
        at_28 = serial / NAIVE_HANDSETS * 28
        lines.append(
            Line(
                what=f"serial script, {NAIVE_HANDSETS} handsets",
                figure=f"{serial:.1f} s",
                beside=f"extrapolated to 28: {at_28:.0f} s,"
                f" {ratio(at_28, measured[28].wall_s)} benchd's",
            )
        )
    if "threads_28" in others:
        lines.append(
            Line(
                what=f"a thread for each of {THREADED_HANDSETS}",
                figure=f"{others['threads_28']:.1f} s",
                beside="writes and reads, proves nothing",
            )
        )
    return lines
