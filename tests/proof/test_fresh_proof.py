"""That a handset arrived reset is shown by what it counts itself, and by nothing that is absent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchd.domain.handset import ResetFacts
from benchd.proof.evidence.handset_evidence import InitialiseEvidence
from benchd.proof.floors import MOST_S_SINCE_SHOWN_RESET
from benchd.proof.fresh_proof import freshness_gaps, traces_of_use

CAPACITY = 64_000_000_000
FRESH = ResetFacts(
    android_id="1122334455667788",
    account_count=0,
    user_ids=(0,),
    used_bytes=900_000_000,
    third_party_packages=0,
    boot_count=1,
    test_harness=False,
    owner_files=0,
    call_count=0,
    contact_count=0,
    message_count=0,
    up_s=MOST_S_SINCE_SHOWN_RESET,
)
ARRIVED = InitialiseEvidence(before=FRESH, fresh_used_bytes=2_000_000_000)


def test_the_first_start_after_a_reset_within_a_day_shows_it() -> None:
    assert freshness_gaps(ARRIVED, CAPACITY) == []


LIES = {
    "a second start": ({"boot_count": 2}, "first start"),
    "no starts counted": ({"boot_count": None}, "starts since its last reset can't be counted"),
    "no start at all": ({"boot_count": 0}, "first start"),
    "older than a day": ({"up_s": MOST_S_SINCE_SHOWN_RESET + 1}, "within a day"),
    "not said since when": ({"up_s": None}, "within a day"),
}


@pytest.mark.parametrize("lie", LIES)
def test_careless_nothing_else_shows_that_it_arrived_reset(lie: str) -> None:
    changes, told = LIES[lie]
    evidence = replace(ARRIVED, before=replace(FRESH, **changes))  # pyright: ignore[reportArgumentType]
    gaps = freshness_gaps(evidence, CAPACITY)
    assert any(told in gap for gap in gaps), gaps
    # Whoever was reset here shows it by what the reset has changed.
    reset_here = replace(evidence, after=evidence.before)
    assert freshness_gaps(reset_here, CAPACITY) == []


def test_item_7_what_is_in_use_names_the_reserve_of_a_file_system_that_counts_it() -> None:
    used = f"{FRESH.used_bytes} bytes in use, 1 are allowed"
    assert traces_of_use(FRESH, 1, file_system="ext4") == [used]
    [named] = traces_of_use(FRESH, 1, file_system="f2fs")
    assert named == f"{used} (f2fs counts its own reserve as in use)"
