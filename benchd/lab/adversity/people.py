"""The people of a rack: they look at what lies there, do what is asked, and answer truly.

Unless a blow makes one of them answer wrongly, once. Whoever is asked for a number reads it from
the handset's own screen, never from a label.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import anyio

from benchd.errors import DecisionRefused, NotFound, SecondPersonNeeded
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.daemon import Daemon
from benchd.lab.adversity.hands import Hands
from benchd.lab.adversity.points import Points
from benchd.lab.adversity.schedule import Kind, Lie
from benchd.lab.adversity.staff import OTHER, SECOND, WORKER, actor_of
from benchd.words.ids import SlotName
from benchd.words.job import Gate
from benchd.words.slot import ProblemCode, QuestionView, SlotView

THINKS_S: Final = 20.0
NOTICES_S: Final = 60.0


class People:
    """Who answers for one daemon's life; their mistakes are set by blows."""

    def __init__(
        self, daemon: Daemon, bays: dict[SlotName, Bay], hands: Hands, points: Points
    ) -> None:
        self._daemon = daemon
        self._bays = bays
        self._hands = hands
        self._points = points
        self._seen: dict[SlotName, QuestionView | ProblemCode | None] = {}
        self.mistakes: dict[str, Kind] = {}
        """What somebody does wrong at the next question of a slot."""

    async def work(self) -> None:
        """See every question and every handset without adb, and look after it."""
        board = self._daemon.board
        async with anyio.create_task_group() as group:
            while True:
                version = board.version
                for view in board.views().values():
                    matter = view.question or _mendable(view)
                    if matter is not self._seen.get(view.slot):
                        self._seen[view.slot] = matter
                        if isinstance(matter, QuestionView):
                            group.start_soon(self._answer, view, matter)
                        elif matter is not None:
                            group.start_soon(self._switch_adb_on, view)
                await board.changed(version)

    async def _switch_adb_on(self, view: SlotView) -> None:
        """A handset that shows no adb: somebody goes through its first questions."""
        await anyio.sleep(NOTICES_S)
        bay = self._bays[view.slot]
        handset = bay.handset
        if handset is None or not bay.attached or self._still(view.slot) is None:
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
        mistake = self.mistakes.pop(slot, None)
        approved = self._truly(self._bays[slot], gate)
        if mistake is Kind.WRONG_ANSWER:
            approved = not approved
        if approved:
            self._do(self._bays[slot], gate, lazily=mistake is Kind.NO_RESET)
        if mistake is Kind.RACING_ANSWERS:
            async with anyio.create_task_group() as both:
                both.start_soon(self._decide, view, gate, not approved, OTHER)
                both.start_soon(self._decide, view, gate, approved, WORKER)
            return
        if mistake is Kind.SAME_PERSON:
            await self._decide(view, gate, approved, WORKER)
        # Whom the desk sends for somebody else, because of what they have answered before, does so.
        for operator in (SECOND, OTHER) if gate is Gate.CONFIRM else (WORKER, OTHER, SECOND):
            if await self._decide(view, gate, approved, operator):
                return

    async def _decide(self, view: SlotView, gate: Gate, approved: bool, operator: str) -> bool:  # noqa: FBT001
        """Whether it needn't be somebody else who answers."""
        if view.job is None:
            return True
        try:
            with suppress(NotFound):
                await self._daemon.desk.decide(
                    view.job,
                    gate,
                    approved=approved,
                    by=actor_of(operator),
                    note=self._note(view.slot, gate),
                )
        except SecondPersonNeeded:
            return False
        except DecisionRefused:
            pass
        self._points.passes(view.slot, f"answered:{gate}")
        return True

    def _note(self, slot: SlotName, gate: Gate) -> str:
        handset, papers = self._bays[slot].handset, self._daemon.papers
        if gate is Gate.ASSET and handset is not None and papers is not None:
            paper = papers.of.get(handset.name)
            return paper.tag if paper else ""
        return _note(self._bays[slot], gate)

    def _truly(self, bay: Bay, gate: Gate) -> bool:
        """What somebody says who looks at the handset that lies there."""
        handset = bay.handset
        if handset is None:
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
            case _:
                pass


def _note(bay: Bay, gate: Gate) -> str:
    """What is typed in: a number comes from the screen of the handset that lies there."""
    match gate:
        case Gate.NETWORK:
            return "○"
        case Gate.DESTROYED_BEFORE:
            return "its board was exchanged"
        case Gate.IMEI if bay.handset is not None:
            return bay.handset.imei
        case Gate.SERIAL if bay.handset is not None:
            return bay.handset.serial
        case _:
            return ""


def _mendable(view: SlotView) -> ProblemCode | None:
    code = view.problem.code if view.problem is not None else None
    return code if code is ProblemCode.ADB_DISABLED else None
