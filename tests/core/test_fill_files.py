"""A storage is filled with a thousand files at most, whatever the recipe says of their size."""

from __future__ import annotations

import pytest

from benchd.domain.fill import MOST_FILES, least_file_bytes
from benchd.pipelines.stages.overwrite import OverwriteStage
from tests.core import world as world_module

from .world import MIB, Phone, World, make_recipe

SMALL = OverwriteStage(file_bytes=4 * MIB)
GB = 10**9
TB = 10**12


async def filled(monkeypatch: pytest.MonkeyPatch, capacity_bytes: int) -> tuple[World, Phone]:
    """A handset of this size that has gone through a recipe with files of 4 MiB."""
    monkeypatch.setattr(world_module, "CAPACITY", capacity_bytes // 4096 * 4096)
    world, phone = World(recipe=make_recipe(overwrite=SMALL)), Phone()
    world.file_bytes = max(4 * MIB, least_file_bytes(capacity_bytes))
    await world.sells(phone)
    return world, phone


@pytest.mark.looptime
@pytest.mark.asyncio
@pytest.mark.parametrize("capacity_bytes", [60 * GB, 256 * GB, TB])
async def test_row_11_an_honest_handset_with_small_files_ends_sellable(
    monkeypatch: pytest.MonkeyPatch, capacity_bytes: int
) -> None:
    """Fifteen thousand files of 4 MiB were a record too large, after the whole fill."""
    _, phone = await filled(monkeypatch, capacity_bytes)
    [body] = [order for order in phone.checked if not order.files[0].is_tail]
    assert 700 < len(body.files) < MOST_FILES
    assert len({order.file_bytes for order in phone.filled}) == 1


@pytest.mark.looptime
@pytest.mark.asyncio
async def test_a_small_storage_has_the_files_that_the_recipe_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, phone = await filled(monkeypatch, 64 * MIB)
    assert [order.file_bytes for order in phone.filled] == [4 * MIB]


@pytest.mark.parametrize("capacity_bytes", [1, 64 * MIB, 60 * GB, 128 * GB, TB, 900 << 40])
def test_the_least_size_leaves_room_for_what_is_no_body_file(capacity_bytes: int) -> None:
    least = least_file_bytes(capacity_bytes)
    assert least % MIB == 0
    assert capacity_bytes / least <= MOST_FILES - 200
