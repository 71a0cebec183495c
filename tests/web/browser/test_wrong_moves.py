"""A shift at one screen with wrong moves, drawn by seed, between the right ones.

Nothing is lost, nothing is sent unasked, each refusal tells its cause, and no secret leaves its
place. `WRONG_MOVES_SEEDS=7,8,9` draws others than CI does, `WRONG_MOVES=0` works the shift without
any; with -s it shows what was played, and what a handset costs a person.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import anyio
import pytest
from at_work import Asked, AtWork
from carrying import carry
from chromium import Visits, needs_chromium
from playwright.async_api import Error as NotDone
from referee import HEARS, Referee, secrets_of
from test_shift_by_keyboard import be_patient
from wrong_moves import MOVES, When, WrongMove

from benchd.domain.ids import JsonValue
from benchd.domain.job import Gate
from benchd.lab.demo import lot
from benchd.lab.demo.crew import CREW, WORKER
from benchd.lab.demo.demo_operators import ended
from benchd.lab.demo.demo_rack import DemoRack, Placed, demo_rack, loopback_listener
from benchd.lab.demo.demo_run import as_expected, result_of
from benchd.lab.simulator.scenarios import SCENARIOS, Scenario
from benchd.texts.catalogue import Catalogue, Texts
from tests.free_port import free_port

pytestmark = [
    pytest.mark.rack,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(1500),
    needs_chromium,
]

WITHIN_S = 1300
IN_CI = int(os.environ.get("WRONG_MOVES", "12"))
AT_ONE_QUESTION = 3
IN_TIME_S = 3.0
"""Of the five seconds in which an answer is taken back; the rest is for whatever is done then."""
BY_ONE_HANDSET = ("clean", "felica-in-use", "jpki-unattested", "clean")
SEEDS = [int(seed) for seed in os.environ.get("WRONG_MOVES_SEEDS", "1").split(",")]
NIGHTLY = [] if "WRONG_MOVES_SEEDS" in os.environ else [2, 3, 4]


class Deck:
    """The wrong moves that may come, in the order in which this seed has shuffled them.

    With a lot from its other end: so a few with and a few without are different ones.
    """

    def __init__(self, draw: Random, enough: int, *, with_lot: bool) -> None:
        self.enough = enough
        self.at_once = max(AT_ONE_QUESTION, enough // 6)
        self.left = draw.sample(MOVES, len(MOVES))[:: -1 if with_lot else 1]
        self.played: list[str] = []

    def take(self, asked: Asked) -> WrongMove | None:
        if len(self.played) >= self.enough:
            return None
        move = next((one for one in self.left if one.suits(asked)), None)
        if move is not None:
            self.left.remove(move)
            self.played.append(f"{move.name} ({asked.slot} {asked.gate})")
        return move


async def prepare(at: AtWork, move: WrongMove, asked: Asked) -> bool:
    """Bring onto the screen what is there when it happens."""
    await at.at_the_wall(None if move.when is When.LOCKED else asked.who)
    match move.when:
        case When.LOCKED:
            await at.press("F9")
            return (await at.until(lambda s: not s.who)).who == ""
        case When.ELSEWHERE:
            await at.seen.go("board?lang=ja")
            await at.until(lambda s: s.is_here(asked.who))
            return True
        case When.ASKED:
            return await at.open(asked)
        case When.HELD:
            given = await at.open(asked) and await at.give(asked)
            # A key so soon before others is a reader's too, and undone.
            await at.rest(0.6)
            return given
        case _:
            return True


async def play(at: AtWork, move: WrongMove, asked: Asked) -> None:
    referee = at.referee
    at.right, referee.doing = False, f"{move.name} at {asked.slot} {asked.gate}"
    try:
        if not await prepare(at, move, asked):
            if await at.still(asked):
                referee.fault(f"not begun: {await at.all_told()}")
            return
        await at.forget()
        # Who is too slow has let the answer go: then it was meant.
        late = move.when is When.HELD and time.monotonic() - at.given_at > IN_TIME_S
        counts = await move.do(at, asked)
        told = await at.told(*move.told) if move.told else None
        if move.told and counts is not False and not late:
            referee.must(told, f"no cause told, but {await at.heard()!r}")
        await referee.search(at.page)
        if move.sent or (late and not told):
            await at.gone(asked)
        else:
            sight = await at.look()
            referee.must(not sight.held, f"an answer waits that nobody gives: {sight}")
    except (AssertionError, NotDone) as error:
        referee.fault(f"{type(error).__name__}: {str(error).splitlines()[0]} {await at.look()}")
    finally:
        at.right, referee.doing = True, "right"


async def work(at: AtWork, deck: Deck, draw: Random, seed: int) -> None:
    """Question by question, until the rack has nothing left to do."""
    here = WORKER
    while True:
        names = [one.slot for one in at.rack.placed]
        if all(ended(at.rack.watch.slots[name]) for name in names):
            return
        found = [
            asked
            for placed in at.rack.placed
            if (
                asked := await at.asked(
                    placed, Random(f"{seed} {placed.slot} {gate_of(at, placed)}")
                )
            )
        ]
        if not found:
            await at.rack.watch.next_look()
            continue
        # Whoever is there does theirs first.
        found.sort(key=lambda asked: asked.who is not here)
        asked = found[0]
        here = asked.who
        for _ in range(draw.randint(1, deck.at_once)):
            if await at.still(asked) and (move := deck.take(asked)):
                await play(at, move, asked)
                await at.rack.watch.next_look()
        if await at.still(asked):
            await at.at_the_wall(asked.who)
            await at.answer(asked)
            await settled(at, asked)


async def settled(at: AtWork, asked: Asked) -> None:
    """The rack has heard it: what was asked isn't asked any more."""
    with anyio.move_on_after(20):
        while await at.still(asked):
            await at.rack.watch.next_look()


