"""What metrics are shown at the start: where to look at every scrape, and the key's age."""

from __future__ import annotations

import math
from typing import Protocol

from benchd.config import Settings
from benchd.daemon.kernel_clock import read_clock
from benchd.daemon.key_age import NumberedLedger, key_created
from benchd.ledger.head import Head
from benchd.observe.metrics import RackMetrics
from benchd.observe.storage_gauges import Folder
from benchd.ports import Clock
from benchd.signing.ring import KeyRing


class KnowsHead(NumberedLedger, Protocol):
    """A ledger that knows its last record and finds others by their number."""

    @property
    def head(self) -> Head:
        """The last record that is stored."""
        ...


async def measure(
    metrics: RackMetrics, settings: Settings, ledger: KnowsHead, *, ring: KeyRing, clock: Clock
) -> None:
    """Show the metrics what this rack keeps its things in, its models, its clock and its key."""
    metrics.key_created(await key_created(ring, ledger, clock))
    metrics.models.catalogue = settings.models
    metrics.storage.ledger = settings.ledger.path
    metrics.storage.records = lambda: ledger.head.sequence
    metrics.storage.folders = {
        Folder.LEDGER: settings.ledger.path.parent,
        Folder.CERTIFICATES: settings.certificate.directory,
    }
    metrics.clock.read_from(_offset_s, _error_s)


def _offset_s() -> float:
    reading = read_clock()
    return math.nan if reading is None else reading.offset_s


def _error_s() -> float:
    reading = read_clock()
    return math.nan if reading is None else reading.largest_error_s
