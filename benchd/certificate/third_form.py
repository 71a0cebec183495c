"""Certificates of the third form: no new ones are made, and those there are verify for ever.

It names benchd by its version alone, and its payload is written as benchd writes its ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from benchd.certificate.clock import ClockSection
from benchd.certificate.intake import IntakeSection
from benchd.certificate.people import PersonConfirmationSection, PersonDecisionSection
from benchd.certificate.predicate import CommonStatement
from benchd.certificate.recheck import RecheckSection
from benchd.certificate.second_form import SecondPredicate
from benchd.proof.evidence.values import OneOrMore

THIRD_PREDICATE_TYPE: Final = "urn:benchd:certificate-of-erasure:v3"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdPredicate(SecondPredicate):
    """What is stated beside: whose answers, the rack's clock, what intake said, and the recheck."""

    decisions: OneOrMore[PersonDecisionSection]  # pyright: ignore[reportIncompatibleVariableOverride]
    confirmation: PersonConfirmationSection
    clock: ClockSection
    intake: IntakeSection
    recheck: RecheckSection


@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdStatement(CommonStatement):
    """A statement of the third form."""

    predicate_type: Annotated[
        Literal["urn:benchd:certificate-of-erasure:v3"], Field(alias="predicateType")
    ]
    predicate: ThirdPredicate
