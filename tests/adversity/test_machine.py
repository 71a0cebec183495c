"""The machine itself: it plays the same twice, sees what is planted, and makes short what fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.lab.adversity.drawing import draw
from benchd.lab.adversity.fresh_pictures import LIES, with_picture
from benchd.lab.adversity.kinds import REFUSED, ChipState, Kind, Lie, Owner, Picture
from benchd.lab.adversity.mutations import HOLES
from benchd.lab.adversity.pasting import as_text, from_file, from_text, leave
from benchd.lab.adversity.processes import search_in_processes
from benchd.lab.adversity.referee import Fault, untrue_of_erased, untrue_of_named
from benchd.lab.adversity.rows import ONE_STAY
from benchd.lab.adversity.schedule import BayPlan, Blow, HandsetPlan, Schedule
from benchd.lab.adversity.schedule_run import run_schedule
from benchd.lab.adversity.search import Found, Tally, faults_of, search
from benchd.lab.adversity.shrinking import shrunk
from benchd.lab.adversity.truth import OWNER, REACHABLE, make_truth
from benchd.lab.adversity.virtual_time import EverybodyWaitsError, run_in_virtual_time

PLAIN = HandsetPlan()


def rack(*blows: Blow, handset: HandsetPlan = PLAIN, reader: bool = True) -> Schedule:
    bay = BayPlan(slot="A1", handset=handset, reader=reader)
    return Schedule(seed=1, bays=(bay,), blows=blows)


def blow(kind: Kind, point: str, lasts_s: float = 1.0, nth: int = 1) -> Blow:
    return Blow(slot="A1", point=point, nth=nth, kind=kind, lasts_s=lasts_s)


def test_a_night_takes_no_time_and_timers_go_off_in_order() -> None:
    woken: list[float] = []

    async def sleeper(seconds: float) -> None:
        await anyio.sleep(seconds)
        woken.append(anyio.current_time())

    async def night() -> float:
        async with anyio.create_task_group() as group:
            for seconds in (30_000.0, 0.5, 7.0):
                group.start_soon(sleeper, seconds)
        return anyio.current_time()

    assert run_in_virtual_time(night) == pytest.approx(30_000.0)
    assert woken == [pytest.approx(s) for s in (0.5, 7.0, 30_000.0)]


def test_a_loop_that_nothing_can_wake_says_so() -> None:
    async def for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(EverybodyWaitsError):
        run_in_virtual_time(for_ever)


@pytest.mark.parametrize("seed", [5, 12, 31])
def test_a_seed_is_the_same_storm_each_time(seed: int) -> None:
    assert draw(seed) == draw(seed)
    assert run_schedule(draw(seed)) == run_schedule(draw(seed))


def test_what_is_cancelled_together_hears_of_it_in_the_order_of_its_begin() -> None:
    """By the addresses of tasks and scopes, a seed was another storm in each process."""
    heard: list[int] = []

    async def waits(number: int) -> None:
        with anyio.CancelScope():
            try:
                await anyio.sleep_forever()
            finally:
                heard.append(number)

    async def cancelled() -> None:
        async with anyio.create_task_group() as group:
            for number in range(100):
                group.start_soon(waits, number)
            await anyio.sleep(1)
            group.cancel_scope.cancel()

    run_in_virtual_time(cancelled)
    assert heard == [*range(100)]


def test_a_schedule_is_the_same_after_it_was_written_down() -> None:
    for seed in range(50):
        assert from_text(as_text(draw(seed))) == draw(seed)


def test_a_cable_that_flaps_as_the_job_ends_is_a_new_plug() -> None:
    verdict = run_schedule(rack(blow(Kind.FLAP, "kept:stage_ended:certify")))
    assert verdict.faults == ()
    assert [end.disposition for end in verdict.ends].count("sellable") == 2


def test_a_handset_that_is_certified_again_in_its_port_is_a_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forgotten(*_: object) -> None: ...

    monkeypatch.setattr("benchd.slots.slot_task.continued_from", forgotten)
    verdict = run_schedule(rack(blow(Kind.CRASH, "kept:job_ended")))
    assert ONE_STAY in {fault.rule for fault in verdict.faults}


@pytest.mark.parametrize("owner", [Owner.RESET, Owner.APPS])
@pytest.mark.parametrize("chip", [ChipState.UNUSED, ChipState.IN_USE, ChipState.ABSENT])
def test_an_honest_handset_in_fair_weather_is_sold(owner: Owner, chip: ChipState) -> None:
    verdict = run_schedule(rack(handset=HandsetPlan(owner=owner, chip=chip)))
    assert verdict.faults == ()
    assert [end.disposition for end in verdict.ends] == ["sellable"]


@pytest.mark.parametrize(
    "lie",
    [Lie.PROGRAM, Lie.FLASH, Lie.DD, Lie.IMEI, Lie.PROVIDER, Lie.SHORT_FILL, Lie.BASELINE],
)
def test_a_single_lie_is_held_and_no_fault(lie: Lie) -> None:
    verdict = run_schedule(
        rack(handset=HandsetPlan(lie=lie, chip=ChipState.IN_USE, tells_imei=True))
    )
    assert verdict.faults == ()
    assert verdict.sellable == 0


@pytest.mark.parametrize("kind", LIES)
def test_a_lying_fresh_picture_excuses_nothing(kind: Picture) -> None:
    """What its owner has left is reset away first, or the handset is held."""
    bay = with_picture(BayPlan(slot="A1", handset=PLAIN), kind)
    assert bay.handset.owner is Owner.QUIET
    verdict = run_schedule(Schedule(seed=1, bays=(bay,), blows=()))
    assert verdict.faults == ()
    assert verdict.sellable == (kind not in REFUSED)
    if kind in REFUSED:
        assert {end.disposition for end in verdict.ends} == {"hold"}


@pytest.mark.parametrize("owner", [Owner.RESET, Owner.PHOTOS, Owner.APPS])
def test_a_true_fresh_picture_sells_what_nothing_else_would(owner: Owner) -> None:
    """Its system makes an account and brings an app along, after each reset too."""
    bay = BayPlan(slot="A1", handset=HandsetPlan(owner=owner))
    verdict = run_schedule(Schedule(seed=1, bays=(with_picture(bay, Picture.TRUE),), blows=()))
    assert verdict.faults == ()
    assert verdict.sellable == 1


def test_every_kind_of_picture_is_drawn() -> None:
    drawn = {bay.picture for seed in range(1500) for bay in draw(seed).bays}
    assert drawn == set(Picture)


@pytest.mark.parametrize(
    "struck",
    [
        blow(Kind.CRASH, "fill_step", 40.0, nth=3),
        blow(Kind.CRASH, "kept:job_ended"),
        blow(Kind.LEDGER_FAULT, "stage_ended:read_back"),
        blow(Kind.LEDGER_SLOW, "stage_started:certify", 400.0),
        blow(Kind.STOP, "reset_away"),
        blow(Kind.DRAIN, "asked:network"),
        blow(Kind.RELOAD, "check"),
        blow(Kind.SERVER_DEATH, "check", 90.0),
        blow(Kind.READER_GONE, "stage_started:felica_recheck", 90.0),
        blow(Kind.PULL, "asked:confirm", 5.0),
        blow(Kind.HANG, "sample", 400.0),
        blow(Kind.CLOCK_JUMP, "fill", -100_000.0),
        blow(Kind.SAME_PERSON, "asked:confirm"),
        blow(Kind.CHIP_EXCHANGED, "stage_started:felica_recheck", 5.0),
        blow(Kind.CHIP_EXCHANGED, "asked:observe", 25.0),
        blow(Kind.CRASH, "kept:decision:confirm"),
        blow(Kind.REWRITTEN_END, "asked:confirm"),
        blow(Kind.REWRITTEN_END, "asked:observe", 90.0),
        blow(Kind.REWRITTEN_JOB, "stage_started:certify"),
        blow(Kind.ROLLBACK, "stage_ended:felica_recheck"),
    ],
    ids=lambda struck: f"{struck.kind} at {struck.point}",
)
def test_what_mends_itself_strikes_and_is_got_over(struck: Blow) -> None:
    verdict = run_schedule(rack(struck))
    assert verdict.struck == (struck,)
    assert verdict.faults == ()
    assert verdict.sellable == 1


@pytest.mark.parametrize("kind", [Kind.REWRITTEN_END, Kind.REWRITTEN_JOB, Kind.ROLLBACK])
@pytest.mark.parametrize("anchored", [False, True])
def test_what_is_done_to_the_file_at_a_crash_is_settled_too(kind: Kind, anchored: bool) -> None:
    struck = (blow(kind, "job_ended"), blow(Kind.CRASH, "job_ended", 5.0))
    verdict = run_schedule(replace(rack(*struck), anchored=anchored))
    assert verdict.struck == struck
    assert verdict.faults == ()
    assert verdict.sellable == 1


def test_the_referee_sees_what_is_left_on_a_handset() -> None:
    truth = make_truth(HandsetPlan(owner=Owner.APPS), name="one", like="one")
    assert len(untrue_of_erased(truth, "key")) == 3
    truth.reset(keeps_adb=False)
    for extent in REACHABLE:
        truth.contents[extent] = "key"
    assert untrue_of_erased(truth, "key") == []
    truth.contents[REACHABLE[-1]] = OWNER
    [fault] = untrue_of_erased(truth, "key")
    assert fault == "1 extents weren't overwritten, 1 of them the owner's"


def test_the_referee_reads_names_on_a_certificate() -> None:
    truth = make_truth(PLAIN, name="one", like="one")
    twin = make_truth(PLAIN, name="other", like="one")
    assert (twin.serial, twin.model) == (truth.serial, truth.model)
    assert twin.imei != truth.imei
    named = {"serial": truth.serial, "model": truth.model, "imei": truth.imei}
    assert untrue_of_named(truth, {"predicate": {"handset": named}}) == []
    assert len(untrue_of_named(twin, {"predicate": {"handset": named}})) == 1


def test_a_schedule_is_made_as_short_as_its_fault_allows() -> None:
    needed = blow(Kind.PULL, "fill_step")
    long = replace(draw(11), blows=(*draw(11).blows, needed, blow(Kind.HANG, "check")))
    short = shrunk(long, lambda schedule: any(b.point == "fill_step" for b in schedule.blows))
    assert short.blows == (needed,)
    assert [bay.slot for bay in short.bays] == ["A1"]


def test_a_search_in_processes_sees_what_one_in_a_row_sees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("benchd.lab.adversity.processes.BLOCK", 3)
    alone, side_by_side = Tally(), Tally()
    assert not [*search(iter(range(8)), alone)]
    assert not [*search_in_processes(iter(range(8)), side_by_side, 2)]
    assert replace(side_by_side, took_s=0.0) == replace(alone, took_s=0.0)


def test_what_is_found_is_left_as_a_schedule_and_a_test_to_paste(tmp_path: Path) -> None:
    schedule = rack(blow(Kind.PULL, "fill_step"))
    fault = Fault(rule="sellable means erased", slot="A1", detail="a file")
    left = leave(Found(seed=4711, schedule=schedule, faults=(fault,)), tmp_path / "found")
    assert from_file(left) == schedule
    pasted: dict[str, Any] = {"from_text": from_text, "faults_of": faults_of}
    exec(left.with_suffix(".py").read_text(), pasted)  # noqa: S102 - it is there to be pasted
    pasted["test_seed_4711"]()


def test_a_hole_is_open_only_as_long_as_it_is_held_open() -> None:
    [believed] = [hole for hole in HOLES if "program alone" in hole.says]
    schedule = rack(handset=HandsetPlan(lie=Lie.PROGRAM))
    assert faults_of(schedule) == ()
    with believed.opened():
        assert faults_of(schedule) != ()
    assert faults_of(schedule) == ()
    assert believed.swallows(schedule)
    assert faults_of(schedule) == ()
