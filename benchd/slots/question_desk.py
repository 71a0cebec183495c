"""Where questions wait for people: an answer is in the ledger before the job hears of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio

from benchd.domain.authority import ACTION_OF
from benchd.domain.errors import (
    AnsweredAlready,
    DecisionRefused,
    LookUpResultNeeded,
    NotFound,
    ReasonNeeded,
    SameOrOtherNeeded,
    ScreenNumberNeeded,
    SecondPersonNeeded,
)
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Decision, Gate
from benchd.domain.people import Actor, PersonId
from benchd.domain.ports import Authority, Clock, Ledger
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot import QuestionView
from benchd.domain.wakeup import Wakeup
from benchd.pipelines.stage_contract import Vetting
from benchd.proof.binding import NUMBER_GATES, screen_number
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.identity.sighting import IDENTITY_GATES, same_in_note
from benchd.proof.network import SALEABLE, look_up_result

LONGEST_NOTE = 500
NUMBER_WANTED: Mapping[Gate, str] = {
    Gate.IMEI: (
        "the note has to be the IMEI as the handset's own screen shows it (*#06#): 15 digits with"
        " the right check digit, neither 14 or 16 digits nor the 32 of an EID"
    ),
    Gate.SERIAL: "the note has to be the serial as the handset's own screen shows it",
}


@dataclass(slots=True)
class OpenQuestion:
    """A question that nobody has answered yet."""

    job: JobId
    slot: SlotName
    occupancy: int
    gate: Gate
    asking: int
    answered: anyio.Event = field(default_factory=anyio.Event)
    decision: Decision | None = None
    being_kept: bool = False
    tags: tuple[str, ...] = ()
    """What an answer may choose among."""
    vet: Vetting | None = None
    """What else an answer has to stand before it is taken."""


class Desk:
    """All open questions of the rack, and who has answered what in each running job."""

    def __init__(self, ledger: Ledger, clock: Clock, authority: Authority) -> None:
        self._ledger = ledger
        self._clock = clock
        self._authority = authority
        self._open: dict[tuple[JobId, Gate], OpenQuestion] = {}
        self._answered_by: dict[JobId, set[PersonId]] = {}
        self._keeping = Wakeup()
        """Fires whenever an answer that was being kept is on disk, or isn't."""
        self._being_kept: Counter[JobId] = Counter()
        self._asked = 0

    def next_asking(self) -> int:
        """A number that no question of this daemon has had."""
        self._asked += 1
        return self._asked

    def answered_by(self, job: JobId) -> tuple[PersonId, ...]:
        """Who has answered in this running job."""
        return tuple(sorted(self._answered_by.get(job, ())))

    async def ask(
        self,
        *,
        job: JobId,
        slot: SlotName,
        occupancy: int,
        question: QuestionView,
        vet: Vetting | None = None,
    ) -> Decision:
        """The answer of a person, recorded. Withdrawn when cancelled."""
        waiting = OpenQuestion(
            job=job,
            slot=slot,
            occupancy=occupancy,
            gate=question.gate,
            asking=question.asking,
            tags=tuple(filter(None, question.facts.get("tags", "").split(", "))),
            vet=vet,
        )
        await self._ledger.append(
            Entry(
                kind=EntryKind.QUESTION_ASKED,
                at=self._clock.now(),
                slot=slot,
                occupancy=occupancy,
                job=job,
                data={"gate": question.gate, "facts": dict(question.facts)},
            )
        )
        self._open[job, question.gate] = waiting
        try:
            await waiting.answered.wait()
        finally:
            self._open.pop((job, question.gate), None)
        if waiting.decision is None:
            message = "a question was woken without an answer"
            raise RuntimeError(message)
        return waiting.decision

    async def decide(
        self,
        job: JobId,
        gate: Gate,
        *,
        approved: bool,
        by: Actor,
        note: str = "",
        via: Mapping[str, str] | None = None,
        asking: int | None = None,
    ) -> Decision:
        """Take a person's answer; returns when it's on disk.

        With `asking` only to the very question that was seen, which may have been asked anew.
        Raises NotFound if the job asks no such question now, NotAllowed if this person may not
        answer it or hasn't shown enough, another DecisionRefused if the answer isn't one or
        somebody else was first.
        """
        question = self._open.get((job, gate))
        if question is None or asking not in (None, question.asking):
            message = f"job {job} has no open question {gate}"
            raise NotFound(message)
        self._authority.refuse_unless_allowed(by, ACTION_OF[gate])
        self._refuse_same_person(job, gate, by)
        if len(note) > LONGEST_NOTE:
            message = f"a note has at most {LONGEST_NOTE} characters"
            raise DecisionRefused(message)
        if approved:
            _refuse_note(question, note)
        if question.vet is not None:
            await question.vet(by, note, approved)
            self._refuse_unless_open(question)
        if question.being_kept:
            message = f"{gate} has just been answered by somebody else"
            raise AnsweredAlready(message)
        question.being_kept = True
        decision = Decision(gate=gate, approved=approved, by=by, note=note, at=self._clock.now())
        self._being_kept[job] += 1
        try:
            await self._ledger.append(
                Entry(
                    kind=EntryKind.DECISION,
                    at=decision.at,
                    slot=question.slot,
                    occupancy=question.occupancy,
                    job=job,
                    data={**to_json(DecisionEvidence.of(decision)), "via": dict(via or {})},
                )
            )
        except BaseException:
            question.being_kept = False
            raise
        finally:
            self._being_kept[job] -= 1
            self._keeping.fire()
        self._answered_by.setdefault(job, set()).add(by.person)
        question.decision = decision
        question.answered.set()
        return decision

    def _refuse_unless_open(self, question: OpenQuestion) -> None:
        """While it was being vetted the question may have gone."""
        if self._open.get((question.job, question.gate)) is not question:
            message = f"job {question.job} has no open question {question.gate} any more"
            raise NotFound(message)

    async def close(self, job: JobId) -> None:
        """The job is about to end: no answer is taken any more, and none is still being kept."""
        for gate in [gate for other, gate in self._open if other == job]:
            del self._open[job, gate]
        await self._keeping.until(lambda: not self._being_kept[job])

    def forget(self, job: JobId) -> None:
        """The job has ended."""
        self._being_kept.pop(job, None)
        self._answered_by.pop(job, None)

    def _refuse_same_person(self, job: JobId, gate: Gate, by: Actor) -> None:
        if gate is Gate.CONFIRM and by.person in self._answered_by.get(job, ()):
            message = f"{by.name} has worked on this handset: a second person has to confirm"
            raise SecondPersonNeeded(message)


def _refuse_note(question: OpenQuestion, note: str) -> None:
    """Raise DecisionRefused unless a yes says what this gate wants to know."""
    gate = question.gate
    if gate is Gate.NETWORK and look_up_result(note) not in SALEABLE:
        message = "the note has to begin with the result of the look-up: ○, △ or - (× is a no)"
        raise LookUpResultNeeded(message)
    if gate in NUMBER_GATES and screen_number(gate, note) is None:
        raise ScreenNumberNeeded(NUMBER_WANTED[gate])
    if gate in IDENTITY_GATES and same_in_note(note) is None:
        raise SameOrOtherNeeded(
            "the note has to begin with 'same' or 'other', and then say how you know (a repair"
            " slip's number, for example); who can't tell answers no"
        )
    if gate is Gate.DESTROYED_BEFORE and not note.strip():
        raise ReasonNeeded("the note has to say why it needn't be destroyed any more")
    if gate is Gate.ASSET and note.strip() not in question.tags:
        raise DecisionRefused(f"scan the label: the note has to be one of {question.tags}")
