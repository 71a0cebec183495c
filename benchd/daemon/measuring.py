"""The metrics of this rack, with what they look up for themselves."""

from __future__ import annotations

import math
from functools import partial
from typing import Protocol

from benchd.config import Settings
from benchd.daemon.kernel_clock import read_clock
from benchd.daemon.key_age import NumberedLedger, key_created
from benchd.daemon.upkeep import Upkeep, last_done
from benchd.ledger.head import Head
from benchd.ledger.reader import Restores
from benchd.observe.metrics import RackMetrics
from benchd.observe.storage_gauges import Folder
from benchd.ports import Clock
from benchd.revision import commit, version
from benchd.signing.ring import KeyRing


class KnowsHead(NumberedLedger, Protocol):
    """A ledger that knows its last record and finds others by their number."""

    @property
    def head(self) -> Head:
        """The last record that is stored."""
        ...

    @property
    def writer_lives(self) -> bool:
        """Whether the thread does that commits."""
        ...

    async def restores(self) -> Restores:
        """All restores that are on record."""
        ...


def metrics_of(settings: Settings) -> RackMetrics:
    """All metrics, before anything has happened."""
    metrics = RackMetrics(
        slots=settings.topology.places,
        recipes=settings.recipes,
        version=version(),
        commit=commit(),
        hooks=[hook.name for hook in settings.hooks],
    )
    metrics.models.catalogue = settings.models
    metrics.ledger.read_from(
        last_backup=partial(last_done, settings.ledger.path, Upkeep.BACKUP),
        last_verification=partial(last_done, settings.ledger.path, Upkeep.VERIFICATION),
    )
    anchor = settings.ledger.anchor
    metrics.ledger.anchors.is_used = anchor.folder is not None or anchor.url is not None
    metrics.storage.ledger = settings.ledger.path
    metrics.storage.folders = {
        Folder.LEDGER: settings.ledger.path.parent,
        Folder.CERTIFICATES: settings.certificate.directory,
    }
    metrics.clock.read_from(_offset_s, _error_s)
    return metrics


async def show_ledger(
    metrics: RackMetrics, ledger: KnowsHead, *, ring: KeyRing, clock: Clock
) -> None:
    """Show the metrics the ledger that was opened, and since when its key has signed."""
    metrics.read_from(helpers={"ledger_writer": lambda: ledger.writer_lives})
    restores = await ledger.restores()
    metrics.storage.records = lambda: ledger.head.sequence - restores.left_out
    metrics.ledger.restored(restores.times)
    metrics.key_created(await key_created(ring, ledger, clock))


def _offset_s() -> float:
    reading = read_clock()
    return math.nan if reading is None else reading.offset_s


def _error_s() -> float:
    reading = read_clock()
    return math.nan if reading is None else reading.largest_error_s
