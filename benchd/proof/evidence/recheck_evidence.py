"""What is on record of a draw for an independent recheck, and of the recheck itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from benchd.domain.evidence_values import Said, Share, wanted
from benchd.proof.evidence.chip_evidence import ChipEvidence
from benchd.proof.evidence.people_evidence import DecisionEvidence

DRAW_BYTES = 8
"""How much fresh randomness a draw takes."""
Token = Annotated[str, Field(pattern="^[0-9a-f]{16}$"), wanted("16 hex digits")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawRecord:
    """`recheck_drawn`, among a job's own records, after it was confirmed."""

    share: Share
    """Of its recipe: how many of all handsets are drawn."""
    token: Token
    """The fresh randomness, as hex: drawn where that, as a fraction of 1, is below the share."""
    owed: tuple[Said, ...]
    """Earlier jobs of the same handset that were drawn and never certified: drawn for certain."""
    drawn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FindDrawnEvidence:
    """Stage `find_drawn`: which drawn job this handset is of, by whose word and by its port."""

    drawn_job: Said
    screen_number: Said
    """What the rechecker scanned or typed: an IMEI, or the serial of one that has none."""
    answer: DecisionEvidence
    """Theirs, yes or no: what they saw on its screen."""
    interfaces: tuple[str, ...]
    usb_serial: str | None
    vendor_id: str | None
    product_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckEvidence:
    """Stage `recheck`: that it's still as its reset left it."""

    interfaces: tuple[str, ...]
    chip: ChipEvidence | None
    """The look at its chip, by the same means as the drawn job's own."""
