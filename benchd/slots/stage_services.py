"""What a slot gives to the stages that run in it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NoReturn

import anyio

from benchd.domain.errors import AccessLost, HandsetFault, HandsetGone, StageFailed
from benchd.domain.handset import HandsetFacts
from benchd.domain.job import Decision, Gate, JobState, Reason
from benchd.domain.port import Absence, Attached, Liveness
from benchd.domain.ports import Clock, Device
from benchd.domain.slot import (
    Away,
    AwayView,
    EarlierEnd,
    ProblemCode,
    ProblemView,
    ProgressView,
    QuestionView,
)
from benchd.domain.topology import SlotPlace
from benchd.pipelines.device_support import DeviceSupport
from benchd.pipelines.job_state_machine import Job
from benchd.pipelines.ports import AbsenceWindow
from benchd.pipelines.stage_contract import JobContext, Vetting
from benchd.slots.presence import Presence, ReplugWindow
from benchd.slots.slot_dependencies import RackParts
from benchd.slots.slot_state_machine import SlotStateMachine

_PASSING = (Liveness.ABSENT, Liveness.OFFLINE)
"""What a handset that has just come back is for a moment, and mends itself."""
READER_PAUSE_S = 2.0
"""What a reader that was lost is given before it's asked again, as pcscd is when it restarts."""


class SlotStation:
    """Implements `benchd.pipelines.stage_contract.Station` for one occupancy."""

    def __init__(
        self,
        presence: Presence,
        place: SlotPlace,
        parts: RackParts,
        machine: SlotStateMachine,
        occupancy: int,
    ) -> None:
        self._presence = presence
        self._place = place
        self._parts = parts
        self._machine = machine
        self._occupancy = occupancy
        self.job: Job | None = None
        self.context: JobContext | None = None
        self.support: DeviceSupport | None = None
        """How to work with the device of the job."""
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
        left_s = self.context.time.left_s if self.context is not None else None
        question = QuestionView(
            gate=gate,
            facts=facts,
            asking=self._parts.desk.next_asking(),
            answered_by=self._parts.desk.answered_by(self.job.id),
            until=None if left_s is None else self._parts.clock.now() + timedelta(seconds=left_s),
        )
        self.job.move(JobState.AWAITING_OPERATOR)
        self._machine.awaiting(question)
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
                self._machine.running()

    @asynccontextmanager
    async def planned_absence(self) -> AsyncGenerator[AbsenceWindow, None]:
        """A block in which the handset may leave; away at its end counts as unplugged."""
        async with self._presence.planned_absence() as window:
            yield _ShownWindow(window, self._machine, self.job, self._parts.clock)
        if self._presence.attached is None:
            self.departed.cancel()
            await anyio.sleep_forever()

    async def reopen(self, within_s: float) -> Device:
        """The device of this job, ready on its port again, its identity checked."""
        context, support = self.context, self.support
        if context is None or support is None:
            message = "a device is opened again by a job"
            raise RuntimeError(message)
        if context.device is not None:
            await context.device.aclose()
        try:
            with anyio.fail_after(within_s):
                device = await self._open_again(context, support)
        except TimeoutError as late:
            message = f"the handset didn't become ready within {within_s:.0f} s"
            raise StageFailed(Reason.HANDSET_LOST, message) from late
        self._machine.running()
        return device

    async def _open_again(self, context: JobContext, support: DeviceSupport) -> Device:
        while True:
            device, attached = await self._open_when_ready(support)
            try:
                await support.check_return(context, device, attached)
            except HandsetFault:
                await device.aclose()
            except StageFailed:
                await device.aclose()
                raise
            else:
                return device

    async def reader_back(self) -> None:
        """Wait for the slot's reader, and say on the wall that it's missing."""
        slot = self._place.name
        facts = {"reader": self._parts.chips.reader(slot) or slot}
        self._machine.waiting(ProblemView(code=ProblemCode.READER_GONE, facts=facts))
        # One that fails as soon as it's there would use up all that is allowed within a moment.
        await anyio.sleep(READER_PAUSE_S)
        await self._parts.chips.until_there(slot)
        self._machine.running()

    async def _open_when_ready(self, support: DeviceSupport) -> tuple[Device, Attached]:
        """Start over whenever the port changes: it may come back under another address."""
        while True:
            while self._presence.attached is None:
                await self._presence.changed()
            attached = self._presence.attached
            opened: Device | None = None
            async with anyio.create_task_group() as group:
                group.start_soon(self._cancel_on_change, group.cancel_scope)
                opened = await self._open_at(attached, support)
                group.cancel_scope.cancel()
            if opened is not None:
                return opened, attached

    async def _cancel_on_change(self, scope: anyio.CancelScope) -> None:
        await self._presence.changed()
        scope.cancel()

    async def _open_at(self, attached: Attached, support: DeviceSupport) -> Device | None:
        """Whoever reset it by hand has to see at once what is still to be done on its screen."""
        problem = self._problem_of_port(attached, support)
        if problem is not None:
            await anyio.sleep(self._parts.timing.debounce_s)
            self._machine.waiting(problem)
            await anyio.sleep_forever()
        async with support.access.liveness(attached.address) as states:
            async for liveness in states:
                if liveness is Liveness.READY:
                    break
                if liveness not in _PASSING:
                    self._machine.waiting(ProblemView(code=support.problem_of[liveness]))
        try:
            return await support.access.open(attached.address)
        except (HandsetGone, AccessLost):
            return None

    def _problem_of_port(self, attached: Attached, support: DeviceSupport) -> ProblemView | None:
        if attached.kind != support.kind:
            return ProblemView(code=ProblemCode.WRONG_MODE)
        return support.problem_of_port(attached, self._parts.models, self.context)

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
            self._machine.running()
        else:
            self._machine.waiting(problem)

    def port(self) -> Attached:
        """What is on the slot's port, as it was last enumerated."""
        return self._presence.last

    def show_progress(self, progress: ProgressView) -> None:
        """Show how far the stage is."""
        self._machine.progressed(progress)

    def show_identity(self, facts: HandsetFacts) -> None:
        """Say on the wall who it is."""
        entry = self._parts.models.of(facts.identity)
        self._machine.identified(facts, entry.name if entry else None)

    def show_earlier(self, earlier: EarlierEnd | None) -> None:
        """Say on the wall how its last job has ended."""
        self._machine.was_here(earlier)


class _ShownWindow:
    """A replug window that shows on the wall while it's being watched."""

    def __init__(
        self, window: ReplugWindow, machine: SlotStateMachine, job: Job | None, clock: Clock
    ) -> None:
        self._window = window
        self._machine = machine
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
        self._machine.replugging(AwayView(why=why))
        with anyio.move_on_after(leave_within_s):
            await self._window.departed()
            until = self._clock.now() + timedelta(seconds=return_within_s)
            self._machine.replugging(AwayView(why=why, until=until))
        absence = await self._window.absence(leave_within_s=0, return_within_s=return_within_s)
        self._move(JobState.RUNNING)
        self._machine.running()
        return absence
