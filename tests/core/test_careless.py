"""What a careless or dishonest person may try, each its own test (issue 15)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchd.pipelines.recipe import Recipe
from benchd.slots.desk import Desk
from benchd.words.job import Decision, Gate, Outcome, Reason, StageName
from benchd.words.people import Actor, ShownBy

from .lot_rack import IMEI, Rack
from .world import Phone, World, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


def shows_badge_alone(desk: Desk, *gates: Gate) -> None:
    """From now on whoever answers at these gates has scanned a badge and typed no PIN."""
    decide = desk.decide

    async def by_badge(job: Any, gate: Gate, *, by: Actor, **given: Any) -> Decision:  # noqa: ANN401
        shown = replace(by, shown_by=ShownBy.BADGE) if gate in gates else by
        return await decide(job, gate, by=shown, **given)

    desk.decide = by_badge  # type: ignore[method-assign]


async def test_careless_a_badge_alone_behind_what_a_lots_papers_settled() -> None:
    """The fake authority lets a badge through, so that the proof has to see it by itself."""
    rack = Rack()
    await rack.lot()
    await rack.looked_up()
    shows_badge_alone(rack.world.desk, *(gate for gate in Gate if gate is not Gate.CONFIRM))
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone())
        view = await rack.world.until(lambda: rack.world.view().outcome is not None)
        view = rack.world.view()
    assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.PROOF_INCOMPLETE)
    assert not rack.world.issuer.kept
