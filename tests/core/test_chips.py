"""The FeliCa stages on a fake chip bench: every answer of it, and none of the bad ones passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import anyio
import pytest

from benchd.errors import HandsetGone, ReaderFault, StorageFault
from benchd.model import (
    BaselineKind,
    ChipOwners,
    ChipScan,
    ChipVerdict,
    ClearClaim,
    ClearOrder,
    ClearOutcome,
    Disposition,
    EntryKind,
    Gate,
    Outcome,
    ProblemCode,
    Reason,
    SlotName,
    SlotState,
    SlotView,
    StageName,
)
from benchd.pipelines.gates import GatesStage

from .fake_chips import (
    CHIP,
    IN_USE,
    OTHER_CHIP,
    SILENT,
    UNUSED,
    FakeChip,
    FakeChipBench,
    raised,
    scan_of,
)
from .world import Phone, World, ended, make_recipe, phone_like

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

CHECK, CLEAR, RECHECK = (
    StageName.FELICA_CHECK,
    StageName.FELICA_CLEAR,
    StageName.FELICA_RECHECK,
)


def world_with(
    chip: FakeChip, answers: Mapping[Gate, bool] | None = None, *, slots: int = 1
) -> tuple[World, FakeChipBench]:
    """A rack whose first slot has this chip on its reader; the others have good ones."""
    chips = {f"A{n}": FakeChip() for n in range(1, slots + 1)} | {"A1": chip}
    bench = FakeChipBench(chips)
    return World(slots, chips=bench, answers=answers), bench


async def run(world: World, phone: Phone | None = None) -> SlotView:
    async with world.running():
        world.ports["A1"].plug(phone or Phone())
        return await world.until_state(SlotState.FINISHED)


def attempts(world: World, stage: StageName) -> list[Mapping[str, Any]]:
    """What the ledger says of each ended attempt of a stage, in order."""
    return [
        stored.entry.data
        for stored in world.journal.of(EntryKind.STAGE_ENDED)
        if stored.entry.data["stage"] == stage
    ]


def asked(world: World) -> list[object]:
    return [s.entry.data["gate"] for s in world.journal.of(EntryKind.QUESTION_ASKED)]


def certified(world: World) -> bool:
    """Whether anything of this rack says that a handset may be sold."""
    return bool(world.issuer.kept) or any(
        end["disposition"] == Disposition.SELLABLE or end["certificate"] is not None
        for end in ended(world)
    )


async def test_an_unused_chip_needs_no_person_and_no_clear() -> None:
    world, bench = world_with(FakeChip())
    view = await run(world)
    assert (view.outcome, view.disposition) == (Outcome.PASSED, Disposition.SELLABLE)
    assert bench.scans == [("A1", 1, False), ("A1", 2, True)]
    assert bench.orders == []
    assert not [gate for gate in asked(world) if str(gate).startswith("felica")]
    [check], [clear], [recheck] = (attempts(world, stage) for stage in (CHECK, CLEAR, RECHECK))
    assert (check["evidence"]["source"], check["evidence"]["verdict"]) == ("reader", "unused")
    assert (clear["outcome"], clear["because"]) == (Outcome.SKIPPED, "chip_unused")
    assert recheck["evidence"]["chip"] == CHIP
    assert (recheck["evidence"]["passes"], recheck["evidence"]["power_cycled"]) == (2, True)


async def test_a_chip_in_use_is_cleared_by_the_provider_with_the_consent_named() -> None:
    world, bench = world_with(FakeChip(looks=IN_USE))
    view = await run(world)
    assert (view.outcome, view.disposition) == (Outcome.PASSED, Disposition.SELLABLE)
    [order] = bench.orders
    assert (order.job, order.slot, order.consent) == (view.job, "A1", "Sato")
    assert order.identity == Phone().identity()
    [clear] = attempts(world, CLEAR)
    assert (clear["evidence"]["claim"], clear["evidence"]["report"]) == ("done", "R-1")
    assert Gate.FELICA_CLEAR not in asked(world)


ENDS = {
    ChipVerdict.SILENT: Reason.FELICA_SILENT,
    ChipVerdict.INCONSISTENT: Reason.FELICA_INCONSISTENT,
    ChipVerdict.UNREADABLE: Reason.FELICA_UNREADABLE,
    # No scan can know these two by itself, so one that says so is not believed.
    ChipVerdict.RETIRED: Reason.FELICA_UNREADABLE,
    ChipVerdict.NO_CHIP: Reason.FELICA_UNREADABLE,
}


@pytest.mark.parametrize("verdict", ENDS)
async def test_a_check_that_is_no_answer_ends_the_job_with_its_scan_on_record(
    verdict: ChipVerdict,
) -> None:
    chip = FakeChip(looks=scan_of(verdict))
    world, _ = world_with(chip, {Gate.FELICA_RETIRED: False})
    phone = Phone()
    view = await run(world, phone)
    assert (view.outcome, view.reason) == (Outcome.FAILED, ENDS[verdict])
    assert view.disposition is Disposition.HOLD
    [check] = attempts(world, CHECK)
    assert (check["outcome"], check["evidence"]["verdict"]) == (Outcome.FAILED, verdict)
    assert check["evidence"]["polled"] == ["FFFF", "FE00", "0003"]
    assert phone.calls["fill"] == 0
    assert not certified(world)


@pytest.mark.parametrize("verdict", [*ENDS, ChipVerdict.IN_USE])
async def test_a_recheck_that_is_no_answer_ends_the_job_with_its_scan_on_record(
    verdict: ChipVerdict,
) -> None:
    chip = FakeChip(once=[UNUSED, scan_of(verdict)])
    world, _ = world_with(chip)
    view = await run(world)
    reason = {**ENDS, ChipVerdict.IN_USE: Reason.FELICA_RESIDUE}[verdict]
    assert (view.outcome, view.reason) == (Outcome.FAILED, reason)
    [recheck] = attempts(world, RECHECK)
    assert (recheck["outcome"], recheck["evidence"]["verdict"]) == (Outcome.FAILED, verdict)
    assert not certified(world)


async def test_a_provider_that_lies_is_found_out_and_what_is_left_is_named() -> None:
    world, bench = world_with(FakeChip(looks=IN_USE, after_clear=None))
    view = await run(world)
    assert (view.disposition, view.reason) == (Disposition.DESTROY, Reason.FELICA_RESIDUE)
    assert len(bench.orders) == 1
    assert "Suica" in str(ended(world)[0]["detail"])
    assert view.owners == ChipOwners(ja="Suica", en="Suica")
    [recheck] = attempts(world, RECHECK)
    [system] = recheck["evidence"]["systems"]
    assert (system["code"], system["residue"]) == ("0003", ["090F"])
    assert not certified(world)


@pytest.mark.parametrize(
    "second",
    [
        replace(UNUSED, chip=OTHER_CHIP),
        replace(IN_USE, chip=OTHER_CHIP),
        replace(UNUSED, chip=OTHER_CHIP, baseline_kind=BaselineKind.INFERRED),
    ],
)
async def test_a_chip_that_was_swapped_is_not_the_one_that_was_checked(second: ChipScan) -> None:
    world, _ = world_with(FakeChip(once=[IN_USE], looks=second, after_clear=None))
    view = await run(world)
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.FELICA_INCONSISTENT)
    assert Gate.FELICA_ATTEST not in asked(world)
    assert not certified(world)


@pytest.mark.parametrize("changes", [{"chip": None}, {"baseline": None}, {"baseline": ""}])
async def test_unused_without_a_chip_or_a_baseline_is_no_verdict(
    changes: dict[str, object],
) -> None:
    world, _ = world_with(FakeChip(once=[UNUSED], looks=scan_of(ChipVerdict.UNUSED, **changes)))
    view = await run(world)
    assert view.reason is Reason.FELICA_UNREADABLE
    assert not certified(world)


async def test_a_bench_that_looked_too_little_gets_no_certificate() -> None:
    world, _ = world_with(FakeChip(disobeys=True))
    view = await run(world)
    assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.PROOF_INCOMPLETE)
    assert "too few times" in str(ended(world)[0]["detail"])
    assert not certified(world)


@pytest.mark.parametrize("kind", [*BaselineKind, None])
@pytest.mark.parametrize("seen", [True, False])
async def test_only_on_a_baseline_that_nobody_saw_a_person_attests(
    kind: BaselineKind | None, seen: bool
) -> None:
    world, _ = world_with(
        FakeChip(looks=replace(UNUSED, baseline_kind=kind)), {Gate.FELICA_ATTEST: seen}
    )
    view = await run(world)
    needs_person = kind in (BaselineKind.INFERRED, None)
    assert (Gate.FELICA_ATTEST in asked(world)) is needs_person
    if needs_person and not seen:
        assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.FELICA_NOT_ATTESTED)
        [recheck] = attempts(world, RECHECK)
        assert recheck["evidence"]["verdict"] == "unused"
    else:
        assert view.disposition is Disposition.SELLABLE
    assert certified(world) is (seen or not needs_person)


async def test_no_chip_needs_the_handset_and_a_person_beside_the_silence() -> None:
    world, bench = world_with(FakeChip(looks=SILENT))
    view = await run(world, Phone(felica_capable=False))
    assert (view.outcome, view.disposition) == (Outcome.PASSED, Disposition.SELLABLE)
    [check], [clear], [recheck] = (attempts(world, stage) for stage in (CHECK, CLEAR, RECHECK))
    assert (check["evidence"]["verdict"], check["evidence"]["over_the_air"]) == (
        "no_chip",
        "silent",
    )
    assert check["evidence"]["felica_capable"] is False
    assert check["evidence"]["answer"]["operator"] == "Sato"
    assert (clear["outcome"], clear["because"]) == (Outcome.SKIPPED, "no_chip")
    assert recheck["evidence"]["verdict"] == "no_chip"
    assert bench.orders == []


async def test_a_person_who_knows_of_a_chip_makes_silence_a_hold() -> None:
    world, _ = world_with(FakeChip(looks=SILENT), {Gate.FELICA_NO_CHIP: False})
    view = await run(world, Phone(felica_capable=False))
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.FELICA_SILENT)
    assert not certified(world)


@pytest.mark.parametrize("capable", [True, None])
@pytest.mark.parametrize("retired", [True, False])
async def test_silence_of_a_handset_that_may_have_a_chip_never_passes(
    capable: bool | None, retired: bool
) -> None:
    world, _ = world_with(FakeChip(looks=SILENT), {Gate.FELICA_RETIRED: retired})
    view = await run(world, Phone(felica_capable=capable))
    assert (view.disposition, view.reason) == (
        (Disposition.DESTROY, Reason.FELICA_RETIRED)
        if retired
        else (Disposition.HOLD, Reason.FELICA_SILENT)
    )
    assert Gate.FELICA_NO_CHIP not in asked(world)
    assert not certified(world)


@pytest.mark.parametrize("verdict", [v for v in ChipVerdict if v is not ChipVerdict.SILENT])
async def test_no_chip_that_answers_at_the_recheck_after_all_never_passes(
    verdict: ChipVerdict,
) -> None:
    world, _ = world_with(FakeChip(once=[SILENT], looks=scan_of(verdict)))
    view = await run(world, Phone(felica_capable=False))
    assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.FELICA_INCONSISTENT)
    assert not certified(world)


async def test_a_chip_that_falls_silent_after_its_clear_is_held() -> None:
    world, _ = world_with(FakeChip(looks=IN_USE, after_clear=SILENT))
    view = await run(world, Phone(felica_capable=False))
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.FELICA_SILENT)
    assert not certified(world)


CLEARS: dict[str, tuple[list[ClearOutcome], Reason | None]] = {
    "done": ([ClearOutcome.DONE], None),
    # It says that there was nothing to clear, and there still is.
    "already initial": ([ClearOutcome.ALREADY_INITIAL], Reason.FELICA_RESIDUE),
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
    world, bench = world_with(FakeChip(looks=IN_USE, claims=list(claims)))
    view = await run(world)
    assert view.reason is reason
    named = reason in (Reason.FELICA_RESIDUE, Reason.FELICA_NOT_CLEARABLE)
    assert view.owners == (ChipOwners(ja="Suica", en="Suica") if named else None)
    assert len(bench.orders) == len(claims)
    assert certified(world) is (reason is None)
    told = [attempt["evidence"] for attempt in attempts(world, CLEAR)]
    assert all(evidence["consent"] == "Sato" for evidence in told)
    if case != "operator":
        assert [evidence["claim"] for evidence in told] == claims


@pytest.mark.parametrize("cleared", [True, False])
async def test_a_clear_by_hand_is_a_claim_of_the_operator(cleared: bool) -> None:
    chip = FakeChip(once=[IN_USE], claims=[ClearOutcome.NEEDS_OPERATOR])
    world, _ = world_with(chip, {Gate.FELICA_CLEAR: cleared})
    view = await run(world)
    [clear] = attempts(world, CLEAR)
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
    assert certified(world) is cleared


def at_the_kiosk(answers: Mapping[Gate, bool] | None = None) -> tuple[World, FakeChipBench]:
    """A rack that asks for a clear by hand, its operators still away."""
    chip = FakeChip(once=[IN_USE], claims=[ClearOutcome.NEEDS_OPERATOR])
    world, bench = world_with(chip, answers)
    world.silent_in = CLEAR
    return world, bench


async def until_cleared_by_hand(world: World) -> None:
    await world.until(lambda: world.view().stage is CLEAR and world.view().question is not None)


def operators_return(world: World) -> None:
    world.silent_in = None
    world.board.show_unknown_port(world.ports["A1"].port_path, attached=True)


@pytest.mark.parametrize("answered_first", [True, False])
async def test_a_handset_may_be_taken_to_a_kiosk_and_comes_back(answered_first: bool) -> None:
    world, _ = at_the_kiosk()
    phone = Phone()
    known = phone.android_id
    port = world.ports["A1"]
    async with world.running():
        port.plug(phone)
        await until_cleared_by_hand(world)
        port.unplug()
        await anyio.sleep(600)
        assert world.view().state is SlotState.AWAITING_OPERATOR
        if answered_first:
            operators_return(world)
            await world.until_state(SlotState.REPLUGGING)
        port.plug(phone)
        if not answered_first:
            await anyio.sleep(600)
            operators_return(world)
        view = await world.until_state(SlotState.FINISHED)
    assert (view.outcome, view.disposition) == (Outcome.PASSED, Disposition.SELLABLE)
    assert (view.occupancy, phone.calls["fill"]) == (1, 1)
    [clear] = attempts(world, CLEAR)
    assert clear["evidence"]["absent_s"] >= 600
    assert clear["evidence"]["android_id"] == known


SWAPPED = {
    "another serial": {"serial": "OTHER"},
    "another IMEI": {"imei": "490154203237518"},
    # Says the same of itself in all that it's asked for but the id that Android drew.
    "a twin": {"android_id": "bbbb1111bbbb1111"},
    "a twin without an id": {"android_id": ""},
}


@pytest.mark.parametrize("swap", SWAPPED)
async def test_another_handset_from_the_kiosk_is_never_taken_for_the_first(swap: str) -> None:
    world, _ = at_the_kiosk()
    phone = Phone()
    port = world.ports["A1"]
    async with world.running():
        port.plug(phone)
        await until_cleared_by_hand(world)
        port.unplug()
        await anyio.sleep(60)
        port.plug(phone_like(phone, **SWAPPED[swap]))
        operators_return(world)
        view = await world.until_state(SlotState.FINISHED)
    assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.HANDSET_CHANGED)
    assert not certified(world)


async def test_a_twin_is_found_out_by_the_next_attempt_too() -> None:
    async def lost_once(phone: Phone) -> None:
        if phone.calls["reset_facts"] == 1:
            raise HandsetGone("?")

    world, bench = at_the_kiosk()
    phone = Phone()
    port = world.ports["A1"]
    async with world.running():
        port.plug(phone)
        await until_cleared_by_hand(world)
        port.unplug()
        await anyio.sleep(60)
        twin = phone_like(phone, android_id="bbbb1111bbbb1111")
        twin.faults["reset_facts"] = lost_once
        port.plug(twin)
        operators_return(world)
        view = await world.until_state(SlotState.FINISHED)
    assert twin.calls["reset_facts"] == 2
    assert view.reason is Reason.HANDSET_CHANGED
    assert len(bench.orders) == 1
    assert not certified(world)


async def test_a_handset_that_stays_away_ends_its_job_and_the_slot_takes_the_next() -> None:
    world, _ = at_the_kiosk()
    port = world.ports["A1"]
    async with world.running():
        port.plug(Phone())
        await until_cleared_by_hand(world)
        port.unplug()
        operators_return(world)
        view = await world.until_state(SlotState.FINISHED)
        assert (view.disposition, view.reason) == (
            Disposition.HOLD,
            Reason.HANDSET_NOT_RETURNED,
        )
        port.plug(Phone(serial="R5CT10ABCDF"))
        await world.until_state(SlotState.RUNNING)
        view = await world.until_state(SlotState.FINISHED)
        assert (view.occupancy, view.disposition) == (2, Disposition.SELLABLE)


async def test_an_unplug_while_a_provider_clears_aborts_the_job() -> None:
    world, bench = world_with(FakeChip(looks=IN_USE))

    async def for_ever(_order: ClearOrder) -> ClearClaim:
        began.set()
        await anyio.sleep_forever()
        raise AssertionError

    began = anyio.Event()
    bench.clear = for_ever  # type: ignore[method-assign]
    async with world.running():
        world.ports["A1"].plug(Phone())
        await began.wait()
        world.ports["A1"].unplug()
        await world.until_state(SlotState.EMPTY)
    assert ended(world)[0]["outcome"] == Outcome.ABORTED
    assert not certified(world)


async def test_nothing_is_cleared_without_a_consent_on_record() -> None:
    recipe = make_recipe(gates=GatesStage(attest=(Gate.NETWORK, Gate.JPKI)))
    bench = FakeChipBench({"A1": FakeChip(looks=IN_USE)})
    world = World(recipe=recipe, chips=bench)
    view = await run(world)
    assert view.reason is Reason.CONSENT_MISSING
    assert bench.orders == []


async def test_the_intent_to_clear_is_on_record_before_the_provider_hears_of_it() -> None:
    world, bench = world_with(FakeChip(looks=IN_USE))
    known: list[bool] = []
    clear = bench.clear

    async def watched(order: ClearOrder) -> ClearClaim:
        started = [s.entry.data for s in world.journal.of(EntryKind.STAGE_STARTED)]
        known.append(any(d["stage"] == CLEAR and d["destructive"] for d in started))
        return await clear(order)

    bench.clear = watched  # type: ignore[method-assign]
    assert (await run(world)).disposition is Disposition.SELLABLE
    assert known == [True]


@pytest.mark.parametrize("stage", [CHECK, RECHECK])
async def test_a_reader_that_is_gone_is_waited_for_and_costs_no_attempt(stage: StageName) -> None:
    world, bench = world_with(FakeChip(), slots=2)
    async with world.running():
        if stage is RECHECK:
            world.silent_in = StageName.GATES
        world.ports["A1"].plug(Phone())
        world.ports["A2"].plug(Phone())
        if stage is RECHECK:
            await world.until(lambda: world.view().question is not None)
            world.silent_in = None
            world.board.show_unknown_port(world.ports["A1"].port_path, attached=True)
            await world.until(lambda: world.view().stage is StageName.OVERWRITE)
        bench.unplug_reader("A1")
        view = await world.until_state(SlotState.WAITING)
        assert view.stage is stage
        assert view.problem is not None
        assert view.problem.code is ProblemCode.READER_GONE
        assert view.problem.facts == {"reader": "reader of A1"}
        neighbour = await world.until_state(SlotState.FINISHED, "A2")
        assert neighbour.disposition is Disposition.SELLABLE
        await anyio.sleep(7 * 24 * 3600)
        assert world.view().state is SlotState.WAITING
        bench.plug_reader("A1")
        await world.until(lambda: world.view().problem is None)
        view = await world.until_state(SlotState.FINISHED)
        assert (view.outcome, view.disposition) == (Outcome.PASSED, Disposition.SELLABLE)
    lost, passed = attempts(world, stage)[:1], attempts(world, stage)[-1]
    assert [(a["outcome"], a["because"]) for a in lost] == [(Outcome.INTERRUPTED, "reader_gone")]
    assert passed["outcome"] == Outcome.PASSED


async def test_a_reader_that_comes_and_goes_ends_the_job_at_last() -> None:
    world, bench = world_with(FakeChip())

    async def there_for_a_moment(slot: SlotName) -> None:
        await anyio.sleep(1)

    bench.until_there = there_for_a_moment  # type: ignore[method-assign]
    bench.unplug_reader("A1")
    view = await run(world)
    assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.ATTEMPTS_EXHAUSTED)
    assert not certified(world)


async def test_an_unplug_while_the_reader_is_waited_for_aborts_the_job() -> None:
    world, bench = world_with(FakeChip())
    bench.unplug_reader("A1")
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.WAITING)
        world.ports["A1"].unplug()
        await world.until_state(SlotState.EMPTY)
    assert ended(world)[0]["outcome"] == Outcome.ABORTED
    assert not certified(world)


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("stage", [CHECK, RECHECK])
async def test_a_reader_that_stumbles_is_tried_again_and_not_for_ever(
    stage: StageName, times: int
) -> None:
    faults = raised(lambda: ReaderFault("it hung"), times)
    world, _ = world_with(FakeChip(once=[*([UNUSED] if stage is RECHECK else []), *faults]))
    view = await run(world)
    told = attempts(world, stage)
    assert [a["because"] for a in told[:times]] == ["ReaderFault"] * times
    if times < 3:
        assert view.disposition is Disposition.SELLABLE
    else:
        assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.ATTEMPTS_EXHAUSTED)
        assert not certified(world)


async def test_what_an_earlier_attempt_saw_is_not_taken_for_the_next_ones() -> None:
    faults = raised(lambda: ReaderFault("it hung"), 1)
    chip = FakeChip(looks=IN_USE, claims=[ClearOutcome.RETRYABLE], after_clear=None)
    world, bench = world_with(chip)
    view = await run(world)
    assert view.reason is Reason.FELICA_RESIDUE
    first, second = attempts(world, CLEAR)
    assert (first["evidence"]["claim"], second["evidence"]["claim"]) == ("retryable", "done")
    assert len(bench.orders) == 2
    world, _ = world_with(FakeChip(once=[*faults]))
    await run(world)
    assert attempts(world, CHECK)[0]["evidence"] == {}


async def test_what_the_check_saw_is_not_taken_for_a_later_stages() -> None:
    async def lost(_phone: Phone) -> None:
        raise StorageFault("lost")

    world, _ = world_with(FakeChip())
    view = await run(world, Phone(faults={"fill": lost}))
    assert view.reason is Reason.STORAGE_FAULT
    assert [attempt["evidence"] for attempt in attempts(world, StageName.OVERWRITE)] == [{}]


async def test_a_question_that_nobody_answers_in_time_leaves_the_scan_on_record() -> None:
    world, _ = world_with(FakeChip(looks=SILENT))
    world.silent_in = CHECK
    view = await run(world)
    assert view.reason is Reason.STAGE_DEADLINE
    [check] = attempts(world, CHECK)
    assert check["evidence"]["verdict"] == "silent"


async def test_no_other_slot_is_touched() -> None:
    world, bench = world_with(FakeChip(looks=IN_USE), slots=3)
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.FINISHED)
        assert world.view("A2").state is SlotState.EMPTY
    assert {slot for slot, _, _ in bench.scans} == {"A1"}
    assert {order.slot for order in bench.orders} == {"A1"}
    assert [end["disposition"] for end in ended(world)] == [Disposition.SELLABLE]
