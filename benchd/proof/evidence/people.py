"""A person's answer, and the stage that is nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.proof.evidence.values import Moment
from benchd.words.job import Decision, Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionEvidence:
    """What a named person answered at a gate."""

    gate: Gate
    approved: bool
    operator: str
    note: str
    at: Moment

    @classmethod
    def of(cls, decision: Decision) -> DecisionEvidence:
        """The same from the decision itself."""
        return cls(
            gate=decision.gate,
            approved=decision.approved,
            operator=decision.operator,
            note=decision.note,
            at=decision.at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmEvidence:
    """Stage `confirm`: the second person's answer."""

    answer: DecisionEvidence
