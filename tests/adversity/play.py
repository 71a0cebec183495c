"""Plays seeds in a process of its own and says what came of them as JSON.

umockdev, which all tests run under, takes /dev/shm for devices; on a disk the ledger's syncs
would be most of the time.
"""

from __future__ import annotations

import json
import logging
import sys

import structlog

from benchd.lab.adversity.search import Tally, faults_of, schedules_of


def main(first: int, seeds: int) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    tally = Tally()
    faults: dict[int, list[str]] = {}
    for seed in range(first, first + seeds):
        broken = [each for schedule in schedules_of(seed) for each in faults_of(schedule, tally)]
        if broken:
            faults[seed] = [str(fault) for fault in broken]
    said = {
        "faults": faults,
        "handsets": tally.handsets,
        "sellable": tally.sellable,
        "doomed": tally.doomed,
    }
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
