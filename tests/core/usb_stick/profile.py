"""What a stick has to show: two stages, with what they saw and what that is held to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchd.domain.evidence_values import Positive, Whole
from benchd.domain.ids import DeviceKind, JobId
from benchd.domain.job import StageName
from benchd.domain.record import StoredEntry
from benchd.proof.erasure import DeviceCase, DeviceProfile, VerifiedErasure, verify_by

STICK: Final = DeviceKind("usb_stick")
STICK_WIPE: Final = StageName("stick_wipe")
STICK_VERIFY: Final = StageName("stick_verify")
LEAST_PASSES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class WipeEvidence:
    """How often all of it was written."""

    capacity_bytes: Positive
    passes: Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyEvidence:
    """What was read of it."""

    bytes_read: Whole
    bytes_other: Whole


def _gaps_of(case: DeviceCase) -> Iterator[str]:
    wipe = case.stages[STICK_WIPE].evidence_as(WipeEvidence)
    verify = case.stages[STICK_VERIFY].evidence_as(VerifyEvidence)
    if wipe.passes < LEAST_PASSES:
        yield "stick_wipe: it was written too seldom"
    if verify.bytes_read != wipe.capacity_bytes:
        yield "stick_verify: not all of it was read"
    if verify.bytes_other:
        yield "stick_verify: something else was read than was written"


def _verify(
    job: JobId,
    records: Sequence[StoredEntry],
    intake: Sequence[StoredEntry],
    others: Sequence[StoredEntry],
) -> VerifiedErasure:
    del intake, others
    return verify_by(STICK_PROFILE, job, records, _gaps_of)


STICK_PROFILE: Final = DeviceProfile(
    kind=STICK,
    required_stages=(STICK_WIPE, STICK_VERIFY),
    method="Overwrite",
    verify=_verify,
)
