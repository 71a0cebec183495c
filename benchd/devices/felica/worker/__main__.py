"""`python -m benchd.devices.felica.worker`: the readers of one pcscd, in a process of their own.

pcscd's client library reads PCSCLITE_CSOCK_NAME once per process, and a call into a driver that
never comes back can only be ended together with its process. See `wire` for what is said.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import BinaryIO

import anyio
from anyio.abc import TaskGroup

from benchd.devices.felica.readers.reader_watch import ReadersSeen, ReaderWatch
from benchd.devices.felica.readers.session import ReaderSession
from benchd.devices.felica.worker.chip_tasks import ChipTasks
from benchd.devices.felica.worker.readers import RackReaders, Troubles
from benchd.devices.felica.worker.wire import (
    LONGEST_LINE,
    Message,
    WorkerOrder,
    capture_of,
    decode,
    encode,
    failure_message,
    order_of,
    scan_message,
)
from benchd.domain.errors import BenchdError, ReaderFault
from benchd.domain.ids import SlotName

Say = Callable[[Message], None]


class Worker:
    """Answers requests, each in a task of its own; all state lives on the loop."""

    def __init__(
        self, readers: RackReaders, tasks: TaskGroup, chip_tasks: ChipTasks, say: Say
    ) -> None:
        self._readers = readers
        self._tasks = tasks
        self._chip_tasks = chip_tasks
        self._say = say
        self._open: dict[int, SlotName] = {}
        """The slot of each request without an answer."""

    def take(self, message: Mapping[str, object]) -> None:
        """Begin with one request."""
        number = int(str(message["id"]))
        if message["do"] == "beat":
            self._say({"id": number, "alive": True})
            return
        if message["do"] == "give_up":
            if number in self._open:
                self._readers.give_up(self._open[number])
            return
        self._open[number] = SlotName(str(message["slot"]))
        self._tasks.start_soon(self._answer, number, message)

    async def _answer(self, number: int, message: Mapping[str, object]) -> None:
        try:
            self._say(await self._done(number, message))
        except BenchdError as failure:
            self._say(failure_message(number, failure))
        except Exception as mistake:  # noqa: BLE001 - the other readers of this process go on
            name = type(mistake).__name__
            self._say(failure_message(number, ReaderFault(f"internal error: {name}")))
        finally:
            del self._open[number]

    async def _done(self, number: int, message: Mapping[str, object]) -> Message:
        slot, within_s = self._open[number], float(str(message["within_s"]))
        if message["do"] == "field_off":
            await self._readers.work(slot, ReaderSession.field_off, within_s)
            return {"id": number, "done": True}
        if message["do"] == "capture":
            order = capture_of(message)
            text = await self._readers.work(
                slot, lambda session: self._chip_tasks.capture(session, order), within_s
            )
            return {"id": number, "baseline": text}
        scan = partial(
            self._chip_tasks.scan,
            reader=self._readers.model(slot),
            passes=int(str(message["passes"])),
            power_cycle=message["power_cycle"] is True,
        )
        return scan_message(number, await self._readers.work(slot, scan, within_s))


async def serve(order: WorkerOrder, lines: BinaryIO, say: Say) -> None:
    """Answer what comes in as lines until they end."""
    loop = asyncio.get_running_loop()
    ended = anyio.Event()
    async with anyio.create_task_group() as tasks:

        def tell(troubles: Troubles) -> None:
            say({"slots": dict(troubles)})

        readers = RackReaders(order, tasks, tell)
        worker = Worker(readers, tasks, ChipTasks(order), say)

        def listen() -> None:
            while line := lines.readline(LONGEST_LINE):
                loop.call_soon_threadsafe(worker.take, decode(line))
            loop.call_soon_threadsafe(ended.set)

        def see(seen: ReadersSeen) -> None:
            # Once the loop has ended, so does the process.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(readers.seen, seen)

        # Daemon threads: neither may keep the process from ending.
        threading.Thread(target=listen, name="requests", daemon=True).start()
        ReaderWatch(see).start()
        await ended.wait()
        tasks.cancel_scope.cancel()


def main() -> None:
    """Ends when standard input does, which is when the daemon is gone."""

    def say(message: Message) -> None:
        sys.stdout.buffer.write(encode(message))
        sys.stdout.buffer.flush()

    status = 0
    try:
        lines = sys.stdin.buffer
        anyio.run(serve, order_of(decode(lines.readline(LONGEST_LINE))), lines, say)
    except* (BenchdError, OSError) as broken:
        sys.stderr.write(f"benchd: reader worker: {broken.exceptions}\n")
        status = 1
    sys.stderr.flush()
    # A thread that is stuck in a driver would hold up an orderly end for good.
    os._exit(status)


if __name__ == "__main__":
    main()
