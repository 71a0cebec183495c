"""A drawn handset is looked at again: what Prometheus is told of what was found."""

from __future__ import annotations

import pytest
from metrics_rig import observe, value

from benchd.domain.ids import SlotName
from benchd.domain.job import Gate, Outcome, StageName
from benchd.domain.slot_states import SlotState
from benchd.observe.metrics import RackMetrics
from tests.core.rechecks import RecheckRack
from tests.core.world import MTP_ONLY, Phone

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def found(metrics: RackMetrics) -> tuple[float, float]:
    nothing, something = [
        await value(metrics, "benchd_drawn_rechecks_total", outcome=outcome)
        for outcome in (Outcome.PASSED, Outcome.FAILED)
    ]
    return nothing, something


async def test_a_recheck_that_finds_nothing_has_passed() -> None:
    rack, phone = RecheckRack(), Phone()
    metrics = observe(rack.world)
    async with rack.world.running():
        await rack.erased(phone)
        assert await found(metrics) == (0, 0)
        await rack.rechecked(phone)
    assert await found(metrics) == (1, 0)


async def test_a_recheck_that_was_answered_with_no_has_failed() -> None:
    rack, phone = RecheckRack(), Phone()
    metrics = observe(rack.world)
    async with rack.world.running():
        await rack.erased(phone)
        rack.world.answers[Gate.RECHECK] = False
        await rack.rechecked(phone)
    assert await found(metrics) == (0, 1)


@pytest.mark.parametrize("stage", [StageName.FIND_DRAWN, StageName.RECHECK])
async def test_a_recheck_that_is_left_open_counts_once_it_is_made_again(stage: StageName) -> None:
    rack, phone = RecheckRack(), Phone()
    metrics = observe(rack.world)
    async with rack.world.running():
        await rack.erased(phone)
        rack.world.silent_in = stage
        rack.world.ports["A2"].plug(phone, MTP_ONLY)
        await rack.world.until(lambda: asks_in(rack, stage))
        rack.world.ports["A2"].unplug()
        await rack.world.until_state(SlotState.EMPTY, "A2")
        assert await found(metrics) == (0, 0)
        rack.world.silent_in = None
        await rack.rechecked(phone)
    assert await found(metrics) == (1, 0)


def asks_in(rack: RecheckRack, stage: StageName) -> bool:
    view = rack.world.board.views().get(SlotName("A2"))
    return view is not None and (view.stage, view.state) == (stage, SlotState.AWAITING_OPERATOR)
