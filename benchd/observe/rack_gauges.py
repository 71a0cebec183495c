"""What is so right now, looked at afresh by every scrape: there is nothing to miss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from benchd.words.disposal import OPEN, DisposalState
from benchd.words.ids import SlotName
from benchd.words.job import Gate
from benchd.words.slot import SlotView
from benchd.words.slot_states import SlotState


class RackGauges(Collector):
    """One sample for each slot and state, reader and server."""

    def __init__(self, slots: Collection[SlotName]) -> None:
        self.slots = tuple(slots)
        self.views: Callable[[], Mapping[SlotName, SlotView]] = dict
        self.adb_up: Callable[[], bool] = bool
        self.adb_starts: Callable[[], int] = int
        self.readers: Collection[SlotName] = frozenset()
        self.readers_up: Callable[[], Collection[SlotName]] = tuple
        self.open_items: Callable[[], Mapping[DisposalState, int]] = dict

    def collect(self) -> Iterable[Metric]:
        """All of it, from one look at the board."""
        views = self.views()
        yield self._items()
        yield from self._states(views)
        yield from self._transfers(views)
        yield from _questions([view for slot in self.slots if (view := views.get(slot))])
        yield self._readers()
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

    def _states(self, views: Mapping[SlotName, SlotView]) -> Iterable[Metric]:
        states = GaugeMetricFamily(
            "benchd_slot_state", "1 for the state that a slot is in", labels=("slot", "state")
        )
        needs = GaugeMetricFamily(
            "benchd_slot_needs_person",
            "Whether the slot goes on only once somebody has come; charging isn't that",
            labels=("slot",),
        )
        for slot in self.slots:
            view = views.get(slot)
            now = SlotState.EMPTY if view is None else view.state
            for state in SlotState:
                states.add_metric((slot, state), float(state is now))
            needs.add_metric((slot,), float(view is not None and view.needs_a_person))
        return (states, needs)

    def _transfers(self, views: Mapping[SlotName, SlotView]) -> Iterable[Metric]:
        done = GaugeMetricFamily(
            "benchd_slot_transfer_bytes",
            "Bytes that the overwrite or read-back that runs has done; 0 where none runs",
            labels=("slot",),
        )
        rate = GaugeMetricFamily(
            "benchd_slot_transfer_bytes_per_second",
            "How fast it was between its last two reports; 0 where none runs",
            labels=("slot",),
        )
        for slot in self.slots:
            view = views.get(slot)
            transfer = view.transfer if view is not None else None
            # A handset that rests, to cool or to charge, tells of no progress meanwhile.
            works = view is not None and view.state is SlotState.RUNNING
            done.add_metric((slot,), float(transfer.bytes_done) if transfer else 0.0)
            rate.add_metric((slot,), transfer.bytes_per_s if transfer and works else 0.0)
        return (done, rate)

    def _readers(self) -> Metric:
        readers = self.readers_up()
        up = GaugeMetricFamily(
            "benchd_reader_up", "Whether the slot's contactless reader answers", labels=("slot",)
        )
        for slot in self.slots:
            if slot in self.readers:
                up.add_metric((slot,), float(slot in readers))
        return up


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
