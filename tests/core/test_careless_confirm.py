"""A handset that lay in its slot overnight is looked at once more before it is confirmed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import anyio
import pytest

from benchd.domain.errors import CertificateGap, SecondPersonNeeded
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.domain.slot_states import SlotState
from benchd.pipelines.recipe import Recipe
from benchd.proof.erasure import verify_erasure
from benchd.proof.floors import MOST_S_FROM_LOOK_TO_CONFIRM
from tests.people.somebody import somebody

from .fake_chips import IN_USE, FakeChip, FakeChipAccess
from .world import Phone, World, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

HOUR_S = 3600.0


def patient() -> Recipe:
    """A recipe that waits over a weekend for whoever confirms."""
    made = make_recipe()
    stages = tuple(
        replace(spec, deadline_s=96 * HOUR_S) if spec.name is StageName.CONFIRM else spec
        for spec in made.stages
    )
    return replace(made, stages=stages)


async def waiting(world: World) -> None:
    """Until the handset waits to be confirmed, by people who have gone home."""
    world.silent_in = StageName.CONFIRM
    world.ports["A1"].plug(Phone())
    await world.until(lambda: world.asked() == Gate.CONFIRM)


def asked(world: World) -> Gate | None:
    views = world.board.views()
    view = next(iter(views.values()), None)
    return view.question.gate if view and view.question else None


async def answer(world: World, gate: Gate, by: str, *, approved: bool = True) -> None:
    job = world.view().job
    assert job is not None
    await world.desk.decide(job, gate, approved=approved, by=somebody(by), note="")


async def test_careless_20_h_between_observe_and_confirm_are_looked_at_again() -> None:
    world = World()
    async with world.running():
        await waiting(world)
        await anyio.sleep(20 * HOUR_S)
        assert world.asked() is Gate.OBSERVE
        await answer(world, Gate.OBSERVE, "Sato")
        await world.until(lambda: world.asked() is Gate.CONFIRM)
        await answer(world, Gate.CONFIRM, "Suzuki")
        view = await world.until_state(SlotState.FINISHED)
    assert view.disposition is Disposition.SELLABLE


async def test_careless_friday_evening_to_monday_is_one_more_answer_and_no_erasure() -> None:
    world = World(recipe=patient())
    async with world.running():
        await waiting(world)
        await anyio.sleep(62 * HOUR_S)
        began_s = anyio.current_time()
        await answer(world, Gate.OBSERVE, "Mori")
        await world.until(lambda: world.asked() is Gate.CONFIRM)
        await answer(world, Gate.CONFIRM, "Suzuki")
        view = await world.until_state(SlotState.FINISHED)
        assert anyio.current_time() - began_s < 5
    assert view.disposition is Disposition.SELLABLE


async def test_within_a_shift_nobody_is_asked_anything_more() -> None:
    world = World()
    async with world.running():
        await waiting(world)
        await anyio.sleep(MOST_S_FROM_LOOK_TO_CONFIRM - 60)
        await answer(world, Gate.CONFIRM, "Suzuki")
        view = await world.until_state(SlotState.FINISHED)
    assert view.disposition is Disposition.SELLABLE
    gates = [record.entry.data["gate"] for record in world.ledger.of(EntryKind.QUESTION_ASKED)]
    assert gates.count(Gate.OBSERVE) == 1


async def test_whoever_looked_again_does_not_confirm_it_too() -> None:
    world = World()
    async with world.running():
        await waiting(world)
        await anyio.sleep(20 * HOUR_S)
        await answer(world, Gate.OBSERVE, "Suzuki")
        await world.until(lambda: world.asked() is Gate.CONFIRM)
        with pytest.raises(SecondPersonNeeded):
            await answer(world, Gate.CONFIRM, "Suzuki")


async def test_what_is_not_as_its_reset_left_it_any_more_is_held() -> None:
    world = World()
    async with world.running():
        await waiting(world)
        await anyio.sleep(20 * HOUR_S)
        await answer(world, Gate.OBSERVE, "Sato", approved=False)
        view = await world.until_state(SlotState.FINISHED)
    assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.FINAL_RESET_NOT_PROVEN)
    assert not world.issuer.kept


async def test_a_chip_that_was_used_overnight_is_seen() -> None:
    chip = FakeChip()
    world = World(chips=FakeChipAccess({"A1": chip}))
    async with world.running():
        await waiting(world)
        chip.looks = IN_USE
        await anyio.sleep(20 * HOUR_S)
        await answer(world, Gate.OBSERVE, "Sato")
        view = await world.until_state(SlotState.FINISHED)
    assert view.outcome is Outcome.FAILED
    assert view.disposition is not Disposition.SELLABLE
    assert not world.issuer.kept


async def records_of_two_looks() -> tuple[Any, list[StoredEntry]]:
    """Those of a handset that was looked at twice, up to its certificate."""
    world = World(chips=FakeChipAccess({"A1": FakeChip()}))
    async with world.running():
        await waiting(world)
        await anyio.sleep(20 * HOUR_S)
        await answer(world, Gate.OBSERVE, "Sato")
        await world.until(lambda: world.asked() is Gate.CONFIRM)
        await answer(world, Gate.CONFIRM, "Suzuki")
        view = await world.until_state(SlotState.FINISHED)
    assert view.disposition is Disposition.SELLABLE
    found = await world.ledger.entries(view.job)  # type: ignore[arg-type]
    return view.job, [
        record
        for record in found
        if record.entry.kind is not EntryKind.JOB_ENDED
        and record.entry.data.get("stage") != StageName.CERTIFY
    ]


def told(records: list[StoredEntry], **again: Any) -> list[StoredEntry]:  # noqa: ANN401
    """The same with another last look."""

    def each(record: StoredEntry) -> StoredEntry:
        data: Any = record.entry.data
        if record.entry.kind is not EntryKind.STAGE_ENDED:
            return record
        if data["stage"] == StageName.CONFIRM:
            evidence = data["evidence"]
            last = None if "none" in again else {**evidence["again"], **again}
            data = {**data, "evidence": {**evidence, "again": last}}
        return replace(record, entry=replace(record.entry, data=data))

    return [each(record) for record in records]


async def test_careless_every_lie_about_the_last_look_is_a_gap() -> None:
    job, records = await records_of_two_looks()
    verify_erasure(job, told(records))
    confirm = next(
        r
        for r in records
        if r.entry.data.get("stage") == StageName.CONFIRM and r.entry.kind is EntryKind.STAGE_ENDED
    )
    data: Any = confirm.entry.data
    look, chip = data["evidence"]["again"]["answer"], data["evidence"]["again"]["chip"]
    lies: dict[str, dict[str, Any]] = {
        "shortly before": {"none": True},
        "isn't on record": {"answer": {**look, "person": "mori"}},
        "last look at the handset isn't": {
            "answer": {**look, "at": data["evidence"]["answer"]["at"]}
        },
        "nobody has looked at the chip again": {"chip": None},
        "another chip": {"chip": {**chip, "chip": "0" * 64}},
        "isn't unused": {"chip": {**chip, "verdict": "in_use"}},
        "field wasn't off": {"chip": {**chip, "power_cycled": False}},
    }
    for gap, lie in lies.items():
        with pytest.raises(CertificateGap, match=gap):
            verify_erasure(job, told(records, **lie))
