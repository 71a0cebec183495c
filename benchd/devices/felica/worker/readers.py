"""All readers of one pcscd inside a worker: who has which slot, who is stuck, what they do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import anyio
from anyio.abc import TaskGroup

from benchd.devices.felica.readers.pcsc import Connection, Context
from benchd.devices.felica.readers.reader_assignment import USB, Assigned, ReaderSeen, assign
from benchd.devices.felica.readers.reader_thread import ReaderThread
from benchd.devices.felica.readers.reader_watch import ReadersSeen
from benchd.devices.felica.readers.session import ReaderSession
from benchd.devices.felica.readers.usb_ports import (
    SYSFS_USB,
    look_up_port,
    plugged_readers,
    port_of_reader,
)
from benchd.devices.felica.worker.wire import STUCK, WorkerOrder
from benchd.domain.errors import BenchdError, ReaderFault, ReaderGone, ReaderStuck
from benchd.domain.ids import SlotName

PORT_WITHIN_S: Final = 10.0
LOOK_EVERY_S: Final = 1.0
"""How often it is looked whether a thread is stuck; each call that it makes sets a new time."""

Result = TypeVar("Result")
Troubles = dict[SlotName, str | None]
"""Why a slot's reader can't be used; None where it can."""


class RackReaders:
    """Lives on the worker's loop; everything that blocks is done by a reader's own thread."""

    def __init__(
        self,
        order: WorkerOrder,
        tasks: TaskGroup,
        tell: Callable[[Troubles], None],
        *,
        sysfs: Path = SYSFS_USB,
    ) -> None:
        """`tell` hears of every slot at first and whenever something has changed."""
        self._order = order
        self._tasks = tasks
        self._tell = tell
        self._sysfs = sysfs
        self._needs_ports = any(wish.startswith(USB) for wish in order.slots.values())
        self._trouble: str | None = "pcscd wasn't asked yet"
        self._threads: dict[str, ReaderThread] = {}
        self._ports: dict[str, str | None] = {}
        self._stuck: set[ReaderThread] = set()
        self._assigned: dict[SlotName, Assigned] = {}
        self._told: Troubles | None = None

    def seen(self, seen: ReadersSeen) -> None:
        """Take over what the watch has seen."""
        self._trouble = seen.trouble
        for name in self._threads.keys() - set(seen.names):
            self._threads.pop(name).end()
            self._ports.pop(name, None)
        for name in seen.names:
            if name not in self._threads:
                self._threads[name] = ReaderThread(name)
            if self._needs_ports:
                # Also of those that were there: a replugged one may have got another's name.
                self._tasks.start_soon(self._find_port, self._threads[name])
        self._assign()

    def model(self, slot: SlotName) -> str:
        """What kind of reader the slot has; raises ReaderGone."""
        return self._thread(slot).model

    async def work(
        self, slot: SlotName, work: Callable[[ReaderSession], Result], within_s: float
    ) -> Result:
        """Have something done with the slot's reader.

        Raises ReaderGone where it isn't there, ReaderStuck where it is stuck already, ReaderFault
        where it gets stuck, or where the work isn't done in time.
        """
        thread = self._thread(slot)
        if thread in self._stuck:
            raise ReaderStuck(STUCK)
        future = thread.with_session(work, partial(self._is_meant, slot))
        return await self._finish(thread, future, within_s)

    def give_up(self, slot: SlotName) -> None:
        """End what the slot's reader does as soon as its driver lets it."""
        name = self._assigned[slot].reader if slot in self._assigned else None
        if name is not None and name in self._threads:
            self._threads[name].give_up()

    async def _finish(
        self, thread: ReaderThread, future: Future[Result], within_s: float
    ) -> Result:
        done = anyio.Event()
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(done.set))
        try:
            with anyio.fail_after(within_s):
                while not done.is_set():
                    left_s = thread.overdue_in_s
                    if left_s <= 0:
                        self._now_stuck(thread, done)
                        raise ReaderFault(STUCK)
                    with anyio.move_on_after(min(left_s, LOOK_EVERY_S)):
                        await done.wait()
        except TimeoutError:
            thread.give_up()
            raise ReaderFault(f"the reader wasn't done in {within_s:.0f} s") from None
        return future.result()

    def _now_stuck(self, thread: ReaderThread, done: anyio.Event) -> None:
        thread.give_up()
        self._stuck.add(thread)
        self._tasks.start_soon(self._until_back, thread, done)
        self._assign()

    async def _until_back(self, thread: ReaderThread, done: anyio.Event) -> None:
        await done.wait()
        self._stuck.discard(thread)
        self._assign()

    async def _find_port(self, thread: ReaderThread) -> None:
        try:
            look = partial(look_up_port, reader=thread.reader, sysfs=self._sysfs)
            future = thread.with_context(look)
            port = await self._finish(thread, future, PORT_WITHIN_S)
        except BenchdError:
            port = None
        if self._threads.get(thread.reader) is thread:
            self._ports[thread.reader] = port
            self._assign()

    def _is_meant(self, slot: SlotName, context: Context, connection: Connection) -> bool:
        """Whether a connection leads to the USB port that the slot's reader sits in."""
        wish = self._order.slots[slot]
        if not wish.startswith(USB):
            return True
        return port_of_reader(context, connection, self._sysfs) == wish.removeprefix(USB)

    def _thread(self, slot: SlotName) -> ReaderThread:
        assigned = self._assigned.get(slot)
        if self._trouble is not None:
            raise ReaderGone(self._trouble)
        if assigned is None or assigned.reader is None:
            raise ReaderGone(assigned.cause if assigned else f"slot {slot} has no reader")
        return self._threads[assigned.reader]

    def _assign(self) -> None:
        seen = [ReaderSeen(name=name, usb_port=self._ports.get(name)) for name in self._threads]
        self._assigned = assign(self._order.slots, seen, plugged_readers(self._sysfs))
        if self._told is None and self._needs_ports and self._threads.keys() - self._ports.keys():
            return  # the first word is one on all of them
        troubles = {slot: self._trouble_of(slot) for slot in self._order.slots}
        if troubles != self._told:
            self._told = troubles
            self._tell(troubles)

    def _trouble_of(self, slot: SlotName) -> str | None:
        try:
            return STUCK if self._thread(slot) in self._stuck else None
        except ReaderGone as gone:
            return str(gone)
