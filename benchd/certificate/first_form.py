"""Certificates of the first form: no new ones are made, and those that are there verify for ever.

Their types, words and rules are kept here as they were; what both forms share stands elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from benchd.certificate.chip_words import UNKNOWN_KIND, ChipWording
from benchd.certificate.predicate import CommonStatement
from benchd.words.chip import BaselineKind

FIRST_PREDICATE_TYPE: Final = "urn:benchd:certificate-of-erasure:v1"
FIRST_MINIMUM_SAMPLE: Final = 0.1
"""The share of what was written that a sample had to read."""
FIRST_CHIP_WORDING: Final = ChipWording(
    of_kind={
        BaselineKind.OBSERVED: (
            "scanned over the air and equal to an unused chip as it was observed on a handset"
            " whose own screen said so"
        ),
        BaselineKind.SIMULATED: (
            "scanned over the air and equal to an unused chip that is only simulated: this says"
            " nothing about a real chip; an operator attests what the handset's own screen says"
        ),
        BaselineKind.INFERRED: (
            "scanned over the air and equal to an unused chip as it is only inferred from"
            " documents, observed on no handset; an operator attests what the handset's own"
            " screen says"
        ),
        UNKNOWN_KIND: (
            "scanned over the air and equal to a picture of an unused chip of unknown origin; an"
            " operator attests what the handset's own screen says"
        ),
    },
    by_eye="an operator's word on what the handset's own screen says; no reader looked at the chip",
    no_chip=(
        "nothing answered over the air, the handset names no FeliCa, and an operator found no"
        " mark of it: all three together"
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStatement(CommonStatement):
    """A statement of the first form: it states nothing beside what all forms do."""

    predicate_type: Annotated[
        Literal["urn:benchd:certificate-of-erasure:v1"], Field(alias="predicateType")
    ]
