"""Whose an answer is, by their id and by how they showed themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_values import Moment, Said
from benchd.domain.job import Gate
from benchd.domain.people import ShownBy
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.job_records import DecisionRecord
from benchd.proof.separation_of_duties import confirm_gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSection:
    """A person's answer, and who that is."""

    gate: Gate
    approved: bool
    operator: str
    note: str
    at: Moment
    person: Said
    shown_by: ShownBy
    source: Said

    @classmethod
    def of(cls, answer: DecisionRecord) -> DecisionSection:
        """From its record."""
        return cls(
            gate=answer.gate,
            approved=answer.approved,
            operator=answer.operator,
            note=answer.note,
            at=answer.at,
            person=answer.person,
            shown_by=answer.shown_by,
            source=answer.source,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationSection:
    """Who confirmed, by their id, and when."""

    operator: Said
    at: Moment
    person: Said

    @classmethod
    def of(cls, answers: Sequence[DecisionRecord]) -> ConfirmationSection:
        """From the last answer at the gate."""
        confirmed = [answer for answer in answers if answer.gate is Gate.CONFIRM]
        if not confirmed:
            raise CertificateGap(("confirm: nobody has confirmed",))
        last = confirmed[-1]
        return cls(operator=last.operator, person=last.person, at=last.at)


def gaps_of_people(
    decisions: Sequence[DecisionSection], confirmation: ConfirmationSection
) -> Iterator[str]:
    """Whether two people stand behind it, as the proof asks."""
    told = [
        DecisionEvidence(
            gate=each.gate,
            approved=each.approved,
            operator=each.operator,
            note=each.note,
            at=each.at,
            person=each.person,
            shown_by=each.shown_by,
            source=each.source,
        )
        for each in decisions
    ]
    yield from confirm_gaps(told)
    confirmed = [each for each in decisions if each.gate is Gate.CONFIRM]
    if confirmed and confirmed[-1].person != confirmation.person:
        yield "another person's id is named for the confirmation than that of who decided"
