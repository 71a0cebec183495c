"""Two sizes of one storage on record are a gap, and one that only `df` told is none."""

from __future__ import annotations

import pytest

from benchd.domain.errors import CertificateGap
from benchd.domain.ids import JsonValue
from benchd.proof.erasure import verify_erasure
from benchd.proof.floors import LEAST_FREE_DRIFT_BYTES, MOST_FREE_DRIFT
from tests.certificate.certificate_rack import CAPACITY, JOB, records_of_an_erasure

FREE = CAPACITY - 40_000_000_000
DRIFT = max(LEAST_FREE_DRIFT_BYTES, int(MOST_FREE_DRIFT * CAPACITY))


def verify(capacity_bytes: JsonValue, free_bytes: JsonValue) -> None:
    told = {"statfs_capacity_bytes": capacity_bytes, "statfs_free_bytes": free_bytes}
    verify_erasure(JOB, records_of_an_erasure(told))


@pytest.mark.parametrize(
    "told",
    [(None, None), (CAPACITY, FREE), (CAPACITY + 1024, FREE - DRIFT), (CAPACITY, FREE + DRIFT)],
)
def test_what_agrees_and_what_was_not_told_is_no_gap(told: tuple[int | None, int | None]) -> None:
    verify(*told)


@pytest.mark.parametrize(
    "told",
    [
        (CAPACITY + 1025, FREE),
        (CAPACITY // 2, FREE),
        (CAPACITY * 2, FREE),
        (CAPACITY, FREE + DRIFT + 1),
        (CAPACITY, FREE - DRIFT - 1),
        (CAPACITY, 0),
        (0, 0),
        (CAPACITY, None),
        (None, FREE),
        ("1", FREE),
        (True, FREE),
        (-1, FREE),
    ],
)
def test_two_sizes_are_a_gap(told: tuple[JsonValue, JsonValue]) -> None:
    with pytest.raises(CertificateGap, match="inspect"):
        verify(*told)
