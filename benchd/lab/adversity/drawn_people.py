"""The people of a rack: they look at what lies there, do what is asked, and answer truly.

Unless a blow makes one of them answer wrongly, once. Whoever is asked for a number reads it from
the handset's own screen, never from a label.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import anyio

from benchd.domain.errors import DecisionRefused, IntakeRefused, NotFound, SecondPersonNeeded
from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Gate
from benchd.domain.slot import ProblemCode, QuestionView, SlotView
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.daemon_life import Daemon
from benchd.lab.adversity.drawn_hands import Hands
from benchd.lab.adversity.kinds import Kind, Lie, Scan
from benchd.lab.adversity.points import Points
from benchd.lab.adversity.scanning import Scanning, Whose
from benchd.lab.adversity.schedule import Blow, Visit
from benchd.lab.adversity.staff import CHARGE, OTHER, SECOND, WORKER, actor_of
from benchd.proof.evidence.intake_evidence import Who

THINKS_S: Final = 20.0
_SIM: Final = "sim"
"""Begins the names of questions about the SIM: who answers takes it out."""
_OF_CHARGE: Final = ("destroyed_before", "same_handset", "time")
"""Questions that whoever is in charge answers."""
NOTICES_S: Final = 60.0


class People:
    """Who answers for one daemon's life; their mistakes are set by blows."""

    def __init__(
        self,
        daemon: Daemon,
        bays: dict[SlotName, Bay],
        hands: Hands,
        points: Points,
        whose: Whose,
    ) -> None:
        self._daemon = daemon
        self._bays = bays
        self._hands = hands
        self._points = points
        self._seen: dict[SlotName, QuestionView | ProblemCode | None] = {}
        self._scanning = Scanning(bays, daemon.papers, whose)
        self._mistakes: dict[str, Blow] = {}
        """What somebody does wrong at the next question of a slot."""
        self._wrong_labels: set[str] = set()
        self._labelled: set[JobId] = set()
        self.habits: dict[str, Visit] = {}
        """Where the same person does the same wrong again and again, in a slot."""

    def err(self, slot: SlotName, blow: Blow) -> None:
        """Somebody does this wrong at the next question of a slot, or at its next label."""
        if blow.kind is Kind.WRONG_LABEL:
            self._wrong_labels.add(slot)
        else:
            self._mistakes[slot] = blow

    def mend_their_ways(self) -> None:
        """Nobody errs any more."""
        self._mistakes.clear()
        self._wrong_labels.clear()

    async def work(self) -> None:
        """See every question and every handset without adb, and look after it."""
        board = self._daemon.board
        async with anyio.create_task_group() as group:
            while True:
                version = board.version
                for view in board.views().values():
                    if self._has_label_due(view):
                        group.start_soon(self._scan_label, view)
                    matter = view.question or _mendable(view)
                    if matter is not self._seen.get(view.slot):
                        self._seen[view.slot] = matter
                        if isinstance(matter, QuestionView):
                            group.start_soon(self._answer, view, matter)
                        elif matter is not None:
                            group.start_soon(self._put_right, view)
                await board.changed(version)

    async def _put_right(self, view: SlotView) -> None:
        """Take the SIM out of a handset, or go through the first questions of one without adb."""
        await anyio.sleep(NOTICES_S)
        bay = self._bays[view.slot]
        handset, code = bay.handset, self._still(view.slot)
        if handset is None or not bay.attached or code is None:
            return
        if code is ProblemCode.SIM_PRESENT:
            handset.sim = False
            return
        handset.set_up()
        bay.leave()
        await anyio.sleep(1)
        if bay.handset is handset and not bay.attached:
            bay.come()

    def _still(self, slot: SlotName) -> ProblemCode | None:
        view = self._daemon.board.views().get(slot)
        return None if view is None else _mendable(view)

    async def _answer(self, view: SlotView, question: QuestionView) -> None:
        slot, gate = view.slot, question.gate
        await anyio.sleep(THINKS_S)
        self._points.passes(slot, f"asked:{gate}")
        blow, habit = self._mistakes.pop(slot, None), self.habits.get(slot)
        mistake = None if blow is None else blow.kind
        bay = self._bays[slot]
        approved = self._truly(bay, question)
        if mistake is Kind.WRONG_ANSWER or (habit and gate in habit.wrong):
            approved = not approved
        if approved:
            self._do(bay, gate, lazily=mistake is Kind.NO_RESET)
        # One person errs: who confirms is another.
        scan = habit.scan if habit and gate is not Gate.CONFIRM else None
        if blow is not None and mistake is Kind.WRONG_SCAN:
            scan = Scan(blow.what)
        answer = partial(self._decide, view, gate, self._scanning.notes(bay, question, scan))
        if mistake is Kind.RACING_ANSWERS:
            async with anyio.create_task_group() as both:
                both.start_soon(answer, not approved, OTHER)
                both.start_soon(answer, approved, WORKER)
            return
        if mistake is Kind.SAME_PERSON:
            await answer(approved, WORKER)
        # Whom the desk sends for somebody else, because of what they have answered before, does so.
        for operator in _answers(gate):
            if await answer(approved, operator):
                return

    async def _decide(
        self,
        view: SlotView,
        gate: Gate,
        notes: Sequence[str],
        approved: bool,  # noqa: FBT001
        operator: str,
    ) -> bool:
        """Answer; a note that isn't taken is scanned again, and so is the handset.

        Returns whether it needn't be somebody else who answers.
        """
        if view.job is None:
            return True
        for note in (*notes, notes[-1]):
            try:
                await self._daemon.desk.decide(
                    view.job, gate, approved=approved, by=actor_of(operator), note=note
                )
            except SecondPersonNeeded:
                return False
            except DecisionRefused:
                continue
            except NotFound:
                pass
            break
        self._points.passes(view.slot, f"answered:{gate}")
        return True

    def _has_label_due(self, view: SlotView) -> bool:
        """Whether somebody scans the label of what was just put in."""
        due = self._bays[view.slot].plan.labelled or view.slot in self._wrong_labels
        new = view.job is not None and view.identity is not None and view.job not in self._labelled
        if view.job is not None and due and new:
            self._labelled.add(view.job)
        return due and new

    async def _scan_label(self, view: SlotView) -> None:
        """Another's label first, where somebody has that in hand; then its own, if it's asked."""
        handset = self._bays[view.slot].handset
        if handset is None:
            return
        tags = [self._scanning.own_tag(handset)]
        if view.slot in self._wrong_labels:
            self._wrong_labels.discard(view.slot)
            tags.insert(0, self._scanning.others_tag(handset))
        for tag in filter(None, tags):
            try:
                await self._daemon.intake.bind(view, tag, by=Who.of(actor_of(WORKER)))
            except (DecisionRefused, IntakeRefused, NotFound):
                continue
            break

    def _truly(self, bay: Bay, question: QuestionView) -> bool:
        """What somebody says who looks at the handset that lies there."""
        handset, gate = bay.handset, question.gate
        if handset is None or not self._scanning.knows_whose(question):
            return False
        unused = handset.chip is not None and not handset.chip.in_use
        seen = {
            Gate.FELICA_CHECK: unused,
            Gate.FELICA_RECHECK: unused,
            Gate.FELICA_ATTEST: unused,
            Gate.FELICA_NO_CHIP: handset.chip is None,
            Gate.FELICA_RETIRED: False,
            Gate.CHIP_SEEN_BEFORE: bay.donor is None,
            Gate.OBSERVE: handset.welcome and bay.attached,
            Gate.NETWORK: not handset.restricted,
            Gate.WATCH_LIST: not handset.listed,
            Gate.ASSET: self._scanning.is_named(handset, question),
        }
        return seen.get(gate, True)

    def _do(self, bay: Bay, gate: Gate, *, lazily: bool) -> None:
        """What the question asks to be done before it's answered with yes."""
        match gate:
            case Gate.FINAL_RESET if lazily:
                self._hands.begin_restart(bay)
            case Gate.FINAL_RESET:
                self._hands.begin_reset(bay, keeps_adb=False)
            case Gate.GUIDED_RESET:
                self._hands.begin_reset(bay, keeps_adb=True)
            case Gate.FELICA_CLEAR if bay.handset is not None and bay.handset.chip is not None:
                bay.handset.chip.in_use = bay.handset.lie is Lie.PROVIDER
            case _ if gate.startswith(_SIM) and bay.handset is not None:
                bay.handset.sim = False
            case _:
                pass


def _answers(gate: Gate) -> tuple[str, ...]:
    """Who answers, and who does where they may not."""
    if gate is Gate.CONFIRM:
        return SECOND, OTHER
    return (CHARGE,) if gate in _OF_CHARGE else (WORKER, OTHER, SECOND)


def _mendable(view: SlotView) -> ProblemCode | None:
    code = view.problem.code if view.problem is not None else None
    return code if code in (ProblemCode.ADB_DISABLED, ProblemCode.SIM_PRESENT) else None
