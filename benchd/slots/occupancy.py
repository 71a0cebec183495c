"""One handset in one slot, from plug to unplug: get ready, run one job, settle it."""

from __future__ import annotations

import anyio
import structlog
from anyio.abc import ObjectReceiveStream

from benchd.domain.errors import BenchdError, RecordRefused, StageFailed
from benchd.domain.ids import Evidence, JobId
from benchd.domain.job import Disposition, JobEnd, JobState, Reason
from benchd.domain.job_ids import new_job_id
from benchd.domain.port import Attached, Detached, PlugEvent
from benchd.domain.ports import Device
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.domain.topology import SlotPlace
from benchd.pipelines.device_support import DeviceSupport
from benchd.pipelines.gate_waiver import refuse_withdrawn
from benchd.pipelines.job_state_machine import Job
from benchd.pipelines.runner import JobRunner, end_of_failure
from benchd.pipelines.stage_contract import JobContext
from benchd.slots.after_restart import Continued
from benchd.slots.presence import Presence
from benchd.slots.readiness import Readiness, support_for
from benchd.slots.replug_backoff import ReplugBackoff
from benchd.slots.slot_dependencies import Assignment, RackParts
from benchd.slots.slot_records import end_cut_short, end_record, port_record
from benchd.slots.slot_state_machine import SlotStateMachine
from benchd.slots.stage_services import SlotStation

_log = structlog.get_logger()


