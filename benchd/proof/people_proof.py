"""Whether two people stand behind a job, by their ids."""

from __future__ import annotations

from collections.abc import Sequence

from benchd.domain.authority import ACTION_OF, AUTHORITY
from benchd.domain.job import Gate
from benchd.domain.people import ShownBy
from benchd.domain.person_names import same_person
from benchd.proof.evidence.intake_evidence import BoundRecord
from benchd.proof.evidence.people_evidence import DecisionEvidence


def confirm_gaps(answers: Sequence[DecisionEvidence]) -> list[str]:
    """What is missing of a second person's confirmation.

    Two names may be one person: it needs two ids, and enough that was shown for each answer.
    """
    confirmed = [a for a in answers if a.gate is Gate.CONFIRM and a.approved]
    others = [answer for answer in answers if answer.gate is not Gate.CONFIRM]
    if not confirmed:
        return ["confirm: nobody has confirmed"]
    if not others:
        return ["confirm: nobody is on record who ran the job"]
    if any(same_person(confirmed[-1].operator, other.operator) for other in others):
        return ["confirm: the same person ran the job and confirmed it"]
    if any(other.person == confirmed[-1].person for other in others):
        return ["confirm: one person's id ran the job and confirmed it"]
    weak = {answer.gate for answer in answers if not _is_shown(answer)}
    return [f"{gate}: a badge alone doesn't show who answered" for gate in sorted(weak)]


def has_scanned(bound: BoundRecord, person: str | None, name: str) -> bool:
    """Whether it is they who tied the handset to its asset, by its label."""
    by = bound.by
    return by is not None and (
        (person is not None and by.person == person) or same_person(by.operator, name)
    )


def scanner_gaps(answers: Sequence[DecisionEvidence], bound: BoundRecord | None) -> list[str]:
    """Whoever has scanned the label has worked on the handset as well."""
    confirmed = [a for a in answers if a.gate is Gate.CONFIRM and a.approved]
    if bound is None or not confirmed:
        return []
    if not has_scanned(bound, confirmed[-1].person, confirmed[-1].operator):
        return []
    return ["confirm: the same person scanned its label and confirmed it"]


def _is_shown(answer: DecisionEvidence) -> bool:
    return AUTHORITY[ACTION_OF[answer.gate]].by_badge or answer.shown_by is not ShownBy.BADGE
