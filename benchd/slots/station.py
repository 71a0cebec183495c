"""What a slot gives to the stages that run in it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NoReturn

import anyio

from benchd.errors import AdbServerLost, HandsetFault, HandsetGone, StageFailed
from benchd.pipelines.binding import check_return
from benchd.pipelines.contract import AbsenceWindow, JobContext, Vetting
from benchd.pipelines.job import Job
from benchd.ports import Clock, Handset
from benchd.proof.evidence.job import ReturnEvidence
from benchd.slots.face import Face
from benchd.slots.parts import RackParts
from benchd.slots.presence import Presence, ReplugWindow
from benchd.slots.topology import SlotPlace
from benchd.slots.trouble import PROBLEM_OF, problem_of_port, shown_trouble
from benchd.words.handset import HandsetFacts, HandsetIdentity
from benchd.words.job import Decision, Gate, JobState, Reason
from benchd.words.port import Absence, Attached, Liveness
from benchd.words.slot import (
    Away,
    AwayView,
    EarlierEnd,
    ProblemCode,
    ProblemView,
    ProgressView,
    QuestionView,
)

_PASSING = (Liveness.ABSENT, Liveness.OFFLINE)
"""What a handset that has just come back is for a moment, and mends itself."""
READER_PAUSE_S = 2.0
"""What a reader that was lost is given before it's asked again, as pcscd is when it restarts."""


