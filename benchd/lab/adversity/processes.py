"""A search over several processes: blocks of seeds, each with its tally."""

from __future__ import annotations

import gc
import itertools
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final, TypeAlias

import structlog

from benchd.lab.adversity.referee import Fault
from benchd.lab.adversity.schedule import Schedule
from benchd.lab.adversity.search import Tally, search

BLOCK: Final = 50
"""Seeds of one turn: some ten seconds."""

Broken: TypeAlias = tuple[int, Schedule, tuple[Fault, ...]]


def search_in_processes(
    seeds: Iterator[int],
    tally: Tally,
    processes: int,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Broken]:
    """The same as `search`, in the order of the seeds; a block that has begun is played whole."""
    running: deque[Future[tuple[Tally, list[Broken]]]] = deque()
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=quiet) as pool:
        while True:
            while len(running) < 2 * processes and not stop():
                block = tuple(itertools.islice(seeds, BLOCK))
                if not block:
                    break
                running.append(pool.submit(_played, block))
            if not running:
                return
            played, broken = running.popleft().result()
            tally.add(played)
            yield from broken


def quiet() -> None:
    """What the core has to say about each blow isn't wanted, and costs a third of the time."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    gc.freeze()


def _played(seeds: Sequence[int]) -> tuple[Tally, list[Broken]]:
    tally = Tally()
    return tally, list(itertools.islice(search(iter(seeds), tally), 1))
