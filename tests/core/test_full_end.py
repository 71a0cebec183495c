"""A fill counts only if it ended because the storage was full, not by a quota before that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from benchd.domain.errors import CertificateGap, StageFailed
from benchd.domain.fill import ENDED_BY_QUOTA
from benchd.domain.job import Disposition, Reason, StageName
from benchd.pipelines.recipe import Recipe
from benchd.pipelines.stages.read_back import ReadBackStage
from benchd.proof.erasure import verify_erasure
from benchd.proof.floors import (
    LEAST_FREE_AFTER_FILL_BYTES,
    LOWEST_MINIMUM_COVERAGE,
    MOST_FREE_AFTER_FILL_BYTES,
    MOST_TAKEN_BY_FILL,
)
from benchd.proof.storage_proof import end_gaps, most_free_after_fill

from .test_erasure import JOB, changed, good_records
from .test_faults import raising
from .world import CAPACITY, MIB, Phone, World, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

LEAST = LEAST_FREE_AFTER_FILL_BYTES
BEHIND_QUOTA = int(0.11 * CAPACITY)


def least_coverage() -> Recipe:
    return make_recipe(read_back=ReadBackStage(minimum_coverage=LOWEST_MINIMUM_COVERAGE))


async def test_row_4_a_fill_that_leaves_room_is_refused_at_once() -> None:
    world = World(recipe=least_coverage())
    phone = Phone(written_share=0.85, free_after_fill_bytes=BEHIND_QUOTA)
    view = await world.refuses(phone, Reason.COVERAGE_TOO_LOW)
    assert view.disposition is Disposition.HOLD
    [attempt] = world.attempts(StageName.OVERWRITE)
    assert attempt["detail"] == (
        f"{BEHIND_QUOTA} bytes are still free after the fill, {LEAST} may be"
    )
    assert attempt["evidence"]["free_bytes_after"] == BEHIND_QUOTA
    assert not phone.calls["check"]
    assert not world.issuer.kept


async def test_row_4_room_that_is_gone_without_a_trace_is_refused_at_once() -> None:
    """A system that calls what lies behind its quota neither free nor in use."""
    world = World(recipe=least_coverage())
    phone = Phone(written_share=0.85)
    await world.refuses(phone, Reason.COVERAGE_TOO_LOW)
    [attempt] = world.attempts(StageName.OVERWRITE)
    assert "came into use beside what was written" in attempt["detail"]
    assert not phone.calls["check"]


async def test_row_4_a_quota_is_an_outcome_of_its_own() -> None:
    world = World(recipe=least_coverage())
    quota = raising(lambda: StageFailed(Reason.STORAGE_QUOTA, ENDED_BY_QUOTA))
    view = await world.refuses(Phone(faults={"fill": quota}), Reason.STORAGE_QUOTA)
    assert view.disposition is Disposition.HOLD
    assert not world.issuer.kept


@pytest.mark.parametrize("free", [0, LEAST])
async def test_an_honest_handset_s_last_gaps_cost_it_nothing(free: int) -> None:
    await World(recipe=least_coverage()).sells(Phone(written_share=0.9, free_after_fill_bytes=free))


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
    with pytest.raises(CertificateGap, match=told):
        verify_erasure(
            JOB, changed(await good_records(), StageName.OVERWRITE, {"free_bytes_after": free})
        )


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
