"""A fake rack whose ledger is observed as the composition root does it."""

from __future__ import annotations

from collections.abc import Mapping

import anyio
from prometheus_client.parser import text_string_to_metric_families

from benchd.domain.ids import SlotName
from benchd.domain.record import Entry
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.observe.announcing_ledger import AnnouncingLedger, LedgerSubscriber
from benchd.observe.metrics import RackMetrics
from benchd.observe.record_metrics import RecordMetrics
from benchd.pipelines.stages import STAGE_CLASSES
from tests.core.world import Phone, World

Series = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


class FailingSubscriber:
    """Counts nothing: whatever it hears of, it breaks."""

    def stored(self, entry: Entry) -> None:
        raise ZeroDivisionError(entry.kind)

    def recalled(self, entry: Entry) -> None:
        raise ZeroDivisionError(entry.kind)


def new_metrics(*slots: str) -> RackMetrics:
    names = [SlotName(slot) for slot in slots or ("A1",)]
    return RackMetrics(slots=names, recipes=("overwrite",), stages=STAGE_CLASSES, version="1.2.3")


def observe(world: World, subscriber: LedgerSubscriber | None = None) -> RackMetrics:
    """Put metrics beside the rack; call before it runs."""
    metrics = new_metrics(*world.ports)
    metrics.read_from(views=world.board.views, adb_up=lambda: world.access.server_up)
    subscriber = subscriber or RecordMetrics(metrics, anyio.current_time)
    ledger = AnnouncingLedger(world.ledger, subscriber, metrics.fault)
    # The slots hold their parts already, and those are frozen for all but this.
    object.__setattr__(world.parts, "ledger", ledger)
    world.desk._ledger = ledger
    return metrics


async def finished(world: World, phone: Phone | None = None, slot: str = "A1") -> SlotView:
    """A whole job in a rack that runs for no longer."""
    async with world.running():
        world.ports[slot].plug(phone or Phone())
        return await world.until_state(SlotState.FINISHED, slot)


async def text_of(metrics: RackMetrics, accept: str = "") -> str:
    return (await metrics.expose(accept))[0].decode()


async def series_of(metrics: RackMetrics) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(await text_of(metrics))
        for sample in family.samples
    }


async def value(metrics: RackMetrics, name: str, **labels: str) -> float:
    return (await series_of(metrics))[name, frozenset(labels.items())]


def at_once(metrics: RackMetrics, name: str, **labels: str) -> float:
    """The same without a thread, in which virtual time would run on."""
    [found] = [
        sample.value
        for family in metrics.families()
        for sample in family.samples
        if (sample.name, sample.labels) == (name, labels)
    ]
    return found
