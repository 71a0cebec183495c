"""Commands on a handset: streams with separate outputs and an exit code that really arrived."""

from __future__ import annotations

import re
import shlex
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

import anyio
import structlog

from benchd.devices.android.adb import AdbServerLost
from benchd.devices.android.server.smart_socket import RequestRefused, SmartSocket
from benchd.devices.android.server.transports import Transport, TransportOpener
from benchd.devices.android.shell.flow import Flow
from benchd.devices.android.shell.packets import (
    Exit,
    Output,
    PacketReader,
    ShellEvent,
    StdinPackets,
    close_stdin_packet,
    stdin_packets,
)
from benchd.domain.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetFault,
    HandsetGone,
    HandsetStalled,
)

COMMAND_DEADLINE_S: Final = 20.0
MAXIMUM_OUTPUT_BYTES: Final = 4 << 20
SEND_PIECE_BYTES: Final = 256 << 10
FLOOD: Final = "the handset floods its answer with packets that hold next to nothing"

_log = structlog.get_logger()
_PROGRAM: Final = re.compile(r"[\w./-]{1,80}")

Blame = Callable[[], Coroutine[Any, Any, HandsetFault]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What a command wrote, and the exit code that the handset sent for it."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class CommandStream(Protocol):
    """A command that is running on a handset."""

    async def send(self, data: bytes | StdinPackets) -> None:
        """Write to its standard input."""
        ...

    async def close_stdin(self) -> None:
        """End its standard input."""
        ...

    async def receive(self) -> ShellEvent:
        """The next of its outputs, or its exit; raises HandsetGone if neither can come any more."""
        ...

    async def stalled(self, detail: str) -> BenchdError:
        """Whose fault a long silence is: the handset's, unless the adb server is silent too.

        Where the handset had to be held up it isn't even silent.
        """
        ...


class Shell(Protocol):
    """Where commands run: one handset, as long as its transport lasts."""

    def stream(
        self, command: str, *, opens_within_s: float = COMMAND_DEADLINE_S
    ) -> AbstractAsyncContextManager[CommandStream]:
        """Start a command and stay with it for the length of the block."""
        ...

    async def run(
        self,
        command: str,
        *,
        stdin: bytes | StdinPackets = b"",
        deadline_s: float = COMMAND_DEADLINE_S,
        maximum_output_bytes: int = MAXIMUM_OUTPUT_BYTES,
    ) -> Completed:
        """Run a command to its end."""
        ...


def command_line(*arguments: str) -> str:
    """A command line in which each argument arrives as it is."""
    return shlex.join(arguments)


class AdbCommandStream:
    """A command over adb's second shell protocol, on the event loop."""

    def __init__(self, socket: SmartSocket, blame: Blame, flow: Flow) -> None:
        self._socket = socket
        self._reader = PacketReader()
        self._flow = flow
        self.floods = False
        """Whether it had to be held up."""
        self._waiting = deque[ShellEvent]()
        self._blame = blame

    async def send(self, data: bytes | StdinPackets) -> None:
        """Write to the command's standard input, as fast as it reads."""
        if isinstance(data, StdinPackets):
            for piece in data.pieces:
                await self._send(piece)
            return
        for start in range(0, len(data), SEND_PIECE_BYTES):
            await self._send(stdin_packets(data[start : start + SEND_PIECE_BYTES]))

    async def close_stdin(self) -> None:
        """End the command's standard input."""
        await self._send(close_stdin_packet())

    async def receive(self) -> ShellEvent:
        """The next output or the exit."""
        while not self._waiting:
            try:
                data = await self._socket.stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError, OSError) as ended:
                raise await self._blame() from ended
            before = self._reader.packets
            self._waiting.extend(self._reader.feed(data))
            packets = self._reader.packets - before
            self.floods |= await self._flow.pay(packets=packets, size_bytes=len(data))
        return self._waiting.popleft()

    async def stalled(self, detail: str) -> BenchdError:
        """What a long silence is to be taken for: a flood that was held up isn't one."""
        if self.floods:
            return AnswerNotRecognised(FLOOD)
        return silence(await self._blame(), detail)

    async def _send(self, packets: bytes) -> None:
        try:
            await self._socket.stream.send(packets)
        except (anyio.BrokenResourceError, OSError) as broken:
            raise await self._blame() from broken


