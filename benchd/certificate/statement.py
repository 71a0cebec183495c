"""The statement that is signed: its form, and how a proven erasure is folded into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from benchd.certificate.chip import FelicaSection
from benchd.certificate.sections import (
    ConfirmationSection,
    DecisionSection,
    FinalResetSection,
    HandsetSection,
    InitialiseSection,
    LedgerSection,
    MediumSection,
    NetworkSection,
    OverwriteSection,
    RecipeSection,
    StageSection,
    VerificationSection,
)
from benchd.errors import CertificateGap
from benchd.proof.erasure import VerifiedErasure
from benchd.proof.evidence.storage import OverwriteEvidence, ReadBackEvidence
from benchd.proof.evidence.values import Moment, OneOrMore, Said, Sha256, Texts, Whole
from benchd.proof.reading import RecordReader
from benchd.proof.records import stage_records
from benchd.proof.storage import STREAMED, CheckMode
from benchd.words.job import Disposition
from benchd.words.record import EntryKind, StoredEntry

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:benchd:certificate-of-erasure:v1"
METHOD: Final = "Clear"
"""An overwrite of flash through its controller is never more than that (SP 800-88, IEEE 2883)."""
STANDARD: Final = "NIST SP 800-88 Rev. 2, Clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A digest by the name of its algorithm."""

    sha256: Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a statement is about: a handset, by the records of its job."""

    name: Said
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """What is stated of it."""

    issued_at: Moment
    site: Said
    benchd_version: Said
    job: Said
    slot: Said
    occupancy: Whole
    handset: HandsetSection
    medium: MediumSection
    method: Literal["Clear"]
    technique: Said
    standard: Said
    recipe: RecipeSection
    stages: OneOrMore[StageSection]
    initialise: InitialiseSection
    overwrite: OverwriteSection
    verification: VerificationSection
    network_restriction: NetworkSection
    felica: FelicaSection
    final_reset: FinalResetSection
    decisions: OneOrMore[DecisionSection]
    confirmation: ConfirmationSection
    not_reached: Texts
    ledger: LedgerSection
    disposition: Literal[Disposition.SELLABLE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """An in-toto statement of version 1 about one handset."""

    type_: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")]
    predicate_type: Annotated[
        Literal["urn:benchd:certificate-of-erasure:v1"], Field(alias="predicateType")
    ]
    subject: OneOrMore[Subject]
    predicate: Predicate


def statement_of(
    erasure: VerifiedErasure, *, at: datetime, site: str, benchd_version: str
) -> Statement:
    """The statement about one handset; raises CertificateGap for what isn't on record."""
    opened = _opened(erasure.records)
    recipe = RecordReader(opened.entry.data, "job_opened")
    evidence = erasure.evidence
    inspect, overwrite, read_back = evidence.inspect, evidence.overwrite, evidence.read_back
    return Statement(
        type_=STATEMENT_TYPE,
        predicate_type=PREDICATE_TYPE,
        subject=(
            Subject(
                name=f"{inspect.manufacturer} {inspect.model}",
                digest=Digest(sha256=erasure.evidence_digest()),
            ),
        ),
        predicate=Predicate(
            issued_at=at.astimezone(UTC),
            site=site,
            benchd_version=benchd_version,
            job=erasure.job,
            slot=opened.entry.slot or "",
            occupancy=opened.entry.occupancy or 0,
            handset=HandsetSection.of(inspect),
            medium=MediumSection.of(inspect, read_back),
            method=METHOD,
            technique=_technique(overwrite, read_back),
            standard=STANDARD,
            recipe=RecipeSection(name=recipe.text("recipe"), sha256=recipe.text("recipe_sha256")),
            stages=tuple(map(StageSection.of, stage_records(erasure.records))),
            initialise=InitialiseSection.of(erasure),
            overwrite=OverwriteSection.of(overwrite),
            verification=VerificationSection.of(read_back),
            network_restriction=NetworkSection.of(erasure.answers),
            felica=FelicaSection.of(erasure),
            final_reset=FinalResetSection.of(evidence.observe),
            decisions=tuple(map(DecisionSection.of_record, erasure.answers)),
            confirmation=ConfirmationSection.of(erasure.answers),
            not_reached=_not_reached(overwrite),
            ledger=LedgerSection.of(erasure.records),
            disposition=Disposition.SELLABLE,
        ),
    )


def _opened(records: Sequence[StoredEntry]) -> StoredEntry:
    for record in records:
        if record.entry.kind is EntryKind.JOB_OPENED:
            return record
    raise CertificateGap(("job_opened: there is no record of it",))


def _technique(overwrite: OverwriteEvidence, read_back: ReadBackEvidence) -> str:
    return (
        f"one overwrite with a keystream ({overwrite.cipher}) that only this job had, "
        f"{_written_by(overwrite)}{_read_part(overwrite, read_back)}, then deleted and reset"
    )


def _written_by(overwrite: OverwriteEvidence) -> str:
    if overwrite.mode != STREAMED:
        return ""
    return "streamed by the host since no program could run on the handset, "


def _read_part(overwrite: OverwriteEvidence, read_back: ReadBackEvidence) -> str:
    if read_back.check_mode == CheckMode.WHOLE:
        return "all of it read back and compared"
    share = read_back.bytes_proven / max(overwrite.bytes_written, 1)
    return (
        f"a sample of {share:.1%} of it, {read_back.sample_places} places in"
        f" {read_back.sample_subsections} subsections, read back and compared"
    )


def _not_reached(overwrite: OverwriteEvidence) -> tuple[str, ...]:
    """Each class of storage that the overwrite can't get to, with its size where one is known."""
    used, reserved = overwrite.used_bytes_before, overwrite.reserved_bytes
    missing = overwrite.capacity_bytes - overwrite.bytes_written
    rest = max(missing - used - reserved, 0)
    by_host = (
        ("what a file system keeps apart for small files and directories: none were streamed",)
        if overwrite.mode == STREAMED
        else ()
    )
    return (
        f"{missing} bytes of the user storage, which are:",
        f"{used} bytes of it that were in use before the overwrite began",
        f"{reserved} bytes of it that the file system reserves for the system",
        f"{rest} bytes of it that the file system keeps for itself: its tables and its last gaps",
        *by_host,
        "the file system's journal, checkpoints and over-provisioning",
        "spare, worn and reserved cells of the flash memory, which its controller hides",
        "partitions outside of the user storage",
        "SIM cards and memory cards",
    )
