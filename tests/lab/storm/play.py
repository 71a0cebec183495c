"""Plays storms in a process of its own, and says what came of them as JSON.

umockdev, which all tests run under, takes /dev/shm for devices; on a disk the ledger's syncs would
be most of the time.
`seeds FIRST COUNT`: each seed's faults. `holes SEED…`: of each hole, in order, whether its storm
breaks its rules with the mend taken out, and which it breaks without.
"""

from __future__ import annotations

import json
import sys

from benchd.lab.storm.storm_folder import leave_house
from benchd.lab.storm.storm_holes import rules_of
from benchd.lab.storm.storm_row_holes import ROW_HOLES
from benchd.lab.storm.storm_run import run_storm
from benchd.lab.storm.storm_schedule import draw
from benchd.lab.storm.storm_search import quiet


def seeds(first: int, count: int) -> dict[str, object]:
    told: dict[str, object] = {}
    for seed in range(first, first + count):
        verdict = run_storm(draw(seed))
        told[str(seed)] = {
            "faults": [str(fault) for fault in verdict.faults],
            "asked": verdict.asked,
            "took_s": verdict.took_s,
            "ends": {slot: [str(each) for each in end] for slot, end in verdict.ends.items()},
        }
    return told


def holes(kept: list[int]) -> dict[str, object]:
    told: dict[str, object] = {}
    for number, (hole, seed) in enumerate(zip(ROW_HOLES, kept, strict=True)):
        storm = draw(seed)
        told[str(number)] = {"shown": hole.is_shown_by(storm), "without": rules_of(storm)}
    return told


def main() -> None:
    quiet()
    what, *numbers = sys.argv[1:]
    given = [int(number) for number in numbers]
    try:
        told = seeds(*given) if what == "seeds" else holes(given)
    finally:
        leave_house()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
