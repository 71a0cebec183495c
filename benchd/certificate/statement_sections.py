"""The parts of a certificate, each beside the evidence that it is made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from benchd.certificate.certificate_sentences import Sentence
from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_values import (
    Moment,
    Positive,
    Said,
    Seconds,
    Sha256,
    Share,
    Texts,
    Whole,
)
from benchd.domain.job import Gate, Outcome, StageName
from benchd.domain.record import StoredEntry
from benchd.proof.erasure import HandsetErasure
from benchd.proof.evidence.handset_evidence import InspectEvidence
from benchd.proof.evidence.intake_evidence import CitedAttestation
from benchd.proof.evidence.reset_evidence import ObserveEvidence
from benchd.proof.evidence.storage_evidence import OverwriteEvidence, ReadBackEvidence
from benchd.proof.job_records import DecisionRecord, StageRecord
from benchd.proof.network import look_up_result


@dataclass(frozen=True, slots=True, kw_only=True)
class MediumSection:
    """What was overwritten."""

    type: Said
    file_system: Said
    capacity_bytes: Positive
    crypto_state: str | None
    crypto_type: str | None

    @classmethod
    def of(cls, inspect: InspectEvidence, read_back: ReadBackEvidence) -> MediumSection:
        """From the inspection, with the capacity that was proven against."""
        return cls(
            type=Sentence.MEDIUM.value,
            file_system=inspect.file_system,
            capacity_bytes=read_back.capacity_bytes,
            crypto_state=inspect.crypto_state,
            crypto_type=inspect.crypto_type,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeSection:
    """Which policy was followed."""

    name: Said
    sha256: Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSection:
    """One attempt of one stage."""

    stage: Said
    outcome: Said
    because: str | None
    started_at: Moment
    ended_at: Moment

    @classmethod
    def of(cls, attempt: StageRecord) -> StageSection:
        """From its record."""
        return cls(
            stage=attempt.stage,
            outcome=attempt.outcome,
            because=attempt.skipped_because,
            started_at=attempt.started_at,
            ended_at=attempt.ended_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialiseSection:
    """What a reset has left, without the ids that Android gave the handset before and after."""

    outcome: Said
    because: str | None
    method: str | None
    account_count: Whole
    user_ids: tuple[int, ...]
    third_party_packages: Whole
    used_bytes: Whole
    fresh_used_bytes: Whole

    @classmethod
    def of(cls, erasure: HandsetErasure) -> InitialiseSection:
        """From the reset here, or from how the handset came in."""
        record = erasure.stages[StageName.INITIALISE]
        evidence = erasure.evidence.initialise
        left = evidence.left
        return cls(
            outcome=record.outcome,
            because=record.skipped_because,
            method=None if record.outcome is Outcome.SKIPPED else evidence.method,
            account_count=left.account_count,
            user_ids=left.user_ids,
            third_party_packages=left.third_party_packages,
            used_bytes=left.used_bytes,
            fresh_used_bytes=evidence.fresh_used_bytes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OverwriteSection:
    """What was written, and with what."""

    cipher: Said
    program_version: Said
    mode: Said
    bytes_written: Positive
    resumed_bytes: Whole
    key_sha256: Sha256

    @classmethod
    def of(cls, overwrite: OverwriteEvidence) -> OverwriteSection:
        """From the overwrite's own evidence."""
        return cls(
            cipher=overwrite.cipher,
            program_version=overwrite.program_version,
            mode=overwrite.mode,
            bytes_written=overwrite.bytes_written,
            resumed_bytes=overwrite.resumed_bytes,
            key_sha256=overwrite.key_sha256,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSection:
    """How much was read again, by which ways, and what it has shown."""

    mode: Said
    sample_subsections: Whole
    sample_places: Whole
    bytes_proven: Positive
    bytes_bad: Whole
    coverage: Share
    coverage_of_free: Share
    minimum_coverage: Share
    past_cache: Said
    host_samples: Positive
    host_sample_bytes: Positive
    host_past_cache: Said
    host_mismatches: Whole
    seed: Said

    @classmethod
    def of(cls, read_back: ReadBackEvidence) -> VerificationSection:
        """From the read-back's own evidence."""
        return cls(
            mode=read_back.check_mode,
            sample_subsections=read_back.sample_subsections,
            sample_places=read_back.sample_places,
            bytes_proven=read_back.bytes_proven,
            bytes_bad=read_back.bytes_bad,
            coverage=read_back.coverage,
            coverage_of_free=read_back.coverage_of_free,
            minimum_coverage=read_back.minimum_coverage,
            past_cache=read_back.past_cache,
            host_samples=read_back.host_samples,
            host_sample_bytes=read_back.host_sample_bytes,
            host_past_cache=read_back.host_past_cache,
            host_mismatches=read_back.host_mismatches,
            seed=read_back.seed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSection:
    """The last look-up: its sign, and when it was made, since a carrier may change it later."""

    result: Said
    looked_up_at: Moment

    @classmethod
    def of(
        cls, answers: Sequence[DecisionRecord], cited: CitedAttestation | None
    ) -> NetworkSection:
        """From the list that was cited, or from the last answer at the gate."""
        if cited is not None:
            return cls(result=cited.sign or "", looked_up_at=cited.at)
        looked_up = [answer for answer in answers if answer.gate is Gate.NETWORK]
        if not looked_up:
            raise CertificateGap(("network: nobody has looked it up",))
        result = look_up_result(looked_up[-1].note) or ""
        return cls(result=result, looked_up_at=looked_up[-1].at)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalResetSection:
    """What was seen of the last reset."""

    kinds: Texts
    absent_s: Seconds | None

    @classmethod
    def of(cls, observe: ObserveEvidence) -> FinalResetSection:
        """From what was observed."""
        return cls(kinds=observe.kinds, absent_s=observe.absent_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSection:
    """Which records it rests on."""

    first_sequence: Positive
    last_sequence: Positive
    head_hash: Sha256

    @classmethod
    def of(cls, records: Sequence[StoredEntry]) -> LedgerSection:
        """From the first and the last of them."""
        return cls(
            first_sequence=records[0].sequence,
            last_sequence=records[-1].sequence,
            head_hash=records[-1].hash_hex,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SimLockSection:
    """Whether it is known to take the SIMs of one carrier only; nothing tells that it doesn't."""

    state: Literal["locked", "unknown"]
    source: Said | None
    """What told that; null where nothing did."""

    @classmethod
    def of(cls, inspect: InspectEvidence) -> SimLockSection:
        """From the inspection."""
        if not inspect.sim_lock:
            return cls(state="unknown", source=None)
        return cls(state="locked", source=inspect.sim_lock_source)


def gaps_of_sim_lock(told: SimLockSection) -> Iterator[str]:
    """What is known has a source, and nothing else has one."""
    if (told.source is None) is not (told.state == "unknown"):
        yield "sim_lock: its source doesn't fit what it says"
