"""Faults by the seed against a whole fleet; the referees share no code with it.

Another seed, or many: scripts/fleet-faults. At night there are 200, each night others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet.faults.play import Machines, machines, play
from tests.fleet.faults.schedule import FROM_ANY_BATCH, Fault, draw
from tests.fleet.high_availability import say


@pytest.fixture(scope="module")
def shared() -> Iterator[Machines]:
    with machines() as made:
        yield made


@pytest.mark.timeout(120)
@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(FROM_ANY_BATCH))
async def test_the_centre_has_the_union_and_every_fork_is_told(
    seed: int, shared: Machines, tmp_path: Path
) -> None:
    played = await play(seed, shared, tmp_path)
    say(str(played))
    assert played.acknowledged > len(played.faults)
    assert played.answers


@pytest.mark.parametrize("first", [0, 5, 1000])
def test_five_seeds_have_every_fault(first: int) -> None:
    drawn = {fault for seed in range(first, first + FROM_ANY_BATCH) for fault in draw(seed)}
    assert drawn == set(Fault)
    assert draw(first) == draw(first)
    assert draw(first) != draw(first + 1)