class Occupancy:
    """Owns everything that lives as long as one handset is in the slot."""

    def __init__(  # noqa: PLR0913 - one value per thing that outlives it
        self,
        *,
        place: SlotPlace,
        parts: RackParts,
        machine: SlotStateMachine,
        events: ObjectReceiveStream[PlugEvent],
        attached: Attached,
        number: int,
        continued: Continued | None,
        assignment: Assignment,
        replug_backoff: ReplugBackoff,
    ) -> None:
        self._place = place
        self._parts = parts
        self._machine = machine
        self._events = events
        self._number = number
        self._continued = continued
        self._assignment = assignment
        self._replug_backoff = replug_backoff
        self._presence = Presence(attached, debounce_s=parts.timing.debounce_s)
        self._station = SlotStation(self._presence, place, parts, machine, number)
        self._preparing: anyio.CancelScope | None = None
        self._job: Job | None = None
        self._end: JobEnd | None = None
        self._device: Device | None = None
        self.next_attached: Attached | None = None
        """What was plugged in without the port telling that the former had left."""

    async def run(self) -> None:
        """Returns when the handset has left for good, with its job settled."""
        if self._continued is None:
            await self._record(EntryKind.OCCUPANCY_OPENED, port_record(self._presence.last))
        self._machine.debouncing(self._number)
        reason = Reason.UNPLUGGED
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._work)
                await self._watch()
                group.cancel_scope.cancel()
        except anyio.get_cancelled_exc_class():
            reason = self._assignment.stop_reason
            raise
        except BaseException:
            reason = Reason.INTERNAL_ERROR
            raise
        finally:
            with anyio.move_on_after(self._parts.timing.closing_s, shield=True):
                await self._close_job(reason)
        await self._record(EntryKind.OCCUPANCY_CLOSED, {})
        self._machine.empty()

    @property
    def end(self) -> JobEnd | None:
        """How the job of this occupancy ended, if there was one."""
        return self._end

    @property
    def job(self) -> JobId | None:
        """The job of this occupancy, if there was one."""
        return None if self._job is None else self._job.id

    @property
    def attached(self) -> Attached | None:
        """What is on the port as far as this occupancy has followed it."""
        return self._presence.attached

    async def _watch(self) -> None:
        """Follow the port until the handset has left for good."""
        with self._station.departed:
            await self._follow()
        if self._station.begins_anew:
            self.next_attached = self._presence.attached

    async def _follow(self) -> None:
        while True:
            event = await self._events.receive()
            match event:
                case Attached():
                    if self._preparing is None and self._presence.is_another_plug(event):
                        self.next_attached = event
                        return
                    if self._flaps(event):
                        return
                    await self._arrived(event)
                case Detached():
                    self._presence.leave(event)
                    if not await self._may_come_back():
                        return

    def _flaps(self, attached: Attached) -> bool:
        """Whether the port has come and gone so often that this doesn't begin anything yet."""
        if self._preparing is None or attached.attachment == self._presence.last.attachment:
            return False
        self._replug_backoff.note(attached)
        if self._replug_backoff.pause_s == 0:
            return False
        self.next_attached = attached
        return True

    async def _arrived(self, attached: Attached) -> None:
        changed = attached.attachment != self._presence.last.attachment
        self._presence.arrive(attached)
        if changed:
            # The proof follows the port through the job: with no record nothing would be due.
            running = self._job.id if self._job is not None and not self._job.ended else None
            await self._record(
                EntryKind.ATTACHMENT_CHANGED, port_record(self._presence.last), running
            )
        if self._preparing is not None:
            self._preparing.cancel()

    async def _may_come_back(self) -> bool:
        """Whether the port may be empty for now: planned, or a mode switch before the job."""
        if self._presence.leaving_allowed:
            return True
        if self._preparing is None:
            return False
        self._preparing.cancel()
        with anyio.move_on_after(self._parts.timing.debounce_s):
            while self._presence.attached is None:
                event = await self._events.receive()
                if isinstance(event, Attached):
                    if self._flaps(event):
                        return False
                    await self._arrived(event)
            return True
        return False

    async def _work(self) -> None:
        if self._continued is not None and self._continued.end is not None:
            self._show_continued(self._continued, self._continued.end)
        else:
            try:
                await self._admit(await self._prepare())
            finally:
                await self._let_go()
        await anyio.sleep_forever()

    def _show_continued(self, continued: Continued, end: JobEnd) -> None:
        self._end = end
        self._machine.continued(continued.job, continued.recipe)
        self._machine.finished(end)

    async def _prepare(self) -> StageFailed | None:
        """Wait until the device on a quiet port is ready; start over whenever the port changes.

        Returns why it can't be worked with, if it can't; a recipe that touches nothing needs
        nothing but the quiet port.
        """
        ready = Readiness(self._presence, self._parts, self._machine, self._number)
        while True:
            refusal: StageFailed | None = None
            self._preparing = anyio.CancelScope()
            with self._preparing:
                attached = await ready.quiet_port()
                try:
                    support = support_for(attached, self._assignment.recipe, self._parts.kinds)
                    if self._assignment.recipe.needs_access:
                        self._device = await ready.device(attached, support)
                except StageFailed as unfit:
                    refusal = unfit
                self._preparing = None
                return refusal

    async def _admit(self, refusal: StageFailed | None) -> None:
        """Run the job once that is allowed; never, if the daemon is about to end."""
        admission = self._parts.admission
        while not admission.closed and (code := admission.begins_not_for) is not None:
            self._machine.waiting(ProblemView(code=code))
            await admission.changed()
        if admission.closed:
            self._machine.waiting(ProblemView(code=ProblemCode.DAEMON_DRAINING))
            return
        with admission.job():
            await self._run_job(refusal)

    async def _run_job(self, refusal: StageFailed | None) -> None:
        """Run the recipe, or end the job at once for what the handset is refused for."""
        parts = self._parts
        recipe = self._assignment.recipe
        now = parts.clock.now()
        job = new_job_id(now, parts.entropy)
        await self._record(
            EntryKind.JOB_OPENED,
            {
                "recipe": recipe.name,
                "recipe_sha256": recipe.digest,
                "recheck_share": recipe.recheck_share,
                **port_record(self._presence.last),
            },
            job,
        )
        self._job = self._station.job = Job(job)
        structlog.contextvars.bind_contextvars(job=job, occupancy=self._number)
        self._machine.began_job(job, recipe)
        support: DeviceSupport | None = None
        try:
            # What the slot is to do may have changed while the job waited to begin.
            support = support_for(self._presence.last, recipe, parts.kinds)
        except StageFailed as unfit:
            refusal = refusal or unfit
        self._station.support = support
        context = JobContext(
            job=job,
            slot=self._place.name,
            profile=None if support is None else support.profile,
            device=self._device,
            station=self._station,
            chips=parts.chips,
            ledger=parts.ledger,
            issuer=parts.issuer,
            clock=parts.clock,
            entropy=parts.entropy,
            keystream=parts.keystream,
            models=parts.models,
            pictures=parts.pictures,
            intake=parts.intake,
            readers=parts.readers,
            other_racks=parts.other_racks,
            holds_unasked=recipe.holds_unasked,
            certifies=recipe.certifies,
            checks_chip_first=recipe.checks_chip_first,
            grounds=refuse_withdrawn,
        )
        self._station.context = context
        runner = JobRunner(
            context=context,
            recipe=recipe,
            occupancy=self._number,
            show_stage=self._machine.began_stage,
        )
        if refusal is None:
            if self._continued is not None:
                await parts.roll_call.answer()
            end = await runner.run()
        else:
            end = end_of_failure(refusal)
        try:
            await self._record_end(end, context.envelope)
        except RecordRefused as refused:
            # What isn't on record with its job's end certifies nothing.
            end, context.envelope = end_of_failure(refused), None
            await self._record_end(end, None)
        if context.envelope is not None:
            await self._keep(job, context.envelope)
        self._machine.finished(end)
        if self._presence.attached is None and end.reason is Reason.OPERATOR_STOPPED:
            # Taken out while it was allowed to leave, and whoever said no has it in hand.
            self._station.departed.cancel()

    async def _keep(self, job: JobId, envelope: bytes) -> None:
        try:
            await self._parts.issuer.keep(job, envelope)
        except BenchdError as refused:
            # The ledger has it, and its file is written at the next start at the latest.
            _log.error("certificate_file_not_written", detail=str(refused))

    async def _record_end(self, end: JobEnd, envelope: bytes | None) -> None:
        certified = end.disposition is Disposition.SELLABLE
        job = self._job.id if self._job else None
        certificate = envelope.decode() if certified and envelope else None
        await self._record(EntryKind.JOB_ENDED, end_record(end, certificate), job)
        if self._job is not None:
            self._job.move(JobState.ENDED)
        self._end = end

    async def _close_job(self, reason: Reason) -> None:
        """Give an open job the end that it had."""
        job = self._job
        if job is not None and not job.ended:
            await self._parts.desk.close(job.id)
            await self._record_end(end_cut_short(reason), None)
        if job is not None:
            self._parts.desk.forget(job.id)

    async def _let_go(self) -> None:
        with anyio.move_on_after(self._parts.timing.closing_s, shield=True):
            context = self._station.context
            device = context.device if context is not None else self._device
            if device is not None:
                await device.aclose()
        # The handset may lie in its slot for hours yet: what was heard and seen of it, with the
        # certificate, is in the ledger.
        self._station.context = self._device = None

    async def _record(self, kind: EntryKind, data: Evidence, job: JobId | None = None) -> None:
        await self._parts.ledger.append(
            Entry(
                kind=kind,
                at=self._parts.clock.now(),
                slot=self._place.name,
                occupancy=self._number,
                job=job,
                data=data,
            )
        )
