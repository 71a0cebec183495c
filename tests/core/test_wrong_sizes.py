"""A catalogue of models can only hold a handset: nothing passes that wouldn't without it."""

from __future__ import annotations

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as some

from benchd.domain.job import Disposition, Outcome, Reason
from benchd.proof.capacity import is_clearly_less, is_clearly_more, nominal_size
from benchd.proof.floors import LOWEST_SHARE_OF_NOMINAL

from .catalogues import catalogue, model
from .world import MIB, Phone, World, ending

BY_SIZE = {Reason.CAPACITY_BELOW_NOMINAL, Reason.CAPACITY_ABOVE_NOMINAL}

SIZES = some.lists(some.integers(1, 256 * MIB), max_size=4).map(tuple)
FAULTS = some.sampled_from(
    (
        {},
        {"battery_percent": 12},
        {"removable_media": True},
        {"accounts": 1},
        {"crypto_state": "unencrypted"},
        {"written_share": 0.5},
        {"bad_bytes": 4096},
        {"reset_lies": True},
        {"imei": None},
    )
)


@pytest.mark.asyncio
@pytest.mark.looptime
@settings(max_examples=60, deadline=None)
@given(sizes=SIZES, changes=FAULTS)
@example(sizes=(64 * MIB,), changes={})
@example(sizes=(32 * MIB,), changes={})
@example(sizes=(256 * MIB,), changes={})
async def test_whatever_stands_in_it_a_handset_ends_as_without_it_or_is_held(
    sizes: tuple[int, ...], changes: dict[str, object]
) -> None:
    without = ending(await World().end_of(Phone(**changes)))  # type: ignore[arg-type]
    world = World(models=catalogue(model("SO-51C", storage_bytes=sizes)))
    told = ending(await world.end_of(Phone(**changes)))  # type: ignore[arg-type]
    event(str(told[2]))
    if told != without:
        assert told[:2] == (Outcome.FAILED, Disposition.HOLD)
        assert told[2] in BY_SIZE
        assert not world.issuer.kept


GB = 1_000_000_000
REAL = some.integers(8, 1024).map(lambda size: size * GB)


@given(nominal=REAL, share=some.floats(0.01, 4), others=some.lists(REAL, max_size=3))
def test_what_is_far_from_every_size_is_held(nominal: int, share: float, others: list[int]) -> None:
    capacity = int(nominal * share)
    sizes = (nominal, *others)
    chosen = nominal_size(capacity, sizes)
    assert chosen is not None
    assert chosen in sizes
    held = is_clearly_less(capacity, chosen) or is_clearly_more(capacity, chosen)
    if all(capacity < size * 0.5 or capacity > size * 1.2 for size in sizes):
        assert held


@given(size=REAL, share=some.floats(LOWEST_SHARE_OF_NOMINAL + 0.01, 1), others=some.lists(REAL))
def test_what_any_size_explains_is_not_held_whatever_else_it_is_sold_with(
    size: int, share: float, others: list[int]
) -> None:
    capacity = int(size * share)
    chosen = nominal_size(capacity, [*others, size])
    assert chosen is not None
    assert not is_clearly_less(capacity, chosen)
    assert not is_clearly_more(capacity, chosen)
