"""`scripts/fleet-faults`: play seeds, say what each drew, and which of them broke a rule."""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

import anyio

from tests.fleet.faults.play import machines, play
from tests.fleet.faults.schedule import Fault, draw
from tests.fleet.high_availability import say

SEEDS = 5
ON_ONE_ENGINE = 25
"""Seeds; after one that broke something the next has a new engine as well."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/fleet-faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"how many (default {SEEDS})")
    parser.add_argument("--start", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, default=None, help="this one alone")
    asked = parser.parse_args()
    left = (
        [asked.seed] if asked.seed is not None else [*range(asked.start, asked.start + asked.seeds)]
    )
    count, broken, faults = len(left), list[int](), Counter[Fault]()
    while left:
        with machines() as shared:
            for seed in left[:ON_ONE_ENGINE]:
                left.remove(seed)
                faults.update(draw(seed))
                with tempfile.TemporaryDirectory(prefix="benchd-faults-") as folder:
                    try:
                        say(str(anyio.run(play, seed, shared, Path(folder))))
                    except Exception:  # noqa: BLE001 - whatever it is, it is told
                        broken.append(seed)
                        say(f"seed {seed} BROKE A RULE: {'; '.join(draw(seed))}")
                        traceback.print_exc(file=sys.stdout)
                        break
                sys.stdout.flush()
    drawn = ", ".join(f"{fault} {faults[fault]}" for fault in Fault)
    say(f"{count} seeds played, {len(broken)} broke a rule {broken or ''}", f"drawn: {drawn}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
