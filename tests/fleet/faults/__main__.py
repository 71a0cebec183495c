"""`scripts/fleet-faults`: play seeds, say what each drew, and which of them broke a rule."""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from tests.fleet.faults import engine_play, engine_schedule, play, schedule
from tests.fleet.faults.engine_schedule import EngineFault
from tests.fleet.faults.network import enter_own_network, in_own_network
from tests.fleet.faults.played_fleet import Played
from tests.fleet.high_availability import say

SEEDS = 5
SHOWN_LINES = 40

Play = Callable[[int, Path], Awaitable[Played]]


@dataclass(frozen=True)
class Stage:
    """Where seeds are played, and what they may draw."""

    faults: Iterable[str]
    draw: Callable[[int], Sequence[str]]
    made: Callable[[], AbstractContextManager[Play]]
    seeds: int
    """As many on one; after one that broke something the next has a new one as well."""


@contextmanager
def on_loopback() -> Generator[Play]:
    with play.machines() as shared:
        yield lambda seed, folder: play.play(seed, shared, folder)


def on_engine(planted: dict[str, str], alone: Sequence[str]) -> Stage:
    chosen = [EngineFault[name] for name in alone]

    def draw(seed: int) -> Sequence[EngineFault]:
        return chosen or engine_schedule.draw(seed)

    @contextmanager
    def made() -> Generator[Play]:
        with engine_play.engine_machines(planted) as shared:
            anyio.run(engine_play.begin, shared)
            yield lambda seed, folder: engine_play.play(seed, draw(seed), shared, folder)

    return Stage(EngineFault, draw, made, 12)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/fleet-faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"how many (default {SEEDS})")
    parser.add_argument("--start", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, default=None, help="this one alone")
    parser.add_argument(
        "--engine",
        action="store_true",
        help="against configs/fleet/ on three machines in network namespaces",
    )
    parser.add_argument(
        "--planted",
        action="append",
        default=[],
        metavar="OLD=>NEW",
        help="a change of configs/fleet/ that has to be noticed (with --engine)",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        choices=[fault.name for fault in EngineFault],
        help="this one in place of what is drawn (with --engine)",
    )
    asked = parser.parse_args()
    if asked.engine and not in_own_network():
        enter_own_network()
    planted = dict(each.split("=>", 1) for each in asked.planted)
    stage = (
        on_engine(planted, asked.fault)
        if asked.engine
        else Stage(schedule.Fault, schedule.draw, on_loopback, 25)
    )
    first, count = (asked.start, asked.seeds) if asked.seed is None else (asked.seed, 1)
    return played_on(stage, [*range(first, first + count)])


def played_on(stage: Stage, left: list[int]) -> int:
    count, broken, faults = len(left), list[int](), Counter[str]()
    while left:
        with stage.made() as play_one:
            for seed in left[: stage.seeds]:
                left.remove(seed)
                faults.update(stage.draw(seed))
                if not kept_to_rules(stage, play_one, seed):
                    broken.append(seed)
                    break
    drawn = ", ".join(f"{fault} {faults[fault]}" for fault in stage.faults)
    say(f"{count} seeds played, {len(broken)} broke a rule {broken or ''}", f"drawn: {drawn}")
    return 1 if broken else 0


def kept_to_rules(stage: Stage, play_one: Play, seed: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="benchd-faults-") as folder:
        try:
            say(str(anyio.run(play_one, seed, Path(folder))))
        except Exception:  # noqa: BLE001 - whatever it is, it is told
            say(f"seed {seed} BROKE A RULE: {'; '.join(stage.draw(seed))}")
            traceback.print_exc(file=sys.stdout)
            for log in sorted(Path(folder).glob("*.log")):
                say(f"== {log.name}", *log.read_text(errors="replace").splitlines()[-SHOWN_LINES:])
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
