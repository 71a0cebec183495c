"""What people type or scan into an answer's note: numbers from screens, tags, which job's it is.

Several notes are tried one after the other: who is told that one isn't taken scans again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Gate
from benchd.domain.slot import QuestionView
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.kinds import Scan
from benchd.lab.adversity.lots import Papers
from benchd.lab.adversity.truth import Truth

SAME: Final = "same"
OTHER: Final = "other"
BAR_CODE: Final = "4901234567894"
"""An EAN, as it stands on a box."""
WITHOUT_NOTE: Final = frozenset(
    {
        *(Gate.CONSENT, Gate.JPKI, Gate.WATCH_LIST, Gate.LOCK_ADMIN, Gate.CHIP_SEEN_BEFORE),
        *(Gate.FELICA_CHECK, Gate.FELICA_NO_CHIP, Gate.FELICA_RETIRED, Gate.FELICA_CLEAR),
        Gate.FELICA_ERASE,
        *(Gate.FELICA_RECHECK, Gate.FELICA_ATTEST, Gate.GUIDED_RESET, Gate.FINAL_RESET),
        *(Gate.OBSERVE, Gate.LOOK, Gate.ASSESS, Gate.RECHECK, Gate.RECHECK_CHIP),
    }
)
"""At all others that nobody here knows, a number is scanned if the screen shows one."""
_JOB: Final = re.compile(r"\b[0-9]{8}-[0-9a-f]{10}\b")
_SAYS_WHOSE: Final = "same_handset"

Whose = Callable[[JobId], str | None]
"""The name of the handset that a job was begun with."""


class Scanning:
    """One person in front of a slot, with a scanner and the rack's own papers."""

    def __init__(self, bays: Mapping[SlotName, Bay], papers: Papers | None, whose: Whose) -> None:
        self._bays = bays
        self._papers = papers
        self._whose = whose

    def notes(  # noqa: PLR0911 - one for each kind of note
        self, bay: Bay, question: QuestionView, wrong: Scan | None
    ) -> Sequence[str]:
        """What is typed in at a question, the first choice first."""
        handset, gate = bay.handset, question.gate
        if gate is Gate.DESTROYED_BEFORE:
            return ("its board was exchanged",)
        if handset is None or gate in WITHOUT_NOTE:
            return ("",)
        if gate.startswith(_SAYS_WHOSE):
            return (SAME if self.is_same(handset, question) else OTHER,)
        match gate:
            case Gate.NETWORK:
                return ("○",)
            case Gate.ASSET:
                return (self._tag(handset),)
            case Gate.SERIAL:
                return self._numbers(bay, handset, wrong, (handset.serial,))
            case _:
                return self._numbers(bay, handset, wrong, _numbers_of(handset))

    def is_named(self, handset: Truth, question: QuestionView) -> bool:
        """Whether its own label is among those that a question names."""
        return self._tag(handset) in question.facts.get("tags", "").split(", ")

    def knows_whose(self, question: QuestionView) -> bool:
        """Whether a question names something by which it can be said whose it is."""
        return bool(self._named(question)) or not question.gate.startswith(_SAYS_WHOSE)

    def is_same(self, handset: Truth, question: QuestionView) -> bool:
        """Whether the handset of an earlier job, of a line of papers or of a list lies there."""
        return handset.name in self._named(question)

    def _named(self, question: QuestionView) -> set[str]:
        """Every handset that a question names, by a job, a tag or a number."""
        words = " ".join(question.facts.values())
        named = {self._whose(JobId(job)) for job in _JOB.findall(words)}
        papers = self._papers.of if self._papers else {}
        for bay in self._bays.values():
            for truth in (bay.own, bay.visitor):
                paper = papers.get(truth.name)
                tags = (paper.tag,) if paper else ()
                if any(word in words for word in (*truth.numbers, *tags)):
                    named.add(truth.name)
        return {name for name in named if name is not None}

    def _tag(self, handset: Truth) -> str:
        paper = self._papers.of.get(handset.name) if self._papers else None
        return paper.tag if paper else ""

    def _numbers(
        self, bay: Bay, handset: Truth, wrong: Scan | None, own: tuple[str, ...]
    ) -> tuple[str, ...]:
        """All of them in one note, or the first alone where no more is taken."""
        true = (" ".join(own), *own[:1]) if len(own) > 1 else own[:1]
        match wrong:
            case Scan.NEIGHBOUR:
                return (*_numbers_of(self._neighbour(bay, handset))[:1], *true)
            case Scan.VISITOR:
                return (*_numbers_of(bay.visitor)[:1], *true)
            case Scan.OTHER_CODE:
                return (*own[-1:], *true)
            case Scan.PLAIN_LABEL:
                return (BAR_CODE, *true)
            case None:
                return true

    def _neighbour(self, bay: Bay, handset: Truth) -> Truth:
        """What lies in another slot; beside one that is alone its visitor lies on the table."""
        beside = [each.handset for each in self._bays.values() if each is not bay and each.handset]
        around = bay.own if handset is bay.visitor else bay.visitor
        return beside[0] if beside else around

    def others_tag(self, handset: Truth) -> str | None:
        """The label of something else, if anything else has one."""
        papers = self._papers.of if self._papers else {}
        return next((p.tag for name, p in papers.items() if name != handset.name), None)

    def own_tag(self, handset: Truth) -> str | None:
        """Its label, if it has one."""
        return self._tag(handset) or None


def _numbers_of(truth: Truth) -> tuple[str, ...]:
    return truth.numbers or (truth.serial,)
