"""What tied the certified handset to itself: "bound by …"."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.proof.binding import STRONG, Tie
from benchd.proof.erasure import HandsetErasure
from benchd.proof.evidence.values import OneOrMore, Positive, Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class TieSection:
    """One kind of tie, and the newest record in which it was seen."""

    tie: Tie
    strong: bool
    last_seen_sequence: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingSection:
    """Every tie that was seen, and how often the handset came back; no number itself."""

    bound_by: OneOrMore[TieSection]
    returns: Whole

    @classmethod
    def of(cls, erasure: HandsetErasure) -> BindingSection:
        """From the chain that the proof has followed."""
        seen = sorted(erasure.binding.last_seen.items())
        return cls(
            bound_by=tuple(
                TieSection(tie=tie, strong=tie in STRONG, last_seen_sequence=sequence)
                for tie, sequence in seen
            ),
            returns=erasure.binding.returns,
        )
