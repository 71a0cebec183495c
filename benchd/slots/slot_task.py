"""One task per slot: one occupancy after the other, behind a bulkhead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

import anyio
import structlog
from anyio.streams.memory import MemoryObjectReceiveStream

from benchd.domain.errors import LedgerFault
from benchd.domain.ids import Evidence
from benchd.domain.job import Reason
from benchd.domain.port import Attached, Detached, PlugEvent
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.domain.topology import SlotPlace
from benchd.slots.after_restart import Continued, continued_from
from benchd.slots.occupancy import Occupancy
from benchd.slots.replug_backoff import ReplugBackoff
from benchd.slots.slot_dependencies import Assignment, RackParts
from benchd.slots.slot_state_machine import SlotStateMachine

_log = structlog.get_logger()


class Slot:
    """Looks after one port for as long as the daemon lives."""

    def __init__(self, place: SlotPlace, parts: RackParts) -> None:
        self._place = place
        self._parts = parts
        self._assignment = Assignment(place=place, recipes=parts.recipes)
        self._machine = SlotStateMachine(place, parts.board, parts.clock, parts.pace)
        self._replug_backoff = ReplugBackoff()
        # Without a bound: every event is delivered in order, and a port makes only so many.
        self._send, self._events = anyio.create_memory_object_stream[PlugEvent](math.inf)

    def deliver(self, event: PlugEvent) -> None:
        """Queue a plug event; never blocks."""
        _log.debug("port_event", slot=self._place.name, kind=type(event).__name__.lower())
        # A slot that the ledger has failed ends a moment before the supervisor does.
        with suppress(anyio.ClosedResourceError):
            self._send.send_nowait(event)

    def reassign(self, place: SlotPlace, parts: RackParts) -> None:
        """From the next job on, work as this says; a job that runs keeps the recipe it has.

        The port stays the same: a slot that moves is another slot.
        """
        self._parts = parts
        self._assignment.place = place
        self._assignment.recipes = parts.recipes
        self._machine.reassigned(place.recipe)

    def retire(self) -> None:
        """Before it is cancelled: the slot ends because the configuration has changed."""
        self._assignment.stop_reason = Reason.SLOT_RECONFIGURED

    async def run(self) -> None:
        """Runs until cancelled; only a LedgerFault comes out of it."""
        structlog.contextvars.bind_contextvars(slot=self._place.name)
        with self._send, self._events:
            await self._run()

    async def _run(self) -> None:
        before = await self._parts.ledger.slot_entries(self._place.name)
        number = max((record.entry.occupancy or 0 for record in before), default=0)
        jobs = [record.entry.job for record in before if record.entry.job is not None]
        self._machine.recall(jobs[-1] if jobs else None)
        attached: Attached | None = None
        while True:
            if attached is None:
                event = await self._events.receive()
                if isinstance(event, Detached):
                    continue
                attached = event
            attached = await self._calm(attached, number + 1)
            if attached is None:
                continue
            occupancy: Occupancy | None = None
            try:
                # What a newer release has written in there may be more than this one can read.
                continued = continued_from(before, attached, self._parts.issuer)
                if continued is None:
                    await self._close_left_open(before, number)
                    number += 1
                occupancy = self._occupied(attached, number, continued)
                await occupancy.run()
                attached = occupancy.next_attached
            except Exception as broken:  # noqa: BLE001 - the one bulkhead: neighbours go on
                let_ledger_faults_through(broken)
                attached = await self._quarantine(occupancy, attached, number, broken)
            before = ()

    def _occupied(self, attached: Attached, number: int, continued: Continued | None) -> Occupancy:
        return Occupancy(
            place=self._place,
            parts=self._parts,
            machine=self._machine,
            events=self._events,
            attached=attached,
            number=number,
            continued=continued,
            assignment=self._assignment,
            replug_backoff=self._replug_backoff,
        )

    async def _calm(self, attached: Attached, number: int) -> Attached | None:
        """What lies on the port once that is quiet enough to begin; nothing is recorded before.

        None where it was left empty.
        """
        here: Attached | None = attached
        while True:
            if here is not None:
                self._replug_backoff.note(here)
            pause_s = self._replug_backoff.pause_s
            if pause_s == 0:
                break
            self._machine.flapping(number)
            event: PlugEvent | None = None
            with anyio.move_on_after(pause_s):
                event = await self._events.receive()
            if event is None:
                break
            here = event if isinstance(event, Attached) else None
        if here is None:
            self._machine.empty()
        return here

    async def _close_left_open(self, before: Sequence[StoredEntry], number: int) -> None:
        """A former daemon's occupancy whose handset has left while nobody looked."""
        if before and before[-1].entry.kind is not EntryKind.OCCUPANCY_CLOSED:
            await self._record(EntryKind.OCCUPANCY_CLOSED, number, {"noticed": "at_start"})

    async def _quarantine(
        self, occupancy: Occupancy | None, attached: Attached, number: int, broken: Exception
    ) -> Attached | None:
        """Keep the slot out of use until its handset is unplugged; returns what is plugged next."""
        job, end = (occupancy.job, occupancy.end) if occupancy else (None, None)
        _log.error("slot_quarantined", occupancy=number, job=job, exc_info=broken)
        await self._record(EntryKind.SLOT_QUARANTINED, number, {"error": type(broken).__name__})
        self._machine.quarantined(ProblemView(code=ProblemCode.SLOT_BROKEN), end)
        here = occupancy.attached if occupancy else attached
        following = occupancy.next_attached if occupancy else None
        if following is None and here is not None:
            following = await until_gone(self._events, here)
        await self._record(EntryKind.OCCUPANCY_CLOSED, number, {})
        self._machine.empty()
        return following

    async def _record(self, kind: EntryKind, number: int, data: Evidence) -> None:
        await self._parts.ledger.append(
            Entry(
                kind=kind,
                at=self._parts.clock.now(),
                slot=self._place.name,
                occupancy=number,
                data=data,
            )
        )


async def until_gone(
    events: MemoryObjectReceiveStream[PlugEvent], here: Attached
) -> Attached | None:
    """Return once what is here has left, with what has come in its place, if anything has."""
    while True:
        match await events.receive():
            case Detached():
                return None
            case Attached() as event if event.attachment != here.attachment:
                return event
            case Attached():
                pass


def let_ledger_faults_through(broken: Exception) -> None:
    """No ledger, no wipe: this one fault stops the daemon."""
    if isinstance(broken, LedgerFault):
        raise broken
    if isinstance(broken, BaseExceptionGroup):
        faults = cast("BaseExceptionGroup[BaseException]", broken).subgroup(LedgerFault)
        if faults is not None:
            raise faults
