"""How far the outside knows the ledger: of a rack with anchors, and of one without."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from metrics_rig import new_metrics, series_of

from benchd.observe.metrics import RackMetrics

pytestmark = pytest.mark.asyncio

AT = datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC)


async def told(metrics: RackMetrics) -> dict[str, float]:
    """The series of anchors by the last word of their names."""
    return {
        name.rpartition("_")[2]: number
        for (name, _), number in (await series_of(metrics)).items()
        if "_anchor" in name
    }


async def test_a_rack_without_anchors_tells_of_none() -> None:
    assert await told(new_metrics()) == {}


async def test_an_anchor_is_down_until_it_was_reached() -> None:
    metrics = new_metrics()
    metrics.ledger.anchors.is_used = True
    assert await told(metrics) == {"seconds": 0, "sequence": 0, "up": 0}
    metrics.ledger.anchors.anchored(7, AT)
    assert await told(metrics) == {"seconds": AT.timestamp(), "sequence": 7, "up": 1}
    metrics.ledger.anchors.unreachable()
    assert await told(metrics) == {"seconds": AT.timestamp(), "sequence": 7, "up": 0}


async def test_what_a_former_daemon_sent_out_is_known_and_brings_no_anchor_up() -> None:
    metrics = new_metrics()
    metrics.ledger.anchors.is_used = True
    metrics.ledger.anchors.recalled(7, AT)
    assert await told(metrics) == {"seconds": AT.timestamp(), "sequence": 7, "up": 0}
