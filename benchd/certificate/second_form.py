"""Certificates of the second form: no new ones are made, and those there are verify for ever.

It names who answered, and no person's id. All else is as in today's form, which adds to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from benchd.certificate.binding import BindingSection
from benchd.certificate.chip import FelicaSection
from benchd.certificate.fresh import FreshPictureSection
from benchd.certificate.predicate import CommonPredicate, CommonStatement
from benchd.certificate.trust import InUseSection, TrustedSection
from benchd.proof.evidence.values import Positive, Texts

SECOND_PREDICATE_TYPE: Final = "urn:benchd:certificate-of-erasure:v2"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondPredicate(CommonPredicate):
    """What is stated beside: how far the rest can be trusted, and what it was compared with."""

    felica: FelicaSection
    trusted: TrustedSection
    bound_by: Texts
    binding: BindingSection
    in_use_before: InUseSection
    nominal_capacity_bytes: Positive | Literal["unknown"]
    fresh_picture: FreshPictureSection


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondStatement(CommonStatement):
    """A statement of the second form."""

    predicate_type: Annotated[
        Literal["urn:benchd:certificate-of-erasure:v2"], Field(alias="predicateType")
    ]
    predicate: SecondPredicate
