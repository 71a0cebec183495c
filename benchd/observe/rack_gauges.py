"""What is so right now, looked at afresh by every scrape: there is nothing to miss."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import product

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from benchd.domain.disposal import OPEN, DisposalState
from benchd.domain.ids import SlotName
from benchd.domain.job import Disposition, Gate
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.observe.kept_samples import KeptGauge


class RackGauges(Collector):
    """One sample for each slot and state, reader and server."""

    def __init__(self, slots: Collection[SlotName]) -> None:
        self.slots = tuple(slots)
        self.views: Callable[[], Mapping[SlotName, SlotView]] = dict
        self.adb_up: Callable[[], bool] = bool
        self.adb_starts: Callable[[], int] = int
        self.readers: Collection[SlotName] = frozenset()
        self.readers_up: Callable[[], Collection[SlotName] | None] = tuple
        # Every rack has these; docs/service.md tells of each.
        self.helpers: dict[str, Callable[[], bool]] = {"adb_server": bool, "ledger_writer": bool}
        self.open_items: Callable[[], Mapping[DisposalState, int]] = dict
        self._arranged: tuple[SlotName, ...] = ()
        self._states_shown: dict[SlotName, SlotState] = {}
        self._states = KeptGauge(
            "benchd_slot_state", "1 for the state that a slot is in", "slot", "state"
        )
        self._ended_shown: dict[SlotName, Disposition] = {}
        self._ended = KeptGauge(
            "benchd_slot_disposition",
            "1 for where the handset goes that has ended in the slot and is still in it",
            "slot",
            "disposition",
        )
        self._needs = KeptGauge(
            "benchd_slot_needs_person",
            "Whether the slot goes on only once somebody has come; charging isn't that",
            "slot",
        )
        self._done = KeptGauge(
            "benchd_slot_transfer_bytes",
            "Bytes that the overwrite or read-back that runs has done; 0 where none runs",
            "slot",
        )
        self._rate = KeptGauge(
            "benchd_slot_transfer_bytes_per_second",
            "How fast it was between its last two reports; 0 where none runs",
            "slot",
        )

    def collect(self) -> Iterable[Metric]:
        """All of it, from one look at the board."""
        views = self.views()
        yield self._items()
        self._look(views)
        for gauge in (self._states, self._ended, self._needs, self._done, self._rate):
            yield gauge.family
        shown = [view for slot in self.slots if (view := views.get(slot))]
        yield _batteries(shown)
        yield from _questions(shown)
        yield self._readers()
        yield self._helpers()
        yield GaugeMetricFamily(
            "benchd_adb_server_up",
            "Whether benchd's own adb server answers",
            value=float(self.adb_up()),
        )
        yield CounterMetricFamily(
            "benchd_adb_server_starts",
            "How often this daemon has begun with an adb server; the first is no restart",
            value=float(self.adb_starts()),
        )

    def _helpers(self) -> Metric:
        up = GaugeMetricFamily(
            "benchd_helper_up",
            "Whether a process or thread that benchd owns, and this rack has, answers",
            labels=("helper",),
        )
        for name, answers in self.helpers.items():
            up.add_metric((name,), float(answers()))
        return up

    def _items(self) -> Metric:
        waiting, items = (
            self.open_items(),
            GaugeMetricFamily(
                "benchd_disposal_open",
                "Handsets of ended jobs that wait for somebody, by what is due",
                labels=("state",),
            ),
        )
        for item in OPEN:
            items.add_metric((item,), float(waiting.get(item, 0)))
        return items

    def _look(self, views: Mapping[SlotName, SlotView]) -> None:
        """What each slot shows now; what it has shown before is not written anew."""
        slots = self.slots
        if slots != self._arranged:
            self._arranged, self._states_shown, self._ended_shown = slots, {}, {}
            self._states.arrange(product(slots, SlotState))
            self._ended.arrange(product(slots, Disposition))
            for gauge in (self._needs, self._done, self._rate):
                gauge.arrange((slot,) for slot in slots)
        for slot in slots:
            view = views.get(slot)
            now = SlotState.EMPTY if view is None else view.state
            before = self._states_shown.get(slot)
            if before is not now:
                if before is not None:
                    self._states.set(0.0, slot, before)
                self._states.set(1.0, slot, now)
                self._states_shown[slot] = now
            ended = view.disposition if view is not None and now is SlotState.FINISHED else None
            self._show_end(slot, ended)
            self._needs.set(float(view is not None and view.needs_a_person), slot)
            transfer = view.transfer if view is not None else None
            # A handset that rests, to cool or to charge, tells of no progress meanwhile.
            works = now is SlotState.RUNNING
            self._done.set(float(transfer.bytes_done) if transfer else 0.0, slot)
            self._rate.set(transfer.bytes_per_s if transfer and works else 0.0, slot)

    def _show_end(self, slot: SlotName, ended: Disposition | None) -> None:
        before = self._ended_shown.pop(slot, None)
        if before is not None and before is not ended:
            self._ended.set(0.0, slot, before)
        if ended is not None:
            self._ended.set(1.0, slot, ended)
            self._ended_shown[slot] = ended

    def _readers(self) -> Metric:
        readers = self.readers_up()
        up = GaugeMetricFamily(
            "benchd_reader_up",
            "Whether the slot's contactless reader answers; NaN before the first look",
            labels=("slot",),
        )
        for slot in self.slots:
            if slot in self.readers:
                up.add_metric((slot,), math.nan if readers is None else float(slot in readers))
        return up


def _batteries(views: Iterable[SlotView]) -> Metric:
    warm = GaugeMetricFamily(
        "benchd_slot_battery_celsius",
        "How warm the battery is while a handset is overwritten or read back, where it tells",
        labels=("slot",),
    )
    for view in views:
        if view.transfer is not None and view.transfer.battery_c is not None:
            warm.add_metric((view.slot,), view.transfer.battery_c)
    return warm


def _questions(views: Iterable[SlotView]) -> Iterable[Metric]:
    asked = [(view.question.gate, view.since) for view in views if view.question is not None]
    counts = Counter(gate for gate, _ in asked)
    waiting = GaugeMetricFamily(
        "benchd_questions_open", "Questions that wait for a person's answer", labels=("gate",)
    )
    for gate in Gate:
        waiting.add_metric((gate,), float(counts[gate]))
    oldest = min((since.timestamp() for _, since in asked if since is not None), default=0.0)
    yield waiting
    yield GaugeMetricFamily(
        "benchd_question_oldest_timestamp_seconds",
        "When the question was asked that waits longest; 0 while none waits",
        value=oldest,
    )
