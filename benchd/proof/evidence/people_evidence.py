"""A person's answer, and the stage that is nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.domain.evidence_values import Moment, Said
from benchd.domain.job import Decision, Gate
from benchd.domain.people import ShownBy


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionEvidence:
    """What a person answered at a gate, and whose answer it is; a name alone is nobody's."""

    gate: Gate
    approved: bool
    operator: str
    note: str
    at: Moment
    person: Said
    shown_by: ShownBy
    """How they showed who they are."""
    source: Said
    """From where."""

    @classmethod
    def of(cls, decision: Decision) -> DecisionEvidence:
        """The same from the decision itself."""
        return cls(
            gate=decision.gate,
            approved=decision.approved,
            operator=decision.by.name,
            note=decision.note,
            at=decision.at,
            person=decision.by.person,
            shown_by=decision.by.shown_by,
            source=decision.by.source,
        )
