"""One lie of a handset's system at a time, and the other answer that catches it.

A system that lies in all answers at once can't be caught by software that runs on it; the
certificate says so, which `tests/certificate` holds.
"""

from __future__ import annotations

import pytest

from benchd.domain.errors import CertificateGap
from benchd.domain.job import Reason, StageName
from benchd.proof.erasure import verify_erasure

from .test_erasure import JOB, changed, good_records
from .world import CAPACITY, Phone, World

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

SHOWN_LESS = {
    "a cache may have answered for one byte": (StageName.READ_BACK, {"bytes_shown": 1}),
    "nobody says what was shown": (StageName.READ_BACK, {"bytes_shown": None}),
    "the host's samples follow no eviction": (
        StageName.READ_BACK,
        {"host_past_cache": "o_direct"},
    ),
    "one log of f2fs was filled": (StageName.OVERWRITE, {"logs": "one"}),
    "nobody says which logs were filled": (StageName.OVERWRITE, {"logs": None}),
}


@pytest.mark.parametrize("lie", SHOWN_LESS)
async def test_rows_6_and_7_what_is_assumed_and_not_shown_is_a_gap(lie: str) -> None:
    stage, change = SHOWN_LESS[lie]
    with pytest.raises(CertificateGap):
        verify_erasure(JOB, changed(await good_records(), stage, change))


CAUGHT = {
    "the program reads nothing, dd answers as it should": {"bad_bytes": CAPACITY // 2},
    "the program says all is there, dd shows otherwise": {"sample_differs": True},
    "df tells of half the capacity": {"df_capacity_bytes": CAPACITY // 2},
    "df tells of twice the capacity": {"df_capacity_bytes": 2 * CAPACITY},
    "df tells of a capacity that just takes what was written": {
        "df_capacity_bytes": int(0.95 * CAPACITY),
        "written_share": 0.92,
    },
    "files are said to be deleted and still take their room": {"keeps_files": True},
}


@pytest.mark.parametrize("lie", CAUGHT)
async def test_row_5_a_single_lie_is_caught(lie: str) -> None:
    of_storage = {"bad_bytes", "sample_differs"} & CAUGHT[lie].keys()
    reason = Reason.STORAGE_FAULT if of_storage else Reason.PROOF_INCOMPLETE
    await World().refuses(Phone(**CAUGHT[lie]), reason)  # type: ignore[arg-type]


PROVEN_FALSE: dict[str, tuple[StageName, dict[str, object], str]] = {
    "df told of less": (
        StageName.INSPECT,
        {"capacity_bytes": int(0.97 * CAPACITY)},
        "another capacity",
    ),
    "df told of more": (StageName.INSPECT, {"capacity_bytes": CAPACITY + 1}, "smaller"),
    "nothing says that the files were deleted": (
        StageName.READ_BACK,
        {"files_removed": None, "free_bytes_after_drop": None},
        "deleted",
    ),
    "the files still take their room": (
        StageName.READ_BACK,
        {"free_bytes_after_drop": CAPACITY // 2},
        "deleted",
    ),
}


@pytest.mark.parametrize("lie", PROVEN_FALSE)
async def test_row_5_the_proof_finds_it_whatever_the_stage_has_let_through(lie: str) -> None:
    stage, change, told = PROVEN_FALSE[lie]
    with pytest.raises(CertificateGap, match=told):
        verify_erasure(JOB, changed(await good_records(), stage, change))


async def test_a_capacity_that_a_new_file_system_may_have_made_is_no_lie() -> None:
    change = {"capacity_bytes": int(0.99 * CAPACITY)}
    assert verify_erasure(JOB, changed(await good_records(), StageName.INSPECT, change))


@pytest.mark.parametrize("trim", ["done", "not_allowed", "failed", "made up"])
async def test_nothing_rests_on_a_trim_that_is_claimed(trim: str) -> None:
    claimed = {"trim": trim, "trimmed_bytes": 1 << 50}
    good = await good_records()
    told = verify_erasure(JOB, changed(good, StageName.READ_BACK, claimed))
    assert told.evidence.overwrite == verify_erasure(JOB, good).evidence.overwrite
