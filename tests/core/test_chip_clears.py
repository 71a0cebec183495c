"""Clears: whatever a provider, an operator or a kiosk says, only the re-check decides."""

from __future__ import annotations

import anyio
import pytest

from benchd.domain.chip import ChipOwners
from benchd.domain.clear_provider import ClearClaim, ClearOrder, ClearOutcome
from benchd.domain.errors import HandsetGone, ReaderFault
from benchd.domain.job import Disposition, Gate, Outcome, Reason
from benchd.domain.record import EntryKind
from benchd.domain.slot_states import SlotState
from benchd.pipelines.stages.gates import GatesStage

from .fake_chips import (
    CHECK,
    CLEAR,
    IN_USE,
    UNUSED,
    FakeChip,
    FakeChipAccess,
    scan_of,
    world_with,
)
from .world import OTHER_IMEI, Phone, World, ended, failing, make_recipe, phone_like

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
    world, chips = world_with(FakeChip(once=[IN_USE, ReaderFault("it hung")]))
    await world.sells()
    told = [(each["because"], each["evidence"]["claim"]) for each in world.attempts(CLEAR)]
    assert told == [("ReaderFault", "done"), (None, "done")]
    assert len(chips.orders) == 2


@pytest.mark.parametrize("cleared", [True, False])
async def test_a_clear_by_hand_is_a_claim_of_the_operator(cleared: bool) -> None:
    chip = FakeChip(once=[IN_USE], claims=[ClearOutcome.NEEDS_OPERATOR])
    world, _ = world_with(chip, {Gate.FELICA_CLEAR: cleared})
    if not cleared:
        view = await world.refuses(Phone(), Reason.FELICA_NOT_CLEARABLE)
        assert view.disposition is Disposition.DESTROY
        [clear] = world.attempts(CLEAR)
        assert clear["evidence"]["claim"] == "needs_operator"
        return
    await world.sells()
    [clear] = world.attempts(CLEAR)
    told = clear["evidence"]
    assert (told["provider"], told["claim"], told["asked_by"]) == ("operator", "done", "fake")
    assert told["answer"]["operator"] == "Sato"


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
    await World(recipe=recipe, chips=chips).refuses(Phone(), Reason.CONSENT_MISSING)
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
    await world.sells()
    assert known == [True]


async def test_what_an_earlier_attempt_saw_is_not_taken_for_the_next_ones() -> None:
    chip = FakeChip(looks=IN_USE, claims=[ClearOutcome.RETRYABLE], after_clear=None)
    world, chips = world_with(chip)
    await world.refuses(Phone(), Reason.FELICA_RESIDUE)
    assert [told["evidence"]["claim"] for told in world.attempts(CLEAR)] == ["retryable", "done"]
    assert len(chips.orders) == 3
    world, _ = world_with(FakeChip(once=[ReaderFault("it hung")]))
    await world.end_of()
    assert world.attempts(CHECK)[0]["evidence"] == {}


# A handset taken to a kiosk for its clear: it may come back, and nothing else may.


def at_the_kiosk() -> tuple[World, FakeChipAccess]:
    """A rack that asks for a clear by hand, its operators still away."""
    chip = FakeChip(once=[IN_USE], claims=[ClearOutcome.NEEDS_OPERATOR])
    world, chips = world_with(chip)
    chip.goes_with = world.ports["A1"]
    world.silent_in = CLEAR
    return world, chips


async def carried_away(world: World, phone: Phone, for_s: float) -> None:
    """Plugged in until it is to be cleared by hand, and away for so long."""
    world.ports["A1"].plug(phone)
    await world.until_question(Gate.FELICA_CLEAR)
    world.ports["A1"].unplug()
    await anyio.sleep(for_s)


@pytest.mark.parametrize("answered_first", [True, False])
async def test_a_handset_may_be_taken_to_a_kiosk_and_comes_back(answered_first: bool) -> None:
    world, _ = at_the_kiosk()
    phone = Phone()
    known = phone.android_id
    async with world.running():
        await carried_away(world, phone, 600)
        assert world.view().state is SlotState.AWAITING_OPERATOR
        if answered_first:
            world.back_at_work()
            await world.until_state(SlotState.REPLUGGING)
        world.ports["A1"].plug(phone)
        if not answered_first:
            await anyio.sleep(600)
            world.back_at_work()
        view = await world.finished()
    assert (view.outcome, view.disposition) == (Outcome.PASSED, Disposition.SELLABLE)
    assert (view.occupancy, phone.calls["fill"]) == (1, 1)
    [clear] = world.attempts(CLEAR)
    assert clear["evidence"]["absent_s"] >= 600
    assert clear["evidence"]["android_id"] == known


SWAPPED = {
    "another serial": {"serial": "OTHER"},
    "another IMEI": {"imei": OTHER_IMEI},
    # Says the same of itself in all that it's asked for but the id that Android drew.
    "a twin": {"android_id": "bbbb1111bbbb1111"},
    "a twin without an id": {"android_id": ""},
    "a twin, found out by the next attempt": {"android_id": "bbbb1111bbbb1111"},
}


@pytest.mark.parametrize("swap", SWAPPED)
async def test_another_handset_from_the_kiosk_is_never_taken_for_the_first(swap: str) -> None:
    world, chips = at_the_kiosk()
    other = phone_like(phone := Phone(), **SWAPPED[swap])
    if swap.endswith("attempt"):
        other.faults = failing("reset_facts", HandsetGone("?"), 1)
    async with world.running():
        await carried_away(world, phone, 60)
        world.ports["A1"].plug(other)
        world.back_at_work()
        world.must_not_pass(await world.finished(), Reason.HANDSET_CHANGED)
    assert len(chips.orders) == 1
    if other.faults:
        assert other.calls["reset_facts"] == 2


async def test_a_handset_that_stays_away_ends_its_job_and_the_slot_takes_the_next() -> None:
    world, chips = at_the_kiosk()
    async with world.running():
        await carried_away(world, Phone(), 0)
        world.back_at_work()
        view = await world.finished()
        assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.HANDSET_NOT_RETURNED)
        chips.chips["A1"] = FakeChip(looks=scan_of(UNUSED.verdict, chip="deadbeef" * 8))
        world.ports["A1"].plug(Phone(serial="R5CT10ABCDF", imei=OTHER_IMEI))
        await world.until_state(SlotState.RUNNING)
        view = await world.finished()
        assert (view.occupancy, view.disposition) == (2, Disposition.SELLABLE)
