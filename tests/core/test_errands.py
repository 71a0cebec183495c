"""The queue: what a person has to do next, in which order, and what never stands in it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from benchd.domain.errand import Errand, ErrandKind, TrayItem
from benchd.domain.errand_priority import bins_of, errands_of
from benchd.domain.ids import JobId, PortPath, SlotName
from benchd.domain.job import Disposition, Gate, Outcome, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot import Away, AwayView, ProblemCode, ProblemView, QuestionView, SlotView
from benchd.domain.slot_states import SlotState

from .world import Phone, World, filling, waiting_recipe

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
A1, A2 = SlotName("A1"), SlotName("A2")
WAITS_FOR_A_REPLUG_S = 60


def of(world: World, *, tray: Sequence[TrayItem] = ()) -> tuple[Errand, ...]:
    return errands_of(world.board.views(), tray=tray)


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_cable_out_is_an_errand_with_its_deadline_until_it_is_back() -> None:
    world, phone = World(recipe=waiting_recipe(WAITS_FOR_A_REPLUG_S)), Phone()
    async with world.running():
        world.ports["A1"].plug(phone)
        with anyio.fail_after(300):
            await filling(phone, 2)
        assert of(world) == ()
        world.ports["A1"].unplug()
        began = anyio.current_time()
        view = await world.until_state(SlotState.REPLUGGING)
        while view.away is None or view.away.until is None:
            view = await world.until_state(SlotState.REPLUGGING)
            await anyio.sleep(0.05)
        (errand,) = of(world)
        assert (errand.kind, errand.slot) == (ErrandKind.REPLUG, "A1")
        assert errand.deadline is not None
        left_s = (errand.deadline - world.clock.now()).total_seconds()
        gone_s = anyio.current_time() - began
        assert left_s + gone_s == pytest.approx(WAITS_FOR_A_REPLUG_S, abs=6)
        world.ports["A1"].plug(phone)
        await world.until_state(SlotState.RUNNING)
        assert of(world) == ()


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_past_its_deadline_the_slot_still_knows_whose_job_it_was() -> None:
    world, phone = World(recipe=waiting_recipe(WAITS_FOR_A_REPLUG_S)), Phone()
    async with world.running():
        world.ports["A1"].plug(phone)
        with anyio.fail_after(300):
            await filling(phone, 2)
        world.ports["A1"].unplug()
        await world.until_state(SlotState.REPLUGGING)
        view = await world.until_state(SlotState.EMPTY)
        (opened,) = world.ledger.of(EntryKind.JOB_OPENED)
        job = opened.entry.job
        assert job is not None
        assert view.last_job == job
        item = TrayItem(job=job, slot=A1, since=NOW)
        (errand,) = of(world, tray=[item])
        assert (errand.kind, errand.slot, errand.here) == (ErrandKind.TRAY, "A1", True)
        # Another handset in that slot: the one that was taken out is still to be found.
        world.ports["A1"].plug(Phone(serial="OTHER", imei=None))
        await world.until_state(SlotState.RUNNING)
        errands = of(world, tray=[item])
        assert [(e.kind, e.here) for e in errands if e.tray] == [(ErrandKind.TRAY, False)]


@pytest.mark.asyncio
@pytest.mark.looptime
@pytest.mark.parametrize("charges", [False, True])
async def test_an_expected_restart_or_charge_is_nobodys_errand(charges: bool) -> None:
    world = World()
    async with world.running():
        if charges:
            world.ports["A1"].plug(Phone(battery_percent=5, charges_percent=1))
            with anyio.fail_after(3600):
                view = await world.until_problem(ProblemCode.LOW_BATTERY)
        else:
            world.ports["A1"].plug(Phone(apps=3))
            view = await world.until_state(SlotState.REPLUGGING)
            assert view.away is not None
            assert view.away.why is Away.RESTARTS
            assert not view.needs_a_person
        assert view.mends_itself
        assert of(world) == ()


# A rack drawn at random, with the errands that its drawer says it has.


def shown(state: SlotState, slot: SlotName = A1, **told: Any) -> SlotView:  # noqa: ANN401
    return SlotView(slot=slot, port_path=PortPath(f"port of {slot}"), state=state, **told)


def asking(gate: Gate) -> QuestionView:
    return QuestionView(gate=gate, facts={})


_PROBLEMS = {
    None: [
        *(ProblemCode.TOO_HOT, ProblemCode.LOW_BATTERY, ProblemCode.OFFLINE),
        *(ProblemCode.ADB_SERVER_DOWN, ProblemCode.DAEMON_DRAINING),
    ],
    "put_right": [ProblemCode.UNAUTHORIZED, ProblemCode.ADB_DISABLED, ProblemCode.READER_GONE],
}
_GATES = {"question": [Gate.NETWORK, Gate.FINAL_RESET], "confirm": [Gate.CONFIRM, Gate.RECHECK]}
_AWAY = {None: [Away.RESTARTS], "replug": [Away.CABLE_OUT, Away.IN_HAND]}
_DRAWN: list[tuple[SlotView, str | None]] = [
    *((shown(state), None) for state in (SlotState.EMPTY, SlotState.SETTLING, SlotState.RUNNING)),
    *(
        (shown(SlotState.WAITING, problem=ProblemView(code=code)), wanted)
        for wanted, codes in _PROBLEMS.items()
        for code in codes
    ),
    *(
        (shown(SlotState.AWAITING_OPERATOR, question=asking(gate)), wanted)
        for wanted, gates in _GATES.items()
        for gate in gates
    ),
    *(
        (shown(SlotState.REPLUGGING, away=AwayView(why=why)), wanted)
        for wanted, reasons in _AWAY.items()
        for why in reasons
    ),
    *(
        (
            shown(SlotState.FINISHED, outcome=Outcome.PASSED, disposition=disposition),
            f"carry to {disposition}",
        )
        for disposition in Disposition
    ),
    (
        shown(
            SlotState.QUARANTINED,
            problem=ProblemView(code=ProblemCode.SLOT_BROKEN),
            question=asking(Gate.NETWORK),
        ),
        "broken",
    ),
]

RANKS = ("replug", "rack", "question|put_right", "confirm", "carry", "broken|port", "tray")


def rank(said: str) -> int:
    return next(n for n, words in enumerate(RANKS) if said.split(maxsplit=1)[0] in words.split("|"))


@pytest.mark.parametrize("seed", range(200))
def test_a_rack_drawn_at_random_has_the_errands_that_were_drawn(seed: int) -> None:
    drawn = random.Random(seed)
    views: dict[SlotName, SlotView] = {}
    wanted: list[tuple[int, datetime, str, str]] = []
    proven = set[JobId]()
    for number in range(drawn.randrange(64)):
        name = SlotName(f"S{number:02d}")
        view, said = drawn.choice(_DRAWN)
        since = NOW + timedelta(seconds=drawn.randrange(100_000), milliseconds=number)
        until = NOW + timedelta(seconds=drawn.randrange(900), milliseconds=number)
        away = replace(view.away, until=until) if view.away else None
        views[name] = replace(view, slot=name, since=since, away=away, stage=StageName.OVERWRITE)
        views[name] = replace(views[name], job=JobId(f"job-{number}"))
        if said == "carry to sellable":
            if drawn.random() < 0.5:
                proven.add(JobId(f"job-{number}"))
            else:
                said = "carry to hold"
        if said:
            wanted.append((rank(said), until if said == "replug" else since, name, said))
    found = errands_of(views, proven=proven)
    told = [
        (e.slot, f"carry to {e.goes}" if e.kind is ErrandKind.CARRY else str(e.kind)) for e in found
    ]
    assert told == [(name, said) for _, _, name, said in sorted(wanted)]
    for disposition, count in bins_of(found).items():
        assert count == sum(said == f"carry to {disposition}" for *_, said in wanted)


def test_item_4_until_when_a_question_waits_is_told_and_orders_nothing() -> None:
    """What has to be put right has no such time, and mustn't come first or last for it."""
    until = NOW + timedelta(hours=1)
    asked = replace(asking(Gate.NETWORK), until=until)
    problem = ProblemView(code=ProblemCode.ADB_DISABLED)
    older, newer = NOW - timedelta(minutes=9), NOW - timedelta(minutes=1)
    for since, kinds in ((older, ["question", "put_right"]), (newer, ["put_right", "question"])):
        between = NOW - timedelta(minutes=5)
        found = errands_of(
            {
                A1: shown(SlotState.WAITING, since=between, problem=problem),
                A2: shown(SlotState.AWAITING_OPERATOR, A2, since=since, question=asked),
            }
        )
        assert [e.kind for e in found] == kinds
        assert {e.kind: e.deadline for e in found} == {"question": until, "put_right": None}


def test_what_is_the_matter_with_the_rack_comes_right_after_cables() -> None:
    views = {
        A1: shown(SlotState.AWAITING_OPERATOR, question=asking(Gate.NETWORK)),
        A2: shown(SlotState.REPLUGGING, A2, away=AwayView(why=Away.CABLE_OUT)),
    }
    notices = [
        ProblemView(code=ProblemCode.DAEMON_DRAINING),
        ProblemView(code=ProblemCode.LEDGER_BROKEN),
    ]
    tray = [TrayItem(job=JobId("j"), slot=A1, since=NOW)]
    found = errands_of(views, ports=[PortPath("r")], notices=notices, tray=tray)
    assert [e.kind for e in found] == ["replug", "rack", "question", "port", "tray"]
