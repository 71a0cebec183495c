"""What the figures of an overwrite and of its read-back have to be, at their very limits."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from benchd.domain.errors import CertificateGap
from benchd.domain.ids import JsonValue
from benchd.domain.job import StageName
from benchd.proof.erasure import verify_erasure
from benchd.proof.evidence.handset_evidence import InitialiseEvidence, InspectEvidence
from benchd.proof.evidence.storage_evidence import OverwriteEvidence, ReadBackEvidence
from benchd.proof.floors import (
    CAPACITY_TOLERANCE,
    LEAST_FREE_DRIFT_BYTES,
    MINIMUM_SAMPLE,
    MINIMUM_SEED_DIGITS,
    MINIMUM_SUBSECTIONS,
    MOST_FREE_DRIFT,
    PLACES_IN_SUBSECTION,
)
from benchd.proof.job_records import stage_records
from benchd.proof.storage_proof import (
    capacities_agree,
    end_gaps,
    most_taken,
    reach_gaps,
    storage_gaps,
    taken_bytes,
)
from tests.certificate.certificate_rack import JOB, records_of_an_erasure

EVIDENCE = {record.stage: record.evidence() for record in stage_records(records_of_an_erasure())}
INSPECT = cast("InspectEvidence", EVIDENCE[StageName.INSPECT])
INITIALISE = cast("InitialiseEvidence", EVIDENCE[StageName.INITIALISE])
OVERWRITE = cast("OverwriteEvidence", EVIDENCE[StageName.OVERWRITE])
READ_BACK = cast("ReadBackEvidence", EVIDENCE[StageName.READ_BACK])
WRITTEN, CAPACITY = OVERWRITE.bytes_written, OVERWRITE.capacity_bytes


def read(**change: Any) -> ReadBackEvidence:  # noqa: ANN401 - any field
    return replace(READ_BACK, **change)


def gaps(read_back: ReadBackEvidence, overwrite: OverwriteEvidence = OVERWRITE) -> list[str]:
    return storage_gaps(INSPECT, overwrite, read_back)


@pytest.mark.parametrize("shown", [WRITTEN - 1, WRITTEN // 2, WRITTEN // 2 + 1, 0, None])
def test_every_byte_that_is_proven_has_to_be_shown(shown: int | None) -> None:
    assert reach_gaps(INSPECT, OVERWRITE, read(bytes_shown=WRITTEN)) == []
    [gap] = reach_gaps(INSPECT, OVERWRITE, read(bytes_shown=shown))
    assert "a cache may have answered" in gap


def reached(inspect: InspectEvidence = INSPECT, **change: Any) -> list[str]:  # noqa: ANN401
    return reach_gaps(inspect, replace(OVERWRITE, **change), READ_BACK)


def test_one_log_is_all_there_is_only_where_hot_and_cold_lie_together() -> None:
    on = {name: replace(INSPECT, file_system=name) for name in ("f2fs", "ext4")}
    assert reached(on["ext4"], logs="one") == []
    assert reached(on["f2fs"], logs="by_name_and_lifetime") == []
    for gap in (*reached(on["f2fs"], logs="one"), *reached(on["ext4"], logs=None)):
        assert "logs of hot and cold data" in gap
    assert len(reached(on["f2fs"], logs="one")) == len(reached(on["ext4"], logs=None)) == 1


def test_what_is_read_says_how_much_and_past_which_cache() -> None:
    """What the host has streamed itself needs no eviction to be seen."""
    told = read(host_past_cache="o_direct")
    assert reach_gaps(INSPECT, replace(OVERWRITE, mode="streamed"), told) == []
    [gap] = reach_gaps(INSPECT, OVERWRITE, told)
    assert "don't follow an eviction" in gap
    assert "read_back: it doesn't say how much was read" in gaps(read(check_mode="some"))


def test_the_two_capacities_may_differ_by_a_file_systems_own_and_no_more() -> None:
    least = (1 - CAPACITY_TOLERANCE) * CAPACITY
    assert capacities_agree(math.ceil(least), CAPACITY)
    assert not capacities_agree(math.ceil(least) - 1, CAPACITY)
    assert capacities_agree(CAPACITY, CAPACITY)
    assert not capacities_agree(CAPACITY + 1, CAPACITY)


@dataclass(frozen=True)
class Sample:
    """A read-back of a sample: a tail that was read whole, and so much of the body."""

    tail: int = 1_000_000_000
    proven_of_body: float = MINIMUM_SAMPLE
    subsections: int = MINIMUM_SUBSECTIONS
    places: int = PLACES_IN_SUBSECTION * MINIMUM_SUBSECTIONS + 2
    missing: int = 0

    def evidence(self) -> ReadBackEvidence:
        body = WRITTEN - self.tail
        # Upwards: the least sample is so large a share, and no byte less.
        sampled = -int(-self.proven_of_body * body // 1)
        return read(
            check_mode="sampled",
            seed="0" * MINIMUM_SEED_DIGITS,
            bytes_proven=self.tail + sampled,
            tail_bytes_proven=self.tail,
            sampled_from_bytes=body - self.missing,
            sample_subsections=self.subsections,
            sample_places=self.places,
        )


TOO_LITTLE = {
    "too few places": Sample(places=Sample.places - 1).evidence(),
    "too few subsections": Sample(subsections=MINIMUM_SUBSECTIONS - 1).evidence(),
    "isn't drawn from all": Sample(missing=1).evidence(),
    "too small": Sample(proven_of_body=MINIMUM_SAMPLE - 0.001).evidence(),
    # One byte more than the body has was never read from it.
    "too small, or more than there was": replace(
        Sample(proven_of_body=1.0).evidence(), bytes_proven=WRITTEN + 1
    ),
    # A tail stands for itself and for nothing of the body.
    "too small, but for its tail": replace(
        Sample(tail=WRITTEN // 2, proven_of_body=0.5).evidence(), bytes_proven=WRITTEN // 2
    ),
}


@pytest.mark.parametrize("told", TOO_LITTLE)
def test_a_smaller_sample_than_the_smallest_is_a_gap(told: str) -> None:
    assert gaps(Sample().evidence()) == gaps(Sample(proven_of_body=1.0).evidence()) == []
    assert any(told.partition(",")[0] in gap for gap in gaps(TOO_LITTLE[told]))


def test_no_capacity_on_record_may_be_less_than_what_is_proven() -> None:
    """The one that inspect was told of, and the one that was found when it was read."""
    small, great = WRITTEN - 1, WRITTEN + 1_000_000
    for told, found in ((small, great), (great, small)):
        inspect = replace(INSPECT, capacity_bytes=told)
        wrong = storage_gaps(inspect, OVERWRITE, read(capacity_bytes=found))
        assert any("the capacity makes no sense" in gap for gap in wrong)


def end(**change: Any) -> list[str]:  # noqa: ANN401 - any field
    return end_gaps(INITIALISE, replace(OVERWRITE, **change))


def test_written_and_free_together_are_the_capacity_but_for_what_the_fill_itself_takes() -> None:
    # What is free at the end was free before; all else is as large as it may be.
    free = 1_000_000
    told = {"free_bytes_before": CAPACITY, "free_bytes_after": free, "reserved_bytes": 0}
    assert not any("no sense" in gap for gap in end(bytes_written=CAPACITY - free, **told))
    assert any("no sense" in gap for gap in end(bytes_written=CAPACITY - free + 1, **told))
    missing = most_taken(CAPACITY) - taken_bytes(INITIALISE, OVERWRITE)
    most = OVERWRITE.reserved_bytes - missing
    assert not any("neither written" in gap for gap in end(reserved_bytes=most))
    assert any("neither written" in gap for gap in end(reserved_bytes=most - 1))


@pytest.mark.parametrize("known", ["bytes_written", "free_bytes_after", "reserved_bytes"])
def test_a_byte_that_is_known_of_is_not_taken(known: str) -> None:
    more = replace(OVERWRITE, **{known: getattr(OVERWRITE, known) + 1})
    assert taken_bytes(INITIALISE, more) == taken_bytes(INITIALISE, OVERWRITE) - 1


FREE = CAPACITY - 40_000_000_000
DRIFT = max(LEAST_FREE_DRIFT_BYTES, int(MOST_FREE_DRIFT * CAPACITY))


@pytest.mark.parametrize(
    ("capacity_bytes", "free_bytes", "agrees"),
    [
        (None, None, True),
        (CAPACITY, FREE, True),
        (CAPACITY + 1024, FREE - DRIFT, True),
        (CAPACITY, FREE + DRIFT, True),
        (CAPACITY + 1025, FREE, False),
        (CAPACITY // 2, FREE, False),
        (CAPACITY * 2, FREE, False),
        (CAPACITY, FREE + DRIFT + 1, False),
        (CAPACITY, FREE - DRIFT - 1, False),
        (CAPACITY, 0, False),
        (0, 0, False),
        (CAPACITY, None, False),
        (None, FREE, False),
        ("1", FREE, False),
        (True, FREE, False),
        (-1, FREE, False),
    ],
)
def test_two_sizes_on_record_are_a_gap_and_what_was_not_told_is_none(
    capacity_bytes: JsonValue, free_bytes: JsonValue, *, agrees: bool
) -> None:
    told = {"statfs_capacity_bytes": capacity_bytes, "statfs_free_bytes": free_bytes}
    with nullcontext() if agrees else pytest.raises(CertificateGap, match="inspect"):
        verify_erasure(JOB, records_of_an_erasure(told))
