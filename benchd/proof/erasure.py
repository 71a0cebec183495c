"""From a job's records to the one value that a certificate can be made of.

`verify_erasure` reads what the ledger holds of a handset, nothing else, and refuses every gap;
`verify_drawn_erasure` does so for a job that was drawn, with its recheck, and `verify_by` for
devices of other kinds by their profile. Only they can make a `VerifiedErasure`, and only a
`VerifiedErasure` can be certified.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from benchd.domain.errors import CertificateGap
from benchd.domain.ids import ANDROID, DeviceKind, JobId
from benchd.domain.job import Gate, StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.erasure_case import ErasureCase, judged
from benchd.proof.identity.same_handset import Handsets
from benchd.proof.identity.sighting import sighting_of, sightings_in
from benchd.proof.identity.unresolved_jobs import identity_gaps
from benchd.proof.job_records import (
    DecisionRecord,
    StageRecord,
    decisions,
    kind_gaps,
    stage_records,
)
from benchd.proof.objections import Stay, gaps_since, stay_of_drawn
from benchd.proof.other_racks_proof import last_asked, other_racks_gaps
from benchd.proof.recheck_draw import RECHECK_STILL_DUE, draw_gaps, draw_in, share_of
from benchd.proof.recheck_proof import DrawnErasure, VerifiedRecheck, up_to_end, verify_recheck
from benchd.proof.separation_of_duties import touchers_of
from benchd.proof.stage_order import (
    REQUIRED_APPROVALS,
    REQUIRED_STAGES,
    SKIPPABLE,
    approval_gaps,
    stage_gaps,
)
from benchd.proof.typed_network import typed_gaps

METHOD: Final = "Clear"
"""An overwrite of flash through its controller is never more than that (SP 800-88, IEEE 2883)."""
Records = Sequence[StoredEntry]
_SEAL: Final = object()


class VerifiedErasure:
    """The proof of one erasure without a gap; can be made in this file alone."""

    __slots__ = ("answers", "job", "kind", "method", "recheck", "records", "stages")

    def __init__(
        self,
        seal: object,
        *,
        job: JobId,
        profile: DeviceProfile,
        case: DeviceCase | ErasureCase,
        records: Sequence[StoredEntry],
        recheck: VerifiedRecheck | None = None,
    ) -> None:
        if seal is not _SEAL:
            message = "a VerifiedErasure comes from verify_erasure or verify_by only"
            raise TypeError(message)
        self.job = job
        self.kind = profile.kind
        self.method = profile.method
        """The method of erasure that a certificate may name."""
        self.stages = case.stages
        """The last attempt of each stage."""
        self.answers = case.answers
        self.recheck = recheck
        """The independent recheck that vouches for it, where it was drawn."""
        self.records = (*records, *(recheck.records if recheck else ()))

    @property
    def others_asked_at(self) -> datetime | None:
        """When the centre last answered right before this certificate; None where it didn't.

        Before that of a drawn job its recheck asks: the job's own question was another day's.
        """
        if self.recheck is None:
            return last_asked(self.records, StageName.CERTIFY)
        return last_asked(self.recheck.records, StageName.CERTIFY_DRAWN)

    def evidence_digest(self) -> str:
        """SHA-256 over the chain hashes of all the records that this proof rests on, as hex."""
        return digest_of(self.records)


class HandsetErasure(VerifiedErasure):
    """The same of a handset over adb."""

    __slots__ = ("binding", "draw", "evidence", "former_imeis", "intake", "read_twice")

    def __init__(
        self,
        seal: object,
        *,
        job: JobId,
        case: ErasureCase,
        records: Sequence[StoredEntry],
        former_imeis: frozenset[str],
        recheck: VerifiedRecheck | None = None,
    ) -> None:
        super().__init__(
            seal, job=job, profile=ANDROID_PROFILE, case=case, records=records, recheck=recheck
        )
        self.evidence = case.evidence
        self.binding = case.binding
        """What tied the handset to itself."""
        self.intake = case.intake
        """Which asset it is, and what was settled without asking."""
        self.read_twice = case.read_twice
        """The IMEIs that two people have read on its screen, the second after its last reset."""
        self.former_imeis = former_imeis
        """Those that it had before a repair, by the answer of somebody in charge."""
        self.draw = draw_in(records)
        """Whether it was drawn for a recheck; None where nobody had to draw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceProfile:
    """What a kind of device has to show before it counts as erased, and what may be said then."""

    kind: DeviceKind
    required_stages: tuple[StageName, ...]
    """An erasure is these, in this order; a recipe that leaves one out can't be certified."""
    required_approvals: tuple[Gate, ...] = ()
    """What a person has to approve in every job."""
    skippable: Mapping[StageName, frozenset[str]] = field(
        default_factory=dict[StageName, frozenset[str]]
    )
    """Which stages may be skipped, and for which reasons only."""
    method: str
    """The method of erasure that its certificate may name."""
    verify: Callable[[JobId, Records, Records, Records], VerifiedErasure]
    """Holds a job's records to the kind's floors, by those of intake from its lot on and those of
    the device's other jobs; raises CertificateGap with all that is missing."""

    def __post_init__(self) -> None:
        if not self.required_stages or not self.method.strip():
            message = f"{self.kind}: a profile without a stage or a method proves nothing"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCase:
    """What a job's records say of a device where no stage of its profile is missing."""

    stages: Mapping[StageName, StageRecord]
    """The last attempt of each stage."""
    answers: Sequence[DecisionRecord]


