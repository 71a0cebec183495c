"""A few hundred seeds of the machine; nightly and by hand it looks at many more."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from benchd.lab.adversity.search import Tally, faults_of, schedules_of

ROOT = Path(__file__).parents[2]
SEEDS_OF_A_TEST = 25
FIRST = range(0, 3000, 500)
LEAST_SELLABLE = 0.3


@pytest.mark.parametrize("first", FIRST)
def test_no_seed_breaks_a_rule(first: int) -> None:
    played = subprocess.run(
        [sys.executable, "-m", __name__, str(first)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "LD_PRELOAD"},
        check=True,
        capture_output=True,
        text=True,
    )
    said = json.loads(played.stdout)
    # Each can be played again: scripts/adversity --seed NUMBER
    assert said["faults"] == {}
    # A benchd that holds everything breaks no rule either.
    assert said["sellable"] >= LEAST_SELLABLE * said["handsets"]
    assert said["doomed"] == 0


def main(first: int) -> None:
    """Play the seeds from this one on and say what came of them as JSON.

    In a process of its own: umockdev, which all tests run under, takes /dev/shm for devices; on a
    disk the ledger's syncs would be most of the time.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    tally = Tally()
    faults: dict[int, list[str]] = {}
    for seed in range(first, first + SEEDS_OF_A_TEST):
        broken = [each for schedule in schedules_of(seed) for each in faults_of(schedule, tally)]
        if broken:
            faults[seed] = [str(fault) for fault in broken]
    counted = {name: getattr(tally, name) for name in ("handsets", "sellable", "doomed")}
    sys.stdout.write(json.dumps({"faults": faults, **counted}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
