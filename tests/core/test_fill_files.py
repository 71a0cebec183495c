"""A fill counts if it ended because all was full, whatever the recipe says of its files' size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from benchd.domain.errors import CertificateGap, StageFailed
from benchd.domain.fill import ENDED_BY_QUOTA, MOST_FILES, least_file_bytes
from benchd.domain.job import Disposition, Reason, StageName
from benchd.pipelines.stages.overwrite import OverwriteStage
from benchd.pipelines.stages.read_back import ReadBackStage
from benchd.proof.erasure import verify_erasure
from benchd.proof.floors import (
    LEAST_FREE_AFTER_FILL_BYTES,
    LOWEST_MINIMUM_COVERAGE,
    MOST_FREE_AFTER_FILL_BYTES,
    MOST_TAKEN_BY_FILL,
)
from benchd.proof.storage_proof import end_gaps, most_free_after_fill
from tests.core import world as world_module

from .test_erasure import JOB, changed, good_records
from .world import CAPACITY, MIB, Phone, World, failing, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

SMALL = OverwriteStage(file_bytes=4 * MIB)
GB = 10**9
TB = 10**12
LEAST = LEAST_FREE_AFTER_FILL_BYTES
BEHIND_QUOTA = int(0.11 * CAPACITY)


# A thousand files at most


@pytest.mark.parametrize("capacity_bytes", [64 * MIB, 60 * GB, 256 * GB, TB])
async def test_row_11_an_honest_handset_with_small_files_ends_sellable(
    monkeypatch: pytest.MonkeyPatch, capacity_bytes: int
) -> None:
    """Fifteen thousand files of 4 MiB were a record too large, after the whole fill."""
    monkeypatch.setattr(world_module, "CAPACITY", capacity_bytes // 4096 * 4096)
    world, phone = World(recipe=make_recipe(overwrite=SMALL)), Phone()
    world.file_bytes = max(4 * MIB, least_file_bytes(capacity_bytes))
    await world.sells(phone)
    if capacity_bytes < GB:
        assert [order.file_bytes for order in phone.filled] == [4 * MIB]
        return
    assert len({order.file_bytes for order in phone.filled}) == 1
    [body] = [order for order in phone.checked if not order.files[0].is_tail]
    assert 700 < len(body.files) < MOST_FILES


@pytest.mark.parametrize("capacity_bytes", [1, 64 * MIB, 60 * GB, 128 * GB, TB, 900 << 40])
async def test_the_least_size_leaves_room_for_what_is_no_body_file(capacity_bytes: int) -> None:
    least = least_file_bytes(capacity_bytes)
    assert least % MIB == 0
    assert capacity_bytes / least <= MOST_FILES - 200


# Full, and not ended by a quota before that


def least_coverage() -> World:
    stage = ReadBackStage(minimum_coverage=LOWEST_MINIMUM_COVERAGE)
    return World(recipe=make_recipe(read_back=stage))


@pytest.mark.parametrize(
    ("free", "said"),
    [
        (BEHIND_QUOTA, f"{BEHIND_QUOTA} bytes are still free after the fill, {LEAST} may be"),
        # A system that calls what lies behind its quota neither free nor in use.
        (0, "came into use beside what was written"),
    ],
    ids=["it leaves room", "the room is gone without a trace"],
)
async def test_row_4_a_fill_that_is_not_all_is_refused_at_once(free: int, said: str) -> None:
    world, phone = least_coverage(), Phone(written_share=0.85, free_after_fill_bytes=free)
    view = await world.refuses(phone, Reason.COVERAGE_TOO_LOW)
    assert view.disposition is Disposition.HOLD
    [attempt] = world.attempts(StageName.OVERWRITE)
    assert (attempt["detail"] == said) if free else (said in attempt["detail"])
    assert attempt["evidence"]["free_bytes_after"] == free
    assert not phone.calls["check"]


async def test_row_4_a_quota_is_an_outcome_of_its_own() -> None:
    quota = failing("fill", StageFailed(Reason.STORAGE_QUOTA, ENDED_BY_QUOTA))
    view = await least_coverage().refuses(Phone(faults=quota), Reason.STORAGE_QUOTA)
    assert view.disposition is Disposition.HOLD


@pytest.mark.parametrize("free", [0, LEAST])
async def test_an_honest_handset_s_last_gaps_cost_it_nothing(free: int) -> None:
    await least_coverage().sells(Phone(written_share=0.9, free_after_fill_bytes=free))


LIES: Mapping[str, tuple[object, str]] = {
    "as much as a quota leaves": (BEHIND_QUOTA, "more than its last gaps"),
    "one byte too much": (LEAST + 1, "more than its last gaps"),
    "more than was free before": (CAPACITY - MIB, "makes no sense"),
    "more than there is": (CAPACITY + 1, "makes no sense"),
    "less than none": (-1, "free_bytes_after isn't a whole number"),
    "a part of a byte": (0.5, "free_bytes_after isn't a whole number"),
    "as a text": ("0", "free_bytes_after isn't a whole number"),
    "nothing": (None, "free_bytes_after isn't a whole number"),
    "not at all": (..., "free_bytes_after"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_row_4_the_proof_holds_what_is_free_to_its_floor(lie: str) -> None:
    free, told = LIES[lie]
    records = changed(await good_records(), StageName.OVERWRITE, {"free_bytes_after": free})
    with pytest.raises(CertificateGap, match=told):
        verify_erasure(JOB, records)


async def test_row_4_what_is_free_can_t_be_said_to_be_less_than_the_sum_leaves() -> None:
    """The room has to be somewhere: written, free, reserved, or in use."""
    proven = verify_erasure(JOB, await good_records()).evidence
    overwrite, initialise = proven.overwrite, proven.initialise
    assert not end_gaps(initialise, overwrite)
    hidden = int((MOST_TAKEN_BY_FILL + 0.01) * CAPACITY)
    unused = replace(initialise, after=replace(initialise.left, used_bytes=0))
    lied = replace(
        overwrite,
        bytes_written=CAPACITY - hidden - overwrite.reserved_bytes,
        free_bytes_after=0,
    )
    assert "neither written, nor free, nor in use" in "; ".join(end_gaps(unused, lied))


@pytest.mark.parametrize(
    ("capacity", "most"),
    [
        (64 * MIB, LEAST),
        (1 << 30, (1 << 30) // 100),
        (10_000_000_000, 100_000_000),
        (52 << 30, MOST_FREE_AFTER_FILL_BYTES),
        (1 << 40, MOST_FREE_AFTER_FILL_BYTES),
    ],
)
async def test_the_floor_follows_the_size_up_to_a_limit(capacity: int, most: int) -> None:
    assert most_free_after_fill(capacity) == most
