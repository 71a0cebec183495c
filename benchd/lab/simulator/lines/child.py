"""A child process that takes requests and gives answers and events as JSON lines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from benchd.domain.errors import BenchdError
from benchd.domain.ids import JsonValue

LINE_MAXIMUM_BYTES: Final = 1 << 20
ANSWER_DEADLINE_S: Final = 30.0

Message = Mapping[str, JsonValue]
EventSink = Callable[[Message], None]


class RackBroken(BenchdError):
    """Raised when a part of the virtual rack itself died or refused; no handset did that."""


class Child:
    """One such process. `run` must be running for anything to be answered."""

    def __init__(self, *, name: str, argv: Sequence[str], log: Path, on_event: EventSink) -> None:
        self._name = name
        self._argv = tuple(argv)
        self._log = log
        self._on_event = on_event
        self._process: Process | None = None
        self._next_id = 0
        self._answers: dict[int, Message] = {}
        self._arrived = anyio.Condition()
        self._ended: str | None = None

    @property
    def pid(self) -> int | None:
        """The process id, once started."""
        return None if self._process is None else self._process.pid

    async def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start the process; what it says on stderr goes to the log."""
        with self._log.open("ab") as log:
            self._process = await anyio.open_process(
                self._argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    async def run(self) -> str:
        """Take answers and events until the process ends; returns how it ended."""
        process = self._process
        if process is None or process.stdout is None:
            raise RackBroken(f"{self._name}: not started")
        lines = BufferedByteReceiveStream(process.stdout)
        try:
            while True:
                line = await lines.receive_until(b"\n", LINE_MAXIMUM_BYTES)
                await self._take(json.loads(line))
        except (anyio.IncompleteRead, anyio.EndOfStream, anyio.ClosedResourceError):
            status = await process.wait()
        async with self._arrived:
            self._ended = f"{self._name} ended with {status}"
            self._arrived.notify_all()
        return self._ended

    async def say(self, message: Message) -> None:
        """Send one line without expecting an answer."""
        process = self._process
        if process is None or process.stdin is None:
            raise RackBroken(f"{self._name}: not started")
        try:
            await process.stdin.send(json.dumps(message).encode() + b"\n")
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as gone:
            raise RackBroken(self._ended or f"{self._name} is gone") from gone

    async def ask(self, do: str, **parameters: JsonValue) -> Message:
        """Send a request and wait for its answer."""
        self._next_id += 1
        number = self._next_id
        await self.say({"id": number, "do": do, **parameters})
        try:
            with anyio.fail_after(ANSWER_DEADLINE_S):
                async with self._arrived:
                    while number not in self._answers:
                        if self._ended is not None:
                            raise RackBroken(self._ended)
                        await self._arrived.wait()
        except TimeoutError as late:
            raise RackBroken(f"{self._name}: no answer to {do}") from late
        answer = self._answers.pop(number)
        if "error" in answer:
            raise RackBroken(f"{self._name}: {do}: {answer['error']}")
        return answer

    async def kill(self) -> None:
        """End the process and wait for its end."""
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()

    async def _take(self, message: Message) -> None:
        number = message.get("id")
        if isinstance(number, int):
            async with self._arrived:
                self._answers[number] = message
                self._arrived.notify_all()
        else:
            self._on_event(message)
