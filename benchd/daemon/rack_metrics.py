"""The metrics of this rack, with what they look up for themselves."""

from __future__ import annotations

import math
from datetime import datetime
from functools import partial

from benchd.config import Settings
from benchd.daemon.kernel_clock import read_clock
from benchd.daemon.upkeep import Upkeep, last_done
from benchd.domain.ports import Clock
from benchd.domain.version_info import commit, version
from benchd.ledger.ledger_access import SqliteLedger
from benchd.observe.metrics import RackMetrics
from benchd.observe.storage_gauges import Folder
from benchd.pipelines.stages import STAGE_CLASSES
from benchd.signing.key_ring import KeyRing


def metrics_of(settings: Settings) -> RackMetrics:
    """All metrics, before anything has happened."""
    metrics = RackMetrics(
        slots=settings.topology.places,
        recipes=settings.recipes,
        stages=STAGE_CLASSES,
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
    metrics: RackMetrics, ledger: SqliteLedger, *, ring: KeyRing, clock: Clock
) -> None:
    """Show the metrics the ledger that was opened, and since when its key has signed."""
    metrics.read_from(helpers={"ledger_writer": lambda: ledger.writer_lives})
    restores = await ledger.restores()
    metrics.storage.records = lambda: ledger.head.sequence - restores.left_out
    metrics.ledger.restored(restores.times)
    metrics.key_created(await key_created(ring, ledger, clock))


async def key_created(ring: KeyRing, ledger: SqliteLedger, clock: Clock) -> datetime:
    """When the last rotation was; else when the ledger began, or now where it hasn't."""
    if ring.rotations:
        return ring.rotations[-1].retirement.at
    first = await ledger.entry_at(1)
    return first.entry.at if first is not None else clock.now()


def _offset_s() -> float:
    reading = read_clock()
    return math.nan if reading is None else reading.offset_s


def _error_s() -> float:
    reading = read_clock()
    return math.nan if reading is None else reading.largest_error_s
