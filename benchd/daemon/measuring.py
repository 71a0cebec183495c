"""The metrics of this rack, with what they look up for themselves."""

from __future__ import annotations

from functools import partial

from benchd.config import Settings
from benchd.daemon.upkeep import Upkeep, last_done
from benchd.observe.metrics import RackMetrics
from benchd.revision import commit, version


def metrics_of(settings: Settings) -> RackMetrics:
    """All metrics, before anything has happened."""
    metrics = RackMetrics(
        slots=settings.topology.places,
        recipes=settings.recipes,
        version=version(),
        commit=commit(),
        hooks=[hook.name for hook in settings.hooks],
    )
    metrics.ledger.read_from(
        last_backup=partial(last_done, settings.ledger.path, Upkeep.BACKUP),
        last_verification=partial(last_done, settings.ledger.path, Upkeep.VERIFICATION),
    )
    return metrics
