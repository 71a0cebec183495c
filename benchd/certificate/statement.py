"""Folds a proven erasure into the statement of its certificate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from benchd.certificate.certificate_sentences import Sentence
from benchd.certificate.chip_section import FelicaSection
from benchd.certificate.clock_section import ClockSection
from benchd.certificate.fresh_section import FreshPictureSection
from benchd.certificate.identity_section import HandsetSection
from benchd.certificate.intake_section import IntakeSection
from benchd.certificate.not_reached import not_reached_of
from benchd.certificate.other_racks_section import OtherRacksSection
from benchd.certificate.overwrite_technique import technique_of
from benchd.certificate.people_section import ConfirmationSection, DecisionSection
from benchd.certificate.predicate import (
    PREDICATE_TYPE,
    STATEMENT_TYPE,
    Digest,
    Predicate,
    Statement,
    Subject,
)
from benchd.certificate.recheck_section import RecheckSection
from benchd.certificate.statement_sections import (
    FinalResetSection,
    InitialiseSection,
    LedgerSection,
    MediumSection,
    NetworkSection,
    OverwriteSection,
    RecipeSection,
    SimLockSection,
    StageSection,
    VerificationSection,
)
from benchd.certificate.trust_section import (
    BindingSection,
    NotWrittenSection,
    TrustedSection,
    bound_by,
    trusts_reader,
)
from benchd.domain.errors import CertificateGap
from benchd.domain.job import Disposition, Gate
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.erasure import METHOD, HandsetErasure
from benchd.proof.job_records import stage_records
from benchd.proof.record_fields import RecordReader


def statement_of(
    erasure: HandsetErasure,
    *,
    at: datetime,
    site: str,
    benchd_version: str,
    benchd_commit: str = "unknown",
    site_address: str | None = None,
) -> Statement:
    """The statement about one handset; raises CertificateGap for what isn't on record."""
    inspect = erasure.evidence.inspect
    return Statement(
        type_=STATEMENT_TYPE,
        predicate_type=PREDICATE_TYPE,
        subject=(
            Subject(
                name=f"{inspect.manufacturer} {inspect.model}",
                digest=Digest(sha256=erasure.evidence_digest()),
            ),
        ),
        predicate=_predicate_of(
            erasure,
            at=at,
            site=site,
            site_address=site_address,
            benchd_version=benchd_version,
            benchd_commit=benchd_commit,
        ),
    )


def _predicate_of(
    erasure: HandsetErasure,
    *,
    at: datetime,
    site: str,
    site_address: str | None,
    benchd_version: str,
    benchd_commit: str,
) -> Predicate:
    opened = _opened(erasure.records)
    recipe = RecordReader(opened.entry.data, "job_opened")
    evidence = erasure.evidence
    medium = MediumSection.of(evidence.inspect, evidence.read_back)
    overwrite = OverwriteSection.of(evidence.overwrite)
    verification = VerificationSection.of(evidence.read_back)
    in_use = NotWrittenSection.of(evidence.inspect, evidence.overwrite)
    network = erasure.intake.settled.get(Gate.NETWORK)
    bound = bound_by(erasure)
    return Predicate(
        issued_at=at.astimezone(UTC),
        site=site,
        site_address=site_address,
        benchd_version=benchd_version,
        benchd_commit=benchd_commit,
        sim_lock=SimLockSection.of(evidence.inspect),
        job=erasure.job,
        slot=opened.entry.slot or "",
        occupancy=opened.entry.occupancy or 0,
        handset=HandsetSection.of(erasure),
        medium=medium,
        method=METHOD,
        technique=technique_of(overwrite, verification),
        standard=Sentence.STANDARD.value,
        recipe=RecipeSection(name=recipe.text("recipe"), sha256=recipe.text("recipe_sha256")),
        stages=tuple(map(StageSection.of, stage_records(erasure.records))),
        initialise=InitialiseSection.of(erasure),
        overwrite=overwrite,
        verification=verification,
        network_restriction=NetworkSection.of(erasure.answers, network.cited if network else None),
        felica=FelicaSection.of(erasure),
        final_reset=FinalResetSection.of(evidence.observe),
        decisions=tuple(map(DecisionSection.of, erasure.answers)),
        confirmation=ConfirmationSection.of(erasure.answers),
        not_reached=not_reached_of(medium, overwrite, in_use, trusts_reader=trusts_reader(bound)),
        ledger=LedgerSection.of(erasure.records),
        disposition=Disposition.SELLABLE,
        trusted=TrustedSection.of(erasure),
        bound_by=bound,
        binding=BindingSection.of(erasure),
        in_use_before=in_use,
        nominal_capacity_bytes=evidence.gates.nominal_bytes or "unknown",
        fresh_picture=FreshPictureSection.of(evidence.initialise),
        clock=ClockSection.of(erasure),
        intake=IntakeSection.of(erasure),
        recheck=RecheckSection.of(erasure),
        other_racks=OtherRacksSection.of(erasure),
    )


def _opened(records: Sequence[StoredEntry]) -> StoredEntry:
    for record in records:
        if record.entry.kind is EntryKind.JOB_OPENED:
            return record
    raise CertificateGap(("job_opened: there is no record of it",))
