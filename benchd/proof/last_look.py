"""Whether somebody has seen the handset shortly before a second person confirmed it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchd.proof.chip import look_again_gaps
from benchd.proof.evidence.confirm import ConfirmEvidence, LookAgain
from benchd.proof.evidence.people import DecisionEvidence
from benchd.proof.evidence.reset import ObserveEvidence
from benchd.proof.floors import MOST_S_FROM_LOOK_TO_CONFIRM
from benchd.proof.records import DecisionRecord
from benchd.words.job import Gate


def last_look_gaps(
    observe: ObserveEvidence,
    confirm: ConfirmEvidence,
    answers: Sequence[DecisionRecord],
    chip: str | None,
) -> Iterator[str]:
    """What is missing; `chip` is the one that the re-check has seen."""
    again = confirm.again
    look = observe.answer if again is None else again.answer
    if again is not None:
        yield from _of_again(again, observe, chip)
    seen = [answer for answer in answers if answer.gate is Gate.OBSERVE and answer.approved]
    if not any(_is_same(look, answer) for answer in seen):
        yield "confirm: the last look at the handset isn't on record"
    confirmed = [answer for answer in answers if answer.gate is Gate.CONFIRM and answer.approved]
    if not confirmed:
        return  # told by whoever looks for two people
    passed_s = (confirmed[-1].at - look.at).total_seconds()
    if not 0 <= passed_s <= MOST_S_FROM_LOOK_TO_CONFIRM:
        yield "confirm: nobody had looked at the handset shortly before"


def _of_again(again: LookAgain, observe: ObserveEvidence, chip: str | None) -> Iterator[str]:
    """A reader that looked after the reset looks here too."""
    if again.answer.at < observe.answer.at:
        yield "confirm: the last look is older than the first"
    if observe.chip is not None and again.chip is None:
        yield "confirm: nobody has looked at the chip again"
    yield from look_again_gaps(again.chip, chip, "confirm")


def _is_same(look: DecisionEvidence, answer: DecisionRecord) -> bool:
    return (look.gate, look.at, look.person) == (answer.gate, answer.at, answer.person)
