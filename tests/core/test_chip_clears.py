"""Clears: whatever a provider or an operator says, only the re-check decides."""

from __future__ import annotations

import anyio
import pytest

from benchd.domain.chip import ChipOwners
from benchd.domain.clear import ClearClaim, ClearOrder, ClearOutcome
from benchd.domain.errors import ReaderFault
from benchd.domain.job import Disposition, Gate, Outcome, Reason
from benchd.domain.record import EntryKind
from benchd.pipelines.stages.gates import GatesStage

from .fake_chips import (
    CHECK,
    CLEAR,
    IN_USE,
    FakeChip,
    FakeChipAccess,
    raised,
    world_with,
)
from .world import Phone, World, ended, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


CLEARS: dict[str, tuple[list[ClearOutcome], Reason | None]] = {
    "done": ([ClearOutcome.DONE], None),
    # It says that there was nothing to clear, and there still is: it's asked once more.
    "already initial": ([ClearOutcome.ALREADY_INITIAL] * 2, Reason.FELICA_RESIDUE),
    "another chip's, then its own": ([ClearOutcome.ALREADY_INITIAL, ClearOutcome.DONE], None),
    "unsupported": ([ClearOutcome.UNSUPPORTED], Reason.FELICA_NOT_CLEARABLE),
    "fatal": ([ClearOutcome.FATAL], Reason.FELICA_NOT_CLEARABLE),
    "retried": ([ClearOutcome.RETRYABLE, ClearOutcome.RETRYABLE, ClearOutcome.DONE], None),
    "never done": ([ClearOutcome.RETRYABLE] * 3, Reason.ATTEMPTS_EXHAUSTED),
    # The operator says yes, but this fake chip isn't touched by that.
    "operator": ([ClearOutcome.NEEDS_OPERATOR], Reason.FELICA_RESIDUE),
}


@pytest.mark.parametrize("case", CLEARS)
async def test_what_a_provider_says_is_acted_on_and_never_believed(case: str) -> None:
    claims, reason = CLEARS[case]
    world, chips = world_with(FakeChip(looks=IN_USE, claims=list(claims)))
    view = await world.end_of()
    assert view.reason is reason
    named = reason in (Reason.FELICA_RESIDUE, Reason.FELICA_NOT_CLEARABLE)
    assert view.owners == (ChipOwners(ja="Suica", en="Suica") if named else None)
    assert len(chips.orders) == len(claims)
    assert world.certified() is (reason is None)
    told = [attempt["evidence"] for attempt in world.attempts(CLEAR)]
    assert all(evidence["consent"] == "Sato" for evidence in told)
    if case != "operator":
        again = claims[0] is ClearOutcome.ALREADY_INITIAL
        assert [evidence["claim"] for evidence in told] == (claims[1:] if again else claims)
        assert all(("second time" in evidence["detail"]) is again for evidence in told)


async def test_a_claim_is_on_record_also_where_the_look_after_it_failed() -> None:
    chip = FakeChip(once=[IN_USE, ReaderFault("it hung")])
    world, chips = world_with(chip)
    await world.end_of()
    told = [(each["because"], each["evidence"]["claim"]) for each in world.attempts(CLEAR)]
    assert told == [("ReaderFault", "done"), (None, "done")]
    assert len(chips.orders) == 2
    assert world.certified()


@pytest.mark.parametrize("cleared", [True, False])
async def test_a_clear_by_hand_is_a_claim_of_the_operator(cleared: bool) -> None:
    chip = FakeChip(once=[IN_USE], claims=[ClearOutcome.NEEDS_OPERATOR])
    world, _ = world_with(chip, {Gate.FELICA_CLEAR: cleared})
    view = await world.end_of()
    [clear] = world.attempts(CLEAR)
    if cleared:
        assert view.disposition is Disposition.SELLABLE
        assert clear["evidence"]["provider"] == "operator"
        assert (clear["evidence"]["claim"], clear["evidence"]["asked_by"]) == ("done", "fake")
        assert clear["evidence"]["answer"]["operator"] == "Sato"
    else:
        assert (view.disposition, view.reason) == (
            Disposition.DESTROY,
            Reason.FELICA_NOT_CLEARABLE,
        )
        assert clear["evidence"]["claim"] == "needs_operator"
    assert world.certified() is cleared


async def test_an_unplug_while_a_provider_clears_aborts_the_job() -> None:
    world, chips = world_with(FakeChip(looks=IN_USE))

    async def for_ever(_order: ClearOrder) -> ClearClaim:
        began.set()
        await anyio.sleep_forever()
        raise AssertionError

    began = anyio.Event()
    chips.clear = for_ever  # type: ignore[method-assign]
    async with world.running():
        world.ports["A1"].plug(Phone())
        await began.wait()
        await world.take_out()
    assert ended(world)[0]["outcome"] == Outcome.ABORTED
    assert not world.certified()


async def test_nothing_is_cleared_without_a_consent_on_record() -> None:
    recipe = make_recipe(gates=GatesStage(attest=(Gate.NETWORK, Gate.JPKI)))
    chips = FakeChipAccess({"A1": FakeChip(looks=IN_USE)})
    view = await World(recipe=recipe, chips=chips).end_of()
    assert view.reason is Reason.CONSENT_MISSING
    assert chips.orders == []


async def test_the_intent_to_clear_is_on_record_before_the_provider_hears_of_it() -> None:
    world, chips = world_with(FakeChip(looks=IN_USE))
    known: list[bool] = []
    clear = chips.clear

    async def watched(order: ClearOrder) -> ClearClaim:
        started = [s.entry.data for s in world.ledger.of(EntryKind.STAGE_STARTED)]
        known.append(any(d["stage"] == CLEAR and d["destructive"] for d in started))
        return await clear(order)

    chips.clear = watched  # type: ignore[method-assign]
    assert (await world.end_of()).disposition is Disposition.SELLABLE
    assert known == [True]


async def test_what_an_earlier_attempt_saw_is_not_taken_for_the_next_ones() -> None:
    faults = raised(lambda: ReaderFault("it hung"), 1)
    chip = FakeChip(looks=IN_USE, claims=[ClearOutcome.RETRYABLE], after_clear=None)
    world, chips = world_with(chip)
    view = await world.end_of()
    assert view.reason is Reason.FELICA_RESIDUE
    first, second = world.attempts(CLEAR)
    assert (first["evidence"]["claim"], second["evidence"]["claim"]) == ("retryable", "done")
    assert len(chips.orders) == 3
    world, _ = world_with(FakeChip(once=[*faults]))
    await world.end_of()
    assert world.attempts(CHECK)[0]["evidence"] == {}
