"""What is still missing before the records show the reset that readied a handset for sale.

And that somebody has seen the handset shortly before a second person confirmed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchd.domain.handset import ADB_INTERFACE
from benchd.domain.job import Gate, Reason
from benchd.proof.chip_proof import look_again_gaps
from benchd.proof.evidence.handset_evidence import InspectEvidence
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.evidence.reset_evidence import (
    ConfirmEvidence,
    FinalResetEvidence,
    LookAgain,
    ObserveEvidence,
)
from benchd.proof.floors import MINIMUM_ABSENCE_S, MOST_S_BEFORE_RESET, MOST_S_FROM_LOOK_TO_CONFIRM
from benchd.proof.handset_refusals import other_handset, refusals
from benchd.proof.job_records import DecisionRecord


def observe_gaps(evidence: ObserveEvidence) -> list[str]:
    """Whether a person and the port have seen what a reset shows."""
    gaps: list[str] = []
    if "operator_welcome" not in evidence.kinds:
        gaps.append("observe: nobody has seen the welcome screen")
    if "usb_reenumerated" not in evidence.kinds:
        gaps.append("observe: the handset wasn't seen to leave and come back as a reset makes it")
    if evidence.absent_s is None:
        gaps.append("observe: it isn't on record how long the handset was away")
    if ADB_INTERFACE in evidence.interfaces_after:
        gaps.append("observe: adb is still on, which a plain reset switches off")
    return gaps


def absence_gaps(observe: ObserveEvidence, reset: FinalResetEvidence) -> list[str]:
    """Whether it was away for as long as a reset takes, whatever its recipe asked for."""
    gaps: list[str] = []
    if observe.absent_s != reset.absent_s:
        gaps.append("observe: another absence was weighed than the port has shown")
    if (observe.absent_s or 0.0) < max(observe.minimum_absence_s, MINIMUM_ABSENCE_S):
        gaps.append("observe: the handset was away for less time than a reset takes")
    return gaps


def standing_gaps(inspect: InspectEvidence, reset: FinalResetEvidence) -> list[str]:
    """Whether nothing forbade the erasure, at inspection and again right before the last reset.

    A SIM that was there at inspection has been taken out by then.
    """
    gaps = [
        f"inspect: {reason}: {detail}"
        for reason, detail in refusals(inspect)
        if reason is not Reason.SIM_PRESENT
    ]
    again = reset.facts_again
    if again is None:
        return [*gaps, "final_reset: nobody has read again what the gates refuse by"]
    gaps += [f"final_reset: {reason}: {detail}" for reason, detail in refusals(again)]
    if not set(again.lock_admins) <= set(inspect.lock_admins):
        gaps.append("final_reset: a lock of its maker's for lenders has come since inspection")
    if (other := other_handset(inspect, again)) is not None:
        gaps.append(f"final_reset: another {other} was read than at inspection")
    if again.before_reset_s > MOST_S_BEFORE_RESET:
        gaps.append("final_reset: too long before it was read what the gates refuse by")
    return gaps


def last_look_gaps(
    observe: ObserveEvidence,
    confirm: ConfirmEvidence,
    answers: Sequence[DecisionRecord],
    chip: str | None,
) -> Iterator[str]:
    """What is missing of the last look; `chip` is the one that the re-check has seen."""
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
