"""The daemon's end of one reader worker: started anew when it dies, whatever was asked fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import anyio
import structlog
from anyio.abc import Process, TaskStatus
from anyio.streams.buffered import BufferedByteReceiveStream

from benchd.devices.felica.worker.wire import (
    LONGEST_LINE,
    CaptureOrder,
    WorkerOrder,
    decode,
    encode,
    scan_of,
    troubles_of,
)
from benchd.domain.chip import ChipScan
from benchd.domain.errors import ReaderFault, ReaderGone, ReaderStuck, UsageRefused
from benchd.domain.ids import SlotName

_log = structlog.get_logger()

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 10.0
STEADY_AFTER_S: Final = 30.0
ANSWER_LATE_S: Final = 15.0
"""How much longer than the request allows its answer may take; the worker has deadlines itself."""
KILL_DEADLINE_S: Final = 5.0
BEAT_EVERY_S: Final = 5.0
BEAT_WITHIN_S: Final = 15.0
"""Only its loop answers, which waits for no reader: a machine with much to do is late by less."""
FIRST_BEAT_WITHIN_S: Final = 60.0
"""A machine that has just been switched on starts everything at once."""
NOT_RUNNING: Final = "the reader worker isn't running"

_LOST = (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


class _Request:
    """One question that was sent and has no answer yet."""

    def __init__(self) -> None:
        self.answered = anyio.Event()
        self.answer: Mapping[str, object] = {"gone": NOT_RUNNING}


class ReaderWorker:
    """One worker process for one pcscd."""

    def __init__(self, *, pcscd: Path, order: WorkerOrder, changed: Callable[[], None]) -> None:
        """`pcscd` is its socket; `changed` is called whenever `troubles` is another."""
        self._pcscd = pcscd
        self._order = order
        self._changed = changed
        self._process: Process | None = None
        self._requests: dict[int, _Request] = {}
        self._number = 0
        self._sending = anyio.Lock()
        self._spoke = False
        """Whether this life of the process has said anything; of those that don't, only the
        first is logged."""
        self.answers = False
        """Whether this life of the process has answered, and the last time that it was asked."""
        self.beats = 0
        """How often one has."""
        self.troubles: Mapping[SlotName, str | None] = {}
        """Why the reader of each slot can't be used, None where it can; empty at first."""

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return None if self._process is None else self._process.pid

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Keep the worker up until cancelled."""
        task_status.started()
        pause_s = FIRST_PAUSE_S
        told = False
        while True:
            began = anyio.current_time()
            try:
                cause = await self._live()
            except OSError as failure:
                cause = f"it can't be started: {failure.strerror}"
            self._fail_all()
            if anyio.current_time() - began >= STEADY_AFTER_S:
                pause_s = FIRST_PAUSE_S
            if self._spoke or not told:
                _log.error("reader_worker_ended", pcscd=str(self._pcscd), cause=cause)
            told, self._spoke = True, False
            await anyio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def scan(
        self, slot: SlotName, *, passes: int, power_cycle: bool, within_s: float
    ) -> ChipScan:
        """What the slot's reader sees; raises ReaderGone and ReaderFault."""
        answer = await self._ask(
            "scan", slot, within_s, {"passes": passes, "power_cycle": power_cycle}
        )
        return scan_of(answer)

    async def capture(self, slot: SlotName, order: CaptureOrder, *, within_s: float) -> str:
        """The text of a baseline; raises UsageRefused besides ReaderGone and ReaderFault."""
        answer = await self._ask("capture", slot, within_s, {"capture": order.as_message()})
        return str(answer["baseline"])

    async def field_off(self, slot: SlotName, *, within_s: float) -> None:
        """Returns when the field is off and the reader free; raises ReaderGone and ReaderFault."""
        await self._ask("field_off", slot, within_s, {})

    async def _ask(
        self, do: str, slot: SlotName, within_s: float, more: Mapping[str, object]
    ) -> Mapping[str, object]:
        self._number += 1
        number, request = self._number, _Request()
        self._requests[number] = request
        try:
            message = {"id": number, "do": do, "slot": slot, "within_s": within_s, **more}
            await self._send(encode(message))
            with anyio.fail_after(within_s + ANSWER_LATE_S):
                await request.answered.wait()
        except TimeoutError:
            raise ReaderFault("the reader worker doesn't answer") from None
        finally:
            del self._requests[number]
            if not request.answered.is_set():
                with anyio.move_on_after(1, shield=True), suppress(ReaderGone):
                    await self._send(encode({"id": number, "do": "give_up"}))
        match request.answer:
            case {"stuck": str(why)}:
                raise ReaderStuck(why)
            case {"gone": str(why)}:
                raise ReaderGone(why)
            case {"fault": str(why)}:
                raise ReaderFault(why)
            case {"refused": str(why)}:
                raise UsageRefused(why)
            case answer:
                return answer

    async def _send(self, line: bytes) -> None:
        process = self._process
        if process is None or process.stdin is None:
            raise ReaderGone(NOT_RUNNING)
        try:
            async with self._sending:
                await process.stdin.send(line)
        except _LOST:
            raise ReaderGone(NOT_RUNNING) from None

    async def _live(self) -> str:
        """One life of the process; returns how it ended."""
        process = await anyio.open_process(
            [sys.executable, "-m", "benchd.devices.felica.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None,
            env={**os.environ, "PCSCLITE_CSOCK_NAME": str(self._pcscd)},
            # Ctrl+C at a terminal is the daemon's to act on.
            start_new_session=True,
        )
        try:
            self._process = process
            return await self._until_useless(process)
        finally:
            self._process = None
            await _end(process)

    async def _until_useless(self, process: Process) -> str:
        """Returns why it is no longer to be used: it has ended, or hangs."""
        causes: list[str] = []
        async with anyio.create_task_group() as tasks:

            async def until(useless: Callable[[], Awaitable[str]]) -> None:
                causes.append(await useless())
                tasks.cancel_scope.cancel()

            tasks.start_soon(until, partial(self._listen, process))
            tasks.start_soon(until, self._missed_a_beat)
        return causes[0]

    async def _missed_a_beat(self) -> str:
        within_s = FIRST_BEAT_WITHIN_S
        try:
            with anyio.fail_after(within_s):
                await self._send(encode(self._order.as_message()))
                await self._beat()
            within_s = BEAT_WITHIN_S
            while True:
                self.answers, self.beats = True, self.beats + 1
                self._changed()
                await anyio.sleep(BEAT_EVERY_S)
                with anyio.fail_after(within_s):
                    await self._beat()
        except TimeoutError:
            return f"it hasn't answered for {within_s:.0f} s"
        except ReaderGone:
            # Whoever listens knows better how it has ended.
            await anyio.sleep(KILL_DEADLINE_S)
            return "it takes no requests"

    async def _beat(self) -> None:
        self._number += 1
        number, request = self._number, _Request()
        self._requests[number] = request
        try:
            await self._send(encode({"id": number, "do": "beat"}))
            await request.answered.wait()
        finally:
            del self._requests[number]

    def _fail_all(self) -> None:
        self.answers = False
        for request in self._requests.values():
            request.answer = {"gone": "the reader worker ended in the middle of it"}
            request.answered.set()
        self._tell(dict.fromkeys(self._order.slots, NOT_RUNNING))

    async def _listen(self, process: Process) -> str:
        if process.stdout is None:
            return "it has no output"
        lines = BufferedByteReceiveStream(process.stdout)
        while True:
            try:
                self._take(decode(await lines.receive_until(b"\n", LONGEST_LINE)))
            except (anyio.EndOfStream, anyio.IncompleteRead, anyio.ClosedResourceError):
                return f"it ended with {await process.wait()}"
            except (ValueError, anyio.DelimiterNotFound):
                return "it said something that isn't an answer"

    def _take(self, message: Mapping[str, object]) -> None:
        self._spoke = True
        match message:
            case {"slots": _}:
                self._tell(troubles_of(message, self._order.slots))
            case {"id": int(number)} if number in self._requests:
                self._requests[number].answer = message
                self._requests[number].answered.set()
            case _:
                pass  # the answer to a request that nobody waits for any more

    def _tell(self, troubles: Mapping[SlotName, str | None]) -> None:
        self.troubles = troubles
        self._changed()


async def _end(process: Process) -> None:
    with anyio.move_on_after(KILL_DEADLINE_S, shield=True):
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.wait()
        await process.aclose()
