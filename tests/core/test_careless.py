"""What a careless or dishonest person may try, each its own test (issue 15)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchd.domain.job import Decision, Disposition, Gate, Outcome, Reason
from benchd.domain.people import Actor, ShownBy
from benchd.slots.question_desk import Desk

from .lot_rack import Rack
from .world import Phone, World, phone_like

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


def shows_badge_alone(desk: Desk, *gates: Gate) -> None:
    """From now on whoever answers at these gates has scanned a badge and typed no PIN."""
    decide = desk.decide

    async def by_badge(job: Any, gate: Gate, *, by: Actor, **given: Any) -> Decision:  # noqa: ANN401
        shown = replace(by, shown_by=ShownBy.BADGE) if gate in gates else by
        return await decide(job, gate, by=shown, **given)

    desk.decide = by_badge  # type: ignore[method-assign]


class NeverReset(Phone):
    """One that leaves its port and comes back without adb, with all that was on it."""

    def wipe(self) -> None:
        pass


def believe_who_looks(world: World) -> None:
    """The operators say that they see the welcome screen, whatever they see."""
    decide = world.desk.decide

    async def yes(job: Any, gate: Gate, *, approved: bool, **given: Any) -> Decision:  # noqa: ANN401
        return await decide(job, gate, approved=approved or gate is Gate.OBSERVE, **given)

    world.desk.decide = yes  # type: ignore[method-assign]


NOT_SHOWN = {
    "restarted since": Phone(boot_count=2),
    "restarted as often as a dealer does": Phone(boot_count=5),
    "used for a month without a restart": Phone(up_s=30 * 86_400),
    "a day and a second": Phone(up_s=86_401),
    "it doesn't say since when": Phone(up_s=None),
    "it doesn't count": Phone(boot_count=None),
}


@pytest.mark.parametrize("case", NOT_SHOWN)
async def test_careless_arrived_reset_is_shown_by_the_handset_and_not_by_what_is_absent(
    case: str,
) -> None:
    """An owner's quiet handset is reset here, whatever is done at its last reset."""
    phone = phone_like(NOT_SHOWN[case])
    view = await World().end_of(phone)
    assert phone.calls["enable_test_harness"] == 1
    assert view.disposition is Disposition.SELLABLE


async def test_careless_arrived_reset_by_switching_adb_off_for_21_s() -> None:
    """The quiet handset was never reset: not at arrival, and at the last reset by its cable."""
    phone = NeverReset(boot_count=4, reset_absence_s=21.0, reset_lies=True)
    world = World()
    believe_who_looks(world)
    view = await world.end_of(phone)
    assert not world.issuer.kept
    assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.RESET_NOT_PROVEN)


async def test_careless_a_badge_alone_behind_what_a_lots_papers_settled() -> None:
    """The fake authority lets a badge through, so that the proof has to see it by itself."""
    rack = Rack()
    await rack.lot()
    await rack.looked_up()
    shows_badge_alone(rack.world.desk, *(gate for gate in Gate if gate is not Gate.CONFIRM))
    await rack.world.refuses(Phone(), Reason.PROOF_INCOMPLETE)
