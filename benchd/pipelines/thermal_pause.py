"""Progress of a handset at work, and care for it: rest when it's too hot, an end without one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import anyio

from benchd.domain.errors import BenchdError, HandsetFault, StageFailed
from benchd.domain.fill import TransferProgress
from benchd.domain.handset import BatteryFacts
from benchd.domain.job import Reason
from benchd.domain.slot import ProblemCode, ProblemView, ProgressView, TransferView
from benchd.domain.wakeup import Wakeup
from benchd.pipelines.parameters import Celsius, Percent, Seconds, Share
from benchd.pipelines.stage_contract import JobContext

T = TypeVar("T")

MEASURED_OVER_S = 60.0
"""The first minute of a transfer tells how fast the handset is; later ones are slower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CareLimits:
    """When a handset rests and works again, and how much slower than at first it may become."""

    rest_above_c: Celsius = 45.0
    work_below_c: Celsius = 40.0
    rest_below_percent: Percent = 10
    work_above_percent: Percent = 20
    care_every_s: Seconds = 30.0
    """How often somebody looks."""
    slowest_share: Share = 0.05
    """Share of the first minute's rate at which the whole transfer has to be done in the end."""


@dataclass(slots=True)
class TransferMeter:
    """Knows how many bytes are expected and whom to tell."""

    expected_bytes: int
    show: Callable[[ProgressView], None]
    _before: TransferProgress | None = field(default=None, init=False)
    _battery_c: float | None = field(default=None, init=False)
    _shown: ProgressView | None = field(default=None, init=False)

    def progress(self, report: TransferProgress) -> None:
        """Show the share done, the present rate and, by the mean rate, the seconds left."""
        if self.expected_bytes <= 0:
            return
        fraction = min(1.0, report.bytes_done / self.expected_bytes)
        mean = _rate(report.bytes_done, report.elapsed_s)
        left_bytes = max(0, self.expected_bytes - report.bytes_done)
        transfer = TransferView(
            bytes_done=report.bytes_done,
            bytes_per_s=self._present(report),
            battery_c=self._battery_c,
        )
        eta_s = left_bytes / mean if mean > 0 else None
        self._shown = ProgressView(fraction=fraction, eta_s=eta_s, transfer=transfer)
        self.show(self._shown)

    def battery(self, temperature_c: float) -> None:
        """Show how warm it is, also while it rests and reports nothing."""
        self._battery_c = temperature_c
        if self._shown is not None and self._shown.transfer is not None:
            transfer = replace(self._shown.transfer, battery_c=temperature_c)
            self._shown = replace(self._shown, transfer=transfer)
            self.show(self._shown)

    def _present(self, report: TransferProgress) -> float:
        """Zero for the first report, which may count what an earlier run has written."""
        before, self._before = self._before, report
        if before is None:
            return 0.0
        return _rate(report.bytes_done - before.bytes_done, report.elapsed_s - before.elapsed_s)


def _rate(size_bytes: int, seconds: float) -> float:
    return max(0.0, size_bytes / seconds) if seconds > 0 else 0.0


class Care:
    """Watches one transfer. Implements `benchd.domain.ports.Rest`."""

    def __init__(self, context: JobContext, limits: CareLimits, meter: TransferMeter) -> None:
        self._context = context
        self._limits = limits
        self._meter = meter
        self._due = False
        self._changed = Wakeup()
        self._begun_at = anyio.current_time()
        self._rested_s = 0.0
        self._rest_began: float | None = None
        self._ends_within_s: float | None = None
        self.rests = 0

    @property
    def due(self) -> bool:
        """Whether the handset has to rest now."""
        return self._due

    @property
    def rested_s(self) -> float:
        """How long it has rested so far, seconds."""
        since = self._rest_began
        return self._rested_s + (0.0 if since is None else anyio.current_time() - since)

    async def changed(self) -> None:
        """Wait for the next change of `due`."""
        await self._changed.wait()

    def hear(self, progress: TransferProgress) -> None:
        """Show it, and find out in the first minute how fast this handset is."""
        self._meter.progress(progress)
        worked_s = self._worked_s()
        if self._ends_within_s is None and worked_s >= MEASURED_OVER_S and progress.bytes_done > 0:
            at_this_rate_s = worked_s * self._meter.expected_bytes / progress.bytes_done
            self._ends_within_s = max(at_this_rate_s / self._limits.slowest_share, MEASURED_OVER_S)

    async def over(self, work: Callable[[Care], Awaitable[T]]) -> T:
        """Do the work with an eye on the handset; raises what the work or the watch raises."""
        done: list[T] = []
        failures: list[BenchdError] = []
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                try:
                    await self._watch()
                except BenchdError as failure:
                    failures.append(failure)
                    tasks.cancel_scope.cancel()

            tasks.start_soon(watch)
            try:
                done.append(await work(self))
            except BenchdError as failure:
                failures.append(failure)
            tasks.cancel_scope.cancel()
        if self._due:
            self._let_go()
        if failures:
            raise failures[0]
        return done[0]

    async def _watch(self) -> None:
        while True:
            await anyio.sleep(self._limits.care_every_s)
            self._must_end()
            try:
                battery = await self._context.handset.battery()
            except HandsetFault:
                continue  # the work itself notices better what is wrong
            self._meter.battery(battery.temperature_c)
            self._judge(battery)

    def _must_end(self) -> None:
        if self._ends_within_s is not None and self._worked_s() > self._ends_within_s:
            raise StageFailed(
                Reason.STAGE_DEADLINE,
                f"not done after {self._worked_s():.0f} s of work, although"
                f" {self._limits.slowest_share:.0%} of its first minute's pace would have done",
            )

    def _judge(self, battery: BatteryFacts) -> None:
        limits = self._limits
        too_hot = battery.temperature_c >= limits.rest_above_c
        too_low = battery.percent <= limits.rest_below_percent
        if not self._due:
            if too_hot or too_low:
                self._hold(battery, hot=too_hot)
            return
        cool = battery.temperature_c <= limits.work_below_c
        charged = battery.percent >= limits.work_above_percent
        if cool and charged:
            self._let_go()
        else:
            self._context.station.show_problem(self._problem(battery, hot=not cool))

    def _hold(self, battery: BatteryFacts, *, hot: bool) -> None:
        self.rests += 1
        self._rest_began = anyio.current_time()
        self._turn(due=True)
        self._context.station.show_problem(self._problem(battery, hot=hot))

    def _let_go(self) -> None:
        if self._rest_began is not None:
            self._rested_s += anyio.current_time() - self._rest_began
            self._rest_began = None
        self._turn(due=False)
        self._context.station.show_problem(None)

    def _turn(self, *, due: bool) -> None:
        self._due = due
        self._changed.fire()

    def _problem(self, battery: BatteryFacts, *, hot: bool) -> ProblemView:
        if hot:
            facts = {
                "degrees": f"{battery.temperature_c:.0f}",
                "maximum": f"{self._limits.work_below_c:.0f}",
            }
            return ProblemView(code=ProblemCode.TOO_HOT, facts=facts)
        facts = {
            "percent": str(battery.percent),
            "minimum": str(self._limits.work_above_percent),
        }
        return ProblemView(code=ProblemCode.LOW_BATTERY, facts=facts)

    def _worked_s(self) -> float:
        return anyio.current_time() - self._begun_at - self.rested_s
