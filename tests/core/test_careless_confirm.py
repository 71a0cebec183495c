"""A handset that lay in its slot overnight is looked at once more before it is confirmed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import anyio
import pytest

from benchd.domain.errors import CertificateGap, SecondPersonNeeded
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.erasure import verify_erasure
from benchd.proof.floors import MOST_S_FROM_LOOK_TO_CONFIRM

from .fake_chips import IN_USE, FakeChip, FakeChipAccess
from .lot_rack import Data, edit
from .world import Phone, World, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

HOUR_S = 3600.0


def patient() -> World:
    """A rack that waits over a weekend for whoever confirms, and has a reader."""
    made = make_recipe()
    stages = tuple(
        replace(spec, deadline_s=96 * HOUR_S) if spec.name is StageName.CONFIRM else spec
        for spec in made.stages
    )
    chips = FakeChipAccess({"A1": FakeChip()})
    return World(recipe=replace(made, stages=stages), chips=chips)


async def waits(world: World, for_s: float) -> None:
    """The handset waits so long to be confirmed, by people who have gone home."""
    world.silent_in = StageName.CONFIRM
    world.ports["A1"].plug(Phone())
    await world.until_question(Gate.CONFIRM)
    await anyio.sleep(for_s)


async def looked_at_again(world: World, by: str, confirms: str = "Suzuki") -> None:
    await world.until_question(Gate.OBSERVE)
    await world.decide(Gate.OBSERVE, by)
    await world.until_question(Gate.CONFIRM)
    await world.decide(Gate.CONFIRM, confirms)


@pytest.mark.parametrize(("hours", "by"), [(20, "Sato"), (62, "Mori")])
async def test_careless_20_h_between_observe_and_confirm_are_looked_at_again(
    hours: float, by: str
) -> None:
    """Friday evening to Monday is one more answer, and no erasure."""
    world = patient()
    async with world.running():
        await waits(world, hours * HOUR_S)
        began_s = anyio.current_time()
        await looked_at_again(world, by)
        assert (await world.finished()).disposition is Disposition.SELLABLE
        assert anyio.current_time() - began_s < 5


async def test_within_a_shift_nobody_is_asked_anything_more() -> None:
    world = patient()
    async with world.running():
        await waits(world, MOST_S_FROM_LOOK_TO_CONFIRM - 60)
        await world.decide(Gate.CONFIRM, "Suzuki")
        assert (await world.finished()).disposition is Disposition.SELLABLE
    assert world.asked().count(Gate.OBSERVE) == 1


async def test_whoever_looked_again_does_not_confirm_it_too() -> None:
    world = patient()
    async with world.running():
        await waits(world, 20 * HOUR_S)
        with pytest.raises(SecondPersonNeeded):
            await looked_at_again(world, "Suzuki")


async def test_what_is_not_as_its_reset_left_it_any_more_is_held() -> None:
    world = patient()
    async with world.running():
        await waits(world, 20 * HOUR_S)
        await world.decide(Gate.OBSERVE, approved=False)
        world.must_not_pass(await world.finished(), Reason.FINAL_RESET_NOT_PROVEN)


async def test_a_chip_that_was_used_overnight_is_seen() -> None:
    chip = FakeChip()
    world = World(chips=FakeChipAccess({"A1": chip}))
    async with world.running():
        await waits(world, 0)
        chip.looks = IN_USE
        await anyio.sleep(20 * HOUR_S)
        await world.decide(Gate.OBSERVE)
        view = await world.finished()
    assert view.outcome is Outcome.FAILED
    assert not world.certified()


def told(records: list[StoredEntry], **again: Any) -> list[StoredEntry]:  # noqa: ANN401
    """The same with another last look."""

    def each(data: Data) -> None:
        if data["stage"] == StageName.CONFIRM:
            evidence = data["evidence"]
            evidence["again"] = None if "none" in again else {**evidence["again"], **again}

    changed = list(records)
    edit(changed, EntryKind.STAGE_ENDED, each)
    return changed


async def test_careless_every_lie_about_the_last_look_is_a_gap() -> None:
    world = patient()
    async with world.running():
        await waits(world, 20 * HOUR_S)
        await looked_at_again(world, "Sato")
        assert (await world.finished()).disposition is Disposition.SELLABLE
    job, records = await world.proof()
    verify_erasure(job, told(records))
    evidence = world.evidence(StageName.CONFIRM)
    look, chip = evidence["again"]["answer"], evidence["again"]["chip"]
    lies: dict[str, Data] = {
        "shortly before": {"none": True},
        "isn't on record": {"answer": {**look, "person": "mori"}},
        "last look at the handset isn't": {"answer": {**look, "at": evidence["answer"]["at"]}},
        "nobody has looked at the chip again": {"chip": None},
        "another chip": {"chip": {**chip, "chip": "0" * 64}},
        "isn't unused": {"chip": {**chip, "verdict": "in_use"}},
        "field wasn't off": {"chip": {**chip, "power_cycled": False}},
    }
    for gap, lie in lies.items():
        with pytest.raises(CertificateGap, match=gap):
            verify_erasure(job, told(records, **lie))