class SlotStation:
    """Implements `benchd.pipelines.contract.Station` for one occupancy."""

    def __init__(
        self,
        presence: Presence,
        place: SlotPlace,
        parts: RackParts,
        face: Face,
        occupancy: int,
    ) -> None:
        self._presence = presence
        self._place = place
        self._parts = parts
        self._face = face
        self._occupancy = occupancy
        self._identity: HandsetIdentity | None = None
        self.job: Job | None = None
        self.context: JobContext | None = None
        self.begins_anew = False
        """Whether what is on the port when the job ends begins another one."""
        self.departed = anyio.CancelScope()
        """Ends the watch over the port: the handset is away and nothing allows it any more."""

    async def ask(
        self, gate: Gate, facts: Mapping[str, str], vet: Vetting | None = None
    ) -> Decision:
        """Show the question and wait for a person."""
        if self.job is None:
            message = "a question belongs to a job"
            raise RuntimeError(message)
        question = QuestionView(gate=gate, facts=facts, asking=self._parts.desk.next_asking())
        self.job.move(JobState.AWAITING_OPERATOR)
        self._face.awaiting(question)
        asked_in = self.job
        try:
            return await self._parts.desk.ask(
                job=asked_in.id,
                slot=self._place.name,
                occupancy=self._occupancy,
                question=question,
                vet=vet,
            )
        finally:
            # Answered, or withdrawn since something else has told the answer.
            if not asked_in.ended:
                asked_in.move(JobState.RUNNING)
                self._face.running()

    @asynccontextmanager
    async def planned_absence(self) -> AsyncGenerator[AbsenceWindow, None]:
        """A block in which the handset may leave; away at its end counts as unplugged."""
        async with self._presence.planned_absence() as window:
            yield _ShownWindow(window, self._face, self.job, self._parts.clock)
        if self._presence.attached is None:
            self.departed.cancel()
            await anyio.sleep_forever()

    async def reopen(self, within_s: float) -> Handset:
        """The handset of this job, ready on its port again, its identity checked."""
        if self.context is not None and self.context.open_handset is not None:
            await self.context.open_handset.aclose()
        try:
            with anyio.fail_after(within_s):
                while True:
                    handset, attached = await self._open_when_ready()
                    try:
                        found = await handset.identity()
                        android_id = await self._android_id(handset)
                    except HandsetFault:
                        await handset.aclose()
                        continue
                    break
        except TimeoutError as late:
            message = f"the handset didn't become ready within {within_s:.0f} s"
            raise StageFailed(Reason.HANDSET_LOST, message) from late
        if self._identity is not None and not self._identity.same_handset(found):
            await handset.aclose()
            message = "another handset is in the slot now"
            raise StageFailed(Reason.HANDSET_CHANGED, message)
        try:
            self._check_return(attached, found, android_id)
        except StageFailed:
            await handset.aclose()
            raise
        self._face.running()
        return handset

    async def _android_id(self, handset: Handset) -> str | None:
        """The id that Android drew at its last reset, once the job has one to compare it with."""
        if self.context is None or self.context.evidence.initialise is None:
            return None
        return (await handset.reset_facts()).android_id

    def _check_return(
        self, attached: Attached, found: HandsetIdentity, android_id: str | None
    ) -> None:
        if self.context is None or self.context.facts is None:
            return
        seen = ReturnEvidence(
            attachment=attached.attachment,
            serial=found.serial,
            imeis=found.imeis,
            android_id=android_id,
        )
        check_return(self.context, seen)

    async def reader_back(self) -> None:
        """Wait for the slot's reader, and say on the wall that it's missing."""
        slot = self._place.name
        facts = {"reader": self._parts.chips.reader(slot) or slot}
        self._face.waiting(ProblemView(code=ProblemCode.READER_GONE, facts=facts))
        # One that fails as soon as it's there would use up all that is allowed within a moment.
        await anyio.sleep(READER_PAUSE_S)
        await self._parts.chips.until_there(slot)
        self._face.running()

    async def _open_when_ready(self) -> tuple[Handset, Attached]:
        """Start over whenever the port changes: it may come back under another address."""
        while True:
            while self._presence.attached is None:
                await self._presence.changed()
            attached = self._presence.attached
            opened: Handset | None = None
            async with anyio.create_task_group() as group:
                group.start_soon(self._cancel_on_change, group.cancel_scope)
                opened = await self._open_at(attached)
                group.cancel_scope.cancel()
            if opened is not None:
                return opened, attached

    async def _cancel_on_change(self, scope: anyio.CancelScope) -> None:
        await self._presence.changed()
        scope.cancel()

    async def _open_at(self, attached: Attached) -> Handset | None:
        """Whoever reset it by hand has to see at once what is still to be done on its screen."""
        address, trouble = attached.adb_address, problem_of_port(attached)
        if trouble is not None:
            await anyio.sleep(self._parts.timing.settle_s)
            models, identity = self._parts.models, self._identity
            self._face.waiting(shown_trouble(trouble, attached, models, identity))
            await anyio.sleep_forever()
        async with self._parts.access.liveness(address) as states:
            async for liveness in states:
                if liveness is Liveness.READY:
                    break
                if liveness is Liveness.SERVER_DOWN:
                    self._face.waiting(ProblemView(code=ProblemCode.ADB_SERVER_DOWN))
                elif liveness not in _PASSING:
                    self._face.waiting(ProblemView(code=PROBLEM_OF[liveness]))
        try:
            return await self._parts.access.open(address)
        except (HandsetGone, AdbServerLost):
            return None

    async def counts_as_unplugged(self) -> NoReturn:
        """End the job as if the handset had left for good; what is on the port begins another."""
        self.begins_anew = True
        self.departed.cancel()
        while True:
            await anyio.sleep_forever()

    async def may_destroy(self) -> None:
        """Wait while nothing new may begin, as on a ledger that doesn't hold."""
        admission = self._parts.admission
        code = admission.held_for
        if code is None:
            return
        with admission.standing_still():
            while code is not None:
                self.show_problem(ProblemView(code=code))
                await admission.changed()
                code = admission.held_for
        self.show_problem(None)

    def show_problem(self, problem: ProblemView | None) -> None:
        """Show why the job can't go on just now, or that it goes on."""
        if problem is None:
            self._face.running()
        else:
            self._face.waiting(problem)

    def port(self) -> Attached:
        """What is on the slot's port, as it was last enumerated."""
        return self._presence.last

    def show_progress(self, progress: ProgressView) -> None:
        """Show how far the stage is."""
        self._face.progressed(progress)

    def show_identity(self, facts: HandsetFacts) -> None:
        """From here on a replug must bring back this handset."""
        self._identity = facts.identity
        entry = self._parts.models.of(facts.identity)
        self._face.identified(facts, entry.name if entry else None)

    def show_earlier(self, earlier: EarlierEnd | None) -> None:
        """Say on the wall how its last job has ended."""
        self._face.was_here(earlier)


class _ShownWindow:
    """A replug window that shows on the wall while it's being watched."""

    def __init__(self, window: ReplugWindow, face: Face, job: Job | None, clock: Clock) -> None:
        self._window = window
        self._face = face
        self._job = job
        self._clock = clock

    def _move(self, state: JobState) -> None:
        if self._job is not None:
            self._job.move(state)

    async def departed(self) -> None:
        await self._window.departed()

    async def absence(
        self, *, leave_within_s: float, return_within_s: float, why: Away = Away.RESTARTS
    ) -> Absence:
        self._move(JobState.REPLUGGING)
        self._face.replugging(AwayView(why=why))
        with anyio.move_on_after(leave_within_s):
            await self._window.departed()
            until = self._clock.now() + timedelta(seconds=return_within_s)
            self._face.replugging(AwayView(why=why, until=until))
        absence = await self._window.absence(leave_within_s=0, return_within_s=return_within_s)
        self._move(JobState.RUNNING)
        self._face.running()
        return absence
