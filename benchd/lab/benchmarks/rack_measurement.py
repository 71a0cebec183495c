"""What becomes of a rack that is being measured: its slots by the API, its processor time."""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchd.lab.benchmarks.process_figures import family_cpu_s, figures_of, machine_cpu_s
from benchd.lab.demo.demo_operators import ended
from benchd.lab.demo.demo_rack import DemoRack


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Processor time since the daemon was ready, in s."""

    at_s: float
    """When, in s since then."""
    machine_s: float
    """Of the whole machine, the virtual handsets included."""
    host_s: float
    """Of the daemon and all that it has started: adb server and readers' workers."""


class RackMeasurement:
    """Sees through the API what becomes of each slot, as anybody who watches the rack would."""

    def __init__(self, rack: DemoRack, begun: float) -> None:
        self._rack = rack
        self._begun = begun
        self._clean = {p.slot for p in rack.placed if p.scenario.name == "clean"}
        self.wall_to_monotonic_s = time.monotonic() - time.time()
        self.last_clean_end_s = 0.0
        self.peak_rss_bytes = 0
        self._machine_s = machine_cpu_s()
        self._host_s = self._host_so_far_s()
        self._spent: list[Spent] = []

    async def until_all_ended(self) -> None:
        """Look until no slot has anything left to do."""
        names = {placed.slot for placed in self._rack.placed}
        open_slots = set(names)
        while open_slots:
            await self._rack.watch.next_look()
            now = time.monotonic() - self._begun
            for name, slot in self._rack.watch.slots.items():
                if name in open_slots and ended(slot):
                    open_slots.discard(name)
                    if name in self._clean:
                        self.last_clean_end_s = now
            if self._rack.daemon is not None:
                rss = figures_of(self._rack.daemon.pid).rss_bytes
                self.peak_rss_bytes = max(self.peak_rss_bytes, rss)
            self._spent.append(
                Spent(
                    at_s=now,
                    machine_s=machine_cpu_s() - self._machine_s,
                    host_s=self._host_so_far_s() - self._host_s,
                )
            )

    def spent_at(self, at_s: float) -> Spent:
        """What was spent until the first look from this moment on."""
        return next((s for s in self._spent if s.at_s >= at_s), self._spent[-1])

    def _host_so_far_s(self) -> float:
        return 0.0 if self._rack.daemon is None else family_cpu_s(self._rack.daemon.pid)