class AdbShell:
    """Runs commands over one transport."""

    def __init__(
        self, opener: TransportOpener, transport: Transport, flow: Flow | None = None
    ) -> None:
        """`flow` is what other shells of the same handset share with it."""
        self._opener = opener
        self._transport = transport
        self._flow = flow or Flow()

    @asynccontextmanager
    async def stream(
        self, command: str, *, opens_within_s: float = COMMAND_DEADLINE_S
    ) -> AsyncGenerator[AdbCommandStream, None]:
        """Start a command; leaving the block early ends the connection, and with it the command."""
        async with self._connected() as socket:
            yield await self._started(socket, command, opens_within_s)

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[SmartSocket, None]:
        socket = await self._opener.open(self._transport)
        try:
            yield socket
        finally:
            socket.stream.close()

    async def _started(
        self, socket: SmartSocket, command: str, within_s: float
    ) -> AdbCommandStream:
        try:
            with anyio.fail_after(within_s):
                await socket.request(f"shell,v2,raw:{command}")
        except TimeoutError as late:
            raise await self._stalled("no shell was opened") from late
        except (RequestRefused, AdbServerLost) as refused:
            raise await self._fault() from refused
        return AdbCommandStream(socket, self._fault, self._flow)

    async def run(
        self,
        command: str,
        *,
        stdin: bytes | StdinPackets = b"",
        deadline_s: float = COMMAND_DEADLINE_S,
        maximum_output_bytes: int = MAXIMUM_OUTPUT_BYTES,
    ) -> Completed:
        """Run a command to its end; its output is bounded, as is its time.

        That begins with the connection: waiting for a turn at the server says nothing of the
        handset, and ends by itself.
        """
        began = anyio.current_time()
        completed: Completed | None = None
        running: AdbCommandStream | None = None
        try:
            async with self._connected() as socket:
                with anyio.fail_after(deadline_s):
                    running = await self._started(socket, command, COMMAND_DEADLINE_S)
                    completed = await complete(running, stdin, maximum_output_bytes)
                    return completed
        except TimeoutError as late:
            stalled = self._stalled if running is None else running.stalled
            raise await stalled(f"no answer within {deadline_s:.0f} s") from late
        finally:
            _tell(command, completed, anyio.current_time() - began)

    async def _fault(self) -> HandsetFault:
        return await self._opener.blame(self._transport)

    async def _stalled(self, detail: str) -> BenchdError:
        return silence(await self._fault(), detail)


def _tell(command: str, completed: Completed | None, seconds: float) -> None:
    """Neither arguments nor answers, which may hold anybody's data."""
    _log.debug(
        "command_ended",
        program=found[0] if (found := _PROGRAM.search(command)) else None,
        exit_code=None if completed is None else completed.exit_code,
        answered_bytes=None if completed is None else len(completed.stdout),
        seconds=round(seconds, 3),
    )


def silence(found: HandsetFault, detail: str) -> BenchdError:
    """A handset that doesn't answer though the adb server does has stalled."""
    return HandsetStalled(detail) if isinstance(found, HandsetGone) else found


async def complete(
    running: CommandStream, stdin: bytes | StdinPackets, maximum_output_bytes: int
) -> Completed:
    """Feed a command and collect all that it writes, up to its exit."""
    if not stdin:
        # A packet of five bytes, which waits for nobody.
        await _feed(running, stdin)
        return await _collect(running, maximum_output_bytes)
    failures: list[BenchdError] = []
    results: list[Completed] = []
    async with anyio.create_task_group() as tasks:
        # Side by side: a command may end without reading its input, and its exit code is what
        # counts then, not that the rest of the input found no taker.
        tasks.start_soon(_feed, running, stdin)
        try:
            results.append(await _collect(running, maximum_output_bytes))
        except BenchdError as failure:
            failures.append(failure)
        tasks.cancel_scope.cancel()
    if failures:
        raise failures[0]
    return results[0]


async def _feed(running: CommandStream, stdin: bytes | StdinPackets) -> None:
    with suppress(HandsetFault):
        if stdin:
            await running.send(stdin)
        await running.close_stdin()


async def _collect(running: CommandStream, maximum_output_bytes: int) -> Completed:
    outputs = {False: bytearray(), True: bytearray()}
    while True:
        match await running.receive():
            case Exit(code):
                return Completed(
                    exit_code=code, stdout=bytes(outputs[False]), stderr=bytes(outputs[True])
                )
            case Output(data, is_error):
                outputs[is_error] += data
                if sum(map(len, outputs.values())) > maximum_output_bytes:
                    raise AnswerNotRecognised(f"more than {maximum_output_bytes} bytes of output")


def require_success(completed: Completed, what: str) -> bytes:
    """The output of a command that must end with 0."""
    if completed.exit_code != 0:
        raise AnswerNotRecognised(f"{what} ended with {completed.exit_code}")
    return completed.stdout
