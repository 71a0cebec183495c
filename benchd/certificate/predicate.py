"""The types of a certificate: an in-toto statement of version 1 about one handset.

The predicate type is the form. One form is read and written; docs/extending.md says how a second
one is added.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from benchd.certificate.chip_section import FelicaSection
from benchd.certificate.clock_section import ClockSection
from benchd.certificate.fresh_section import FreshPictureSection
from benchd.certificate.identity_section import HandsetSection
from benchd.certificate.intake_section import IntakeSection
from benchd.certificate.other_racks_section import OtherRacksSection
from benchd.certificate.people_section import ConfirmationSection, DecisionSection
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
from benchd.certificate.trust_section import BindingSection, NotWrittenSection, TrustedSection
from benchd.domain.evidence_values import Moment, OneOrMore, Positive, Said, Sha256, Texts, Whole
from benchd.domain.job import Disposition

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:benchd:certificate-of-erasure:v4"
RETIRED_PREDICATE_TYPES: Final = tuple(
    f"urn:benchd:certificate-of-erasure:v{number}" for number in (1, 2, 3)
)
"""Forms from before the first release, of virtual handsets alone: neither read nor used again."""


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
    """What is stated of the handset; no field is optional, and what isn't known is null."""

    issued_at: Moment
    site: Said
    site_address: Said | None
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
    trusted: TrustedSection
    bound_by: Texts
    binding: BindingSection
    in_use_before: NotWrittenSection
    nominal_capacity_bytes: Positive | Literal["unknown"]
    fresh_picture: FreshPictureSection
    clock: ClockSection
    intake: IntakeSection
    recheck: RecheckSection
    benchd_commit: Said
    sim_lock: SimLockSection
    other_racks: OtherRacksSection


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The statement that is signed."""

    type_: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")]
    subject: OneOrMore[Subject]
    predicate: Predicate
    predicate_type: Annotated[
        Literal["urn:benchd:certificate-of-erasure:v4"], Field(alias="predicateType")
    ]


def is_retired(predicate_type: object) -> bool:
    """Whether a predicate type is that of a form from before the first release."""
    return predicate_type in RETIRED_PREDICATE_TYPES


def refusal_of_retired(predicate_type: object) -> str:
    """Why a certificate of such a form is refused, and what to do."""
    return (
        f"it has the form {predicate_type}, from before benchd's first release, which is read no"
        f" more: erase its handset again for a certificate of the form {PREDICATE_TYPE}"
    )