def digest_of(records: Iterable[StoredEntry]) -> str:
    """SHA-256 over the chain hashes of these records, as hex."""
    digest = hashlib.sha256()
    for record in records:
        digest.update(bytes.fromhex(record.hash_hex))
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobHeld:
    """A job with all records that the ledger holds of it."""

    job: JobId
    records: Sequence[StoredEntry]


def verify_by(
    profile: DeviceProfile,
    job: JobId,
    records: Sequence[StoredEntry],
    gaps_of: Callable[[DeviceCase], Iterable[str]],
) -> VerifiedErasure:
    """The proof by a profile that isn't Android's, else CertificateGap with all that is missing.

    `gaps_of` weighs what the stages saw; it may raise CertificateGap too.
    """
    gaps = kind_gaps(profile.kind, records)
    if profile.kind == ANDROID:
        gaps.append("only verify_erasure proves the erasure of a handset")
    if not any(record.entry.kind is EntryKind.JOB_OPENED for record in records):
        gaps.append("job_opened: there is no record of it")
    if any(record.entry.job != job for record in records):
        gaps.append("a record is of another job")
    if gaps:
        raise CertificateGap(tuple(gaps))
    attempts = stage_records(records)
    case = DeviceCase(
        stages={attempt.stage: attempt for attempt in attempts}, answers=decisions(records)
    )
    missing = [stage for stage in profile.required_stages if stage not in case.stages]
    gaps = [f"{stage}: there is no record of it" for stage in missing]
    gaps += stage_gaps(case.stages, profile.required_stages, profile.skippable)
    gaps += approval_gaps(case.answers, required=profile.required_approvals)
    if share_of(records) or draw_in(records) is not None:
        gaps.append("recheck: only handsets are drawn for one")
    try:
        gaps += [] if missing else gaps_of(case)
    except CertificateGap as gap:
        raise CertificateGap((*gaps, *gap.missing)) from gap
    if gaps:
        raise CertificateGap(tuple(gaps))
    return VerifiedErasure(_SEAL, job=job, profile=profile, case=case, records=records)


def verify_erasure(
    job: JobId,
    records: Sequence[StoredEntry],
    intake: Sequence[StoredEntry] = (),
    others: Sequence[StoredEntry] = (),
) -> HandsetErasure:
    """The proof that a handset's records hold, else CertificateGap with all that is missing.

    `intake` are the ledger's records of intake from the job's lot on: what a gate cites is
    believed only of them. `others` are those of the handset's other jobs: what they owe counts.
    """
    handsets = Handsets(sighting_of(job, records), sightings_in(others))
    case, gaps = judged(job, records, intake, handsets)
    gaps += [*_since(_stay_of(case, records), intake), *identity_gaps(handsets)]
    gaps += other_racks_gaps(records)
    gaps += draw_gaps(job, records, others)
    gaps += _typed(job, case, records, others)
    if gaps:
        raise CertificateGap(tuple(gaps))
    return HandsetErasure(
        _SEAL, job=job, case=case, records=records, former_imeis=handsets.former_imeis
    )


def verify_drawn_erasure(
    drawn: JobHeld, recheck: JobHeld, intake: Sequence[StoredEntry], others: Sequence[StoredEntry]
) -> HandsetErasure:
    """The same of a job that was drawn, by its own records and those of its recheck."""
    records = up_to_end(drawn.records)
    handsets = Handsets(sighting_of(drawn.job, records), sightings_in(others))
    if of_others := kind_gaps(ANDROID, recheck.records):
        raise CertificateGap(tuple(of_others))
    case, gaps = judged(drawn.job, records, intake, handsets)
    gaps += _since(stay_of_drawn(drawn.job, records), intake)
    gaps += _typed(drawn.job, case, records, others)
    gaps += other_racks_gaps([*records, *recheck.records])
    due = draw_gaps(drawn.job, records, others)
    gaps += [gap for gap in due if gap != RECHECK_STILL_DUE]
    if RECHECK_STILL_DUE not in due:
        gaps.append("recheck: the job that it is for wasn't drawn")
    told = DrawnErasure(job=drawn.job, records=records, touchers=touchers_of(records, intake))
    try:
        verified = verify_recheck(told, recheck.job, recheck.records, [*drawn.records, *others])
    except CertificateGap as gap:
        raise CertificateGap((*gaps, *gap.missing)) from gap
    if gaps:
        raise CertificateGap(tuple(gaps))
    return HandsetErasure(
        _SEAL,
        job=drawn.job,
        case=case,
        records=records,
        former_imeis=handsets.former_imeis,
        recheck=verified,
    )


def _typed(
    job: JobId, case: ErasureCase, records: Sequence[StoredEntry], others: Sequence[StoredEntry]
) -> list[str]:
    return list(typed_gaps(job, records, others, case.intake.book))


def _stay_of(case: ErasureCase, records: Sequence[StoredEntry]) -> Stay:
    hand = case.intake.hand
    return Stay(
        tag=None if hand is None else hand.tag,
        numbers=case.intake.numbers,
        opened=records[0].sequence,
    )


def _since(stay: Stay, intake: Sequence[StoredEntry]) -> list[str]:
    return [f"intake: {gap}" for gap in gaps_since(stay, intake)]


ANDROID_PROFILE: Final = DeviceProfile(
    kind=ANDROID,
    required_stages=REQUIRED_STAGES,
    required_approvals=REQUIRED_APPROVALS,
    skippable=SKIPPABLE,
    method=METHOD,
    verify=verify_erasure,
)
"""Handsets over adb; the numbers stand in `proof.floors`."""
