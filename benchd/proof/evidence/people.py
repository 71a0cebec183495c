"""A person's answer, and the stage that is nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benchd.proof.evidence.values import Moment, Said
from benchd.words.job import Decision, Gate
from benchd.words.people import ShownBy

FORM_OF_PEOPLE: Final = 5
"""From this form on an answer tells whose it is by their id; a name alone is nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAnswer:
    """What was answered at a gate under a name, which anybody could type."""

    gate: Gate
    approved: bool
    operator: str
    note: str
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionEvidence(NamedAnswer):
    """What a person answered at a gate. Before `FORM_OF_PEOPLE` only their name is known."""

    person: Said | None = None
    shown_by: ShownBy | None = None
    """How they showed who they are."""
    source: Said | None = None
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
