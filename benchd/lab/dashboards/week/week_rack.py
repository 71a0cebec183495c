"""One rack of the drawn week: its slots, and the daemon that tells of them until it is away."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Final

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from benchd.domain.disposal import DisposalState
from benchd.domain.ids import SlotName
from benchd.domain.job import Disposition
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.slot import SlotView
from benchd.lab.dashboards.week.life import RECIPE, Minutes, SlotLife
from benchd.lab.dashboards.week.week_plan import BEGINS, Rack
from benchd.observe.metrics import RackMetrics
from benchd.pipelines.stages import STAGE_CLASSES

_DAY: Final = timedelta(days=1)
_KEY_SINCE: Final = BEGINS - timedelta(days=200)
_SETTLED_AFTER: Final = 12
"""So many handsets of a kind wait at most until somebody has carried them away."""
_WAITS_AS: Final = {
    Disposition.HOLD: DisposalState.HELD,
    Disposition.RETURN: DisposalState.TO_RETURN,
    Disposition.DESTROY: DisposalState.TO_DESTROY,
}
_OWN_FIGURES: Final = frozenset(
    {"benchd_ledger_bytes", "benchd_disk_free_bytes", "process_resident_memory_bytes"}
)
"""What would tell of the machine on which the week is drawn."""


class DrawnRack:
    """A rack that lives a minute at a time."""

    def __init__(self, rack: Rack, catalogue: ModelCatalogue, chance: Random) -> None:
        self.rack, self.now = rack, BEGINS
        self._catalogue, self._chance = catalogue, chance
        self._records = 180_000
        self._begin()

    @property
    def is_up(self) -> bool:
        """Whether the daemon answers."""
        away = self.rack.outage
        return away is None or not away[0] <= self.now < away[1]

    def live(self) -> None:
        """One minute passes; whoever comes back from an outage counts from nothing."""
        was_up = self.is_up
        self.now += timedelta(minutes=1)
        if not self.is_up:
            return
        if not was_up:
            self._begin()
        for minutes in self._minutes:
            next(minutes)
        busy = sum(life.transfer is not None for life in self._lives.values())
        for _ in range(1 + busy // 3):
            self._records += 1
            self.metrics.commit_took(self._chance.lognormvariate(-5.6, 0.8))
            self.metrics.ledger.committed(1)
        self.metrics.loop_lagged(self._chance.lognormvariate(-6.6, 0.6) * (1 + busy / 20))

    def samples(self, names: Collection[str]) -> Iterator[tuple[Metric, Sample, float]]:
        """Each series of these names with its family, and its value now."""
        self._tell_of_the_ledger()
        for family in self.metrics.families():
            for sample in family.samples:
                if sample.name in names:
                    own = sample.name in _OWN_FIGURES
                    yield family, sample, self._own(sample.name) if own else sample.value

    def _begin(self) -> None:
        rack = self.rack
        self.metrics = RackMetrics(
            slots=rack.slots,
            recipes=[RECIPE],
            stages=STAGE_CLASSES,
            version="0.1.0",
            hooks=["erp"],
            commit="c362f85",
        )
        self.metrics.models.catalogue = self._catalogue
        self.metrics.key_created(_KEY_SINCE)
        self._lives = {slot: self._life(slot) for slot in rack.slots}
        self._minutes: list[Minutes] = [life.minutes() for life in self._lives.values()]
        self.metrics.clock.read_from(lambda: 0.0002, lambda: self._chance.uniform(0.01, 0.03))
        self.metrics.clock.synchronised(is_so=True)
        self.metrics.storage.records = lambda: self._records
        self.metrics.ledger.anchors.is_used = True
        self.metrics.ledger.read_from(
            last_backup=lambda: self._last_night(2), last_verification=lambda: self._last_night(3)
        )
        self.metrics.read_from(
            views=self._views,
            adb_up=lambda: True,
            adb_starts=lambda: 1,
            readers=rack.slots,
            readers_up=self._readers_up,
            open_items=self._open_items,
        )

    def _life(self, slot: SlotName) -> SlotLife:
        now: Callable[[], datetime] = lambda: self.now  # noqa: E731 - a clock
        return SlotLife(self.rack, slot, self.metrics, self._chance, now)

    def _views(self) -> Mapping[SlotName, SlotView]:
        return {slot: life.view() for slot, life in self._lives.items()}

    def _readers_up(self) -> list[SlotName]:
        dead = self.rack.dead_reader
        return [s for s in self.rack.slots if not (dead and s == dead[0] and self.now >= dead[1])]

    def _open_items(self) -> Mapping[DisposalState, int]:
        ended = [where for life in self._lives.values() for where in life.settled]
        return {state: ended.count(where) % _SETTLED_AFTER for where, state in _WAITS_AS.items()}

    def _tell_of_the_ledger(self) -> None:
        self.metrics.ledger.sound(self.now - timedelta(minutes=self.now.hour % 6 * 60 + 5))
        self.metrics.ledger.anchors.anchored(self._records, self.now - timedelta(minutes=9))
        self.metrics.hooks.stands("erp", waiting=int(self._chance.random() < 0.04), dead=0)

    def _last_night(self, hour: int) -> float:
        """When the timer ran last, at this hour of UTC."""
        today = self.now.replace(hour=hour, minute=0, second=0)
        return (today if today <= self.now else today - _DAY).timestamp()

    def _own(self, name: str) -> float:
        if name == "benchd_ledger_bytes":
            return self._records * 1450.0
        if name == "benchd_disk_free_bytes":
            return 380e9 - self._records * 4200.0
        return 96e6 + 6e6 * self._chance.random()