def gate_of(at: AtWork, placed: Placed) -> object:
    question = at.rack.watch.slots[placed.slot]["question"]
    return question["gate"] if isinstance(question, dict) else None


@asynccontextmanager
async def at_one_screen(
    visit: Visits, rack: DemoRack, port: int, *, with_lot: bool
) -> AsyncGenerator[AtWork]:
    texts = {key: told.ja for key, told in rack_texts().items()}
    async with visit(f"http://127.0.0.1:{port}/?lang=ja", refused=True) as seen:
        at = AtWork(seen, rack, texts, Referee(secrets_of(*CREW)), with_lot)
        at.referee.watch(seen)
        await seen.page.context.expose_function("tellDialog", lambda: at.count("dialogs"))
        await seen.page.context.add_init_script(HEARS)
        await seen.page.reload()
        await seen.live()
        yield at
        # What the browser says of each refusal that the page tells too.
        seen.complaints[:] = [one for one in seen.complaints if "Failed to load" not in one]


async def records_of(rack: DemoRack) -> dict[str, list[Any]]:
    """All answers that the daemon has on record, by slot."""
    found: dict[str, list[Any]] = {}
    for told in await rack.watch.jobs():
        job: Mapping[str, Any] = await rack.watch.job(str(told["job"]))
        found.setdefault(str(told["slot"]), []).extend(job["decisions"])
    return found


def scenarios_of(*, with_lot: bool) -> list[Scenario]:
    if with_lot:
        return lot.lot_scenarios(4)
    return [SCENARIOS[name] for name in BY_ONE_HANDSET]


@pytest.mark.parametrize("with_lot", [False, True], ids=["without a lot", "with a lot"])
@pytest.mark.parametrize(
    ("seed", "enough"),
    [
        *(pytest.param(seed, IN_CI, marks=pytest.mark.slow) for seed in SEEDS),
        *(pytest.param(seed, len(MOVES), marks=pytest.mark.nightly) for seed in NIGHTLY),
    ],
)
async def test_wrong_moves_lose_nothing_send_nothing_and_are_told_why(
    tmp_path: Path,
    visit: Visits,
    seed: int,
    enough: int,
    *,
    with_lot: bool,
) -> None:
    draw, port = Random(seed), free_port()
    deck = Deck(draw, enough, with_lot=with_lot)
    results: list[dict[str, JsonValue]] = []
    with loopback_listener(port) as listener:
        async with demo_rack(
            tmp_path, scenarios_of(with_lot=with_lot), port=port, plugged=False
        ) as rack:
            be_patient(rack)
            await lot._capture_baseline(rack)
            await rack.start_daemon(listener)
            if with_lot:
                await lot._take_in(rack)
            async with at_one_screen(visit, rack, port, with_lot=with_lot) as at:
                for placed in rack.placed:
                    await rack.hands.plug(placed.slot, placed.number)
                async with anyio.create_task_group() as group:
                    group.start_soon(rack.operators().assist)
                    group.start_soon(rack.must_live)
                    with anyio.fail_after(WITHIN_S):
                        await work(at, deck, draw, seed)
                        results = [await result_of(rack, placed) for placed in rack.placed]
                        if not with_lot:
                            await carry(at, rack.placed[2])
                    group.cancel_scope.cancel()
                faults = [*at.referee.faults, *at.referee.compare(await records_of(rack))]
                tell(at, deck, faults, seed)
                ends = zip(results, rack.placed, strict=True)
                assert [one for one, its in ends if not as_expected(one, its.scenario)] == []
    assert faults == []
    assert len(deck.played) >= min(enough, 20)
    assert {one.gate for one in at.referee.answers} >= {Gate.OBSERVE, Gate.CONFIRM}


def rack_texts() -> dict[str, Texts]:
    """Every text of the catalogue by its key."""
    return Catalogue.load()._texts


def tell(at: AtWork, deck: Deck, faults: list[str], seed: int) -> None:
    handsets = len(at.rack.placed)
    counted = {what: round(number / handsets, 1) for what, number in sorted(at.counted.items())}
    answers = round(len(at.referee.answers) / handsets, 1)
    sys.stdout.write(
        f"\nseed {seed}, {'with' if at.with_lot else 'without'} a lot: {handsets} handsets,"
        f" {len(deck.played)} wrong moves, {len(at.referee.answers)} answers\n"
        f"for each handset: {answers} answers, {counted}\n"
        + "".join(f"  played {one}\n" for one in deck.played)
        + "".join(f"  FAULT {one}\n" for one in faults)
    )
