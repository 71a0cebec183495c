"""The record of handsets that left the house together."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.domain.evidence_values import Moment, OneOrMore, Said
from benchd.proof.evidence.intake_evidence import Who


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedHandset:
    """One of them: under which certificate, and which look before the sale it rests on."""

    tag: Said
    job: Said
    rechecked_in: Said
    rechecked_at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedRecord:
    """`shipped`: a lot or a pallet has gone out, every handset of it looked at not long before."""

    name: Said
    """Of the pallet or the delivery."""
    lot: str | None
    """Where it was all of a lot."""
    handsets: OneOrMore[ShippedHandset]
    by: Who
