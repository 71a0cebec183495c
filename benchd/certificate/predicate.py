"""What a certificate of any form states: the parts in which its forms don't differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from benchd.certificate.chip_words import ChipWords
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
from benchd.proof.evidence.values import Moment, OneOrMore, Said, Sha256, Texts, Whole
from benchd.words.job import Disposition

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"


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
class CommonPredicate:
    """What every form states of it; each form says for itself what it states of the chip."""

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
    felica: ChipWords
    final_reset: FinalResetSection
    decisions: OneOrMore[DecisionSection]
    confirmation: ConfirmationSection
    not_reached: Texts
    ledger: LedgerSection
    disposition: Literal[Disposition.SELLABLE]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonStatement:
    """An in-toto statement of version 1 about one handset; its predicate type is its form."""

    type_: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")]
    subject: OneOrMore[Subject]
    predicate: CommonPredicate
