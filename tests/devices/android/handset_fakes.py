"""Answers of real and made-up handsets, and fakes: an adb server that obeys, and shells."""

from __future__ import annotations

import gc
import json
import re
import tempfile
import tomllib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import SocketStream

from benchd.devices.android.fill.sample_stream import READ_BLOCKS
from benchd.devices.android.fill.shown_reads import PROBE
from benchd.devices.android.server.smart_socket import ServerPlace
from benchd.devices.android.shell.commands import (
    COMMAND_DEADLINE_S,
    MAXIMUM_OUTPUT_BYTES,
    Completed,
    complete,
)
from benchd.devices.android.shell.packets import Exit, Output, PacketId, ShellEvent, StdinPackets
from benchd.domain.errors import BenchdError, HandsetGone, HandsetStalled

Handler = Callable[["FakeLink", str], Awaitable[None]]


class FakeLink:
    """One connection to the fake server."""

    def __init__(self, stream: SocketStream) -> None:
        self.stream = stream
        self._buffer = b""

    async def request(self) -> str:
        header = await self.read(4)
        return (await self.read(int(header, 16))).decode()

    async def read(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._buffer += await self.stream.receive()
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    async def okay(self, text: str | None = None) -> None:
        await self.stream.send(b"OKAY")
        if text is not None:
            await self.block(text)

    async def fail(self, text: str) -> None:
        await self.stream.send(b"FAIL" + f"{len(text.encode()):04x}".encode() + text.encode())

    async def block(self, text: str) -> None:
        await self.stream.send(f"{len(text.encode()):04x}".encode() + text.encode())

    async def hang(self) -> None:
        await self.until_closed()

    async def until_closed(self) -> None:
        try:
            while True:
                await self.stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            pass


@dataclass
class FakeServer:
    """What benchd knows of its server (`AdbServerAccess`), with a fake one behind it."""

    place: ServerPlace = ServerPlace(path=Path("nowhere"))  # noqa: RUF009 - frozen
    generation: int = 1
    alive: bool = True
    requests: list[str] = field(default_factory=list)
    handlers: dict[str, Handler] = field(default_factory=dict)
    paths: dict[int, str] = field(default_factory=dict)
    """Where its transports are; those that it doesn't have here it doesn't have."""
    states: dict[int, str] = field(default_factory=dict)
    """The states of those that aren't `device`."""
    open_links: int = 0

    def serving(self, generation: int) -> bool:
        return self.alive and generation == self.generation

    async def until_up(self) -> None:
        await until(lambda: self.alive)

    async def until_over(self, generation: int) -> None:
        await until(lambda: not self.serving(generation), within_s=60)

    def on(self, prefix: str, handler: Handler) -> None:
        self.handlers[prefix] = handler

    async def _answer(self, link: FakeLink, text: str) -> None:
        """What adb 34.0.5 answers to what it is asked about a transport, and to newer services."""
        head, _, rest = text.partition(":")
        number, _, service = rest.partition(":")
        state = self.states.get(int(number), "device") if number.isdigit() else ""
        if head != "host-transport-id":
            await link.fail(f"unknown host service '{rest}'")
        elif int(number) not in self.paths:
            await link.fail(f"no device with transport id '{number}'")
        elif state in ("offline", "unauthorized"):
            await link.fail(f"device {state}")
        else:
            await link.okay(self.paths[int(number)] if service == "get-devpath" else state)

    async def _serve(self, stream: SocketStream) -> None:
        self.open_links += 1
        try:
            async with stream:
                link = FakeLink(stream)
                while True:
                    text = await link.request()
                    self.requests.append(text)
                    if text == "host:version" and text not in self.handlers:
                        await link.okay("0029")
                        return
                    prefix = next((key for key in self.handlers if text.startswith(key)), "")
                    await self.handlers.get(prefix, self._answer)(link, text)
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass
        finally:
            self.open_links -= 1


async def until(condition: Callable[[], bool], within_s: float = 10) -> None:
    """Wait for what another process or the kernel brings about: it gives no sign to wait on."""
    with anyio.fail_after(within_s):
        while not condition():  # noqa: ASYNC110 - there is no event, see above
            await anyio.sleep(0.002)


@asynccontextmanager
async def fake_server() -> AsyncGenerator[FakeServer, None]:
    with tempfile.TemporaryDirectory(prefix="benchd-fake-adb-") as folder:
        path = Path(folder) / "adb.sock"
        server = FakeServer(place=ServerPlace(path=path))
        listener = await anyio.create_unix_listener(path)
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, server._serve)
            try:
                yield server
            finally:
                tasks.cancel_scope.cancel()


@dataclass(frozen=True)
class Pause:
    """A fake command says nothing for this long."""

    seconds: float


class Unplug:
    """The transport ends here."""


Step = ShellEvent | Pause | Unplug | BenchdError


def plain(data: bytes | StdinPackets) -> bytes:
    """What a command finds in its standard input."""
    if isinstance(data, bytes):
        return data
    packets, found = memoryview(b"".join(data.pieces)), bytearray()
    while packets:
        assert packets[0] == PacketId.STDIN
        end = 5 + int.from_bytes(packets[1:5], "little")
        found += packets[5:end]
        packets = packets[end:]
    return bytes(found)


@dataclass
class FakeStream:
    """A command that runs through its steps."""

    steps: list[Step]
    stdin: bytearray = field(default_factory=bytearray)
    stdin_closed: bool = False

    async def send(self, data: bytes | StdinPackets) -> None:
        self.stdin += plain(data)

    async def close_stdin(self) -> None:
        self.stdin_closed = True

    async def receive(self) -> ShellEvent:
        while True:
            step = self.steps.pop(0) if self.steps else Unplug()
            match step:
                case Pause(seconds):
                    await anyio.sleep(seconds)
                case Unplug():
                    raise HandsetGone("fake: unplugged")
                case BenchdError():
                    raise step
                case _:
                    return step

    async def stalled(self, detail: str) -> BenchdError:
        return HandsetStalled(detail)


Reply = Callable[[str], Sequence[Step]]
"""What a handset sends for a request for blocks that bears this mark."""


@dataclass
class ReadingStream(FakeStream):
    """A shell that reads blocks: each request sets off the next reply, the last one stays."""

    replies: Sequence[Reply] = ()
    at_the_end: Sequence[Step] = (Exit(0),)
    asked_before_reply: list[int] = field(default_factory=list)
    """How many requests it had heard of when it began each of its replies."""

    async def send(self, data: bytes | StdinPackets) -> None:
        await super().send(data)
        number = min(len(self.asked_before_reply), len(self.replies) - 1)
        self.asked_before_reply.append(self.stdin.count(b"\n"))
        self.steps += self.replies[number](plain(data).decode().split(" ")[0])

    async def close_stdin(self) -> None:
        await super().close_stdin()
        self.steps += self.at_the_end

    async def receive(self) -> ShellEvent:
        if not self.steps:
            await anyio.sleep_forever()
        return await super().receive()


_PARTS = re.compile(
    r'\((.*?)\)\nstatus=\$\?\necho\necho "([0-9a-f]{16} [0-9]+) \$status"(?:\n|$)', re.DOTALL
)
"""The commands of one of benchd's scripts, each with its mark."""


@dataclass
class FakeShell:
    """A handset's shell: each command that starts with a known text gets its next script.

    One of several commands in one call is answered by those of its commands, if it isn't known
    itself.
    """

    replies: list[Reply] = field(default_factory=list)
    """Those of the shells that read blocks."""
    at_the_end: Sequence[Step] = (Exit(0),)
    probe_begins: Sequence[Step] = (Output(b"written 0\n", is_error=False),)
    """What the shell with blocks of benchd's own says before it reads, and at its end."""
    probe_ends: Sequence[Step] = (Exit(0),)
    scripts: dict[str, list[list[Step]]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """The same, but of a script its commands."""
    streams: list[FakeStream] = field(default_factory=list)

    def on(self, prefix: str, *steps: Step) -> None:
        """The next answer to commands that begin like this; the last one given stays."""
        self.scripts.setdefault(prefix, []).append(list(steps))

    @asynccontextmanager
    async def stream(
        self, command: str, *, opens_within_s: float = COMMAND_DEADLINE_S
    ) -> AsyncGenerator[FakeStream, None]:
        self.commands.append(command)
        if command in (READ_BLOCKS, PROBE):
            begins = self.probe_begins if command == PROBE else ()
            ends = self.probe_ends if command == PROBE else self.at_the_end
            reading = ReadingStream(list(begins), replies=self.replies, at_the_end=ends)
            self.streams.append(reading)
            yield reading
            return
        made = FakeStream(self._answer(command))
        self.streams.append(made)
        yield made

    def _answer(self, command: str) -> list[Step]:
        prefix = next((key for key in self.scripts if command.startswith(key)), None)
        if prefix is None:
            parts = _PARTS.findall(command)
            assert parts, command
            return self._script(parts)
        self.asked.append(command)
        queue = self.scripts[prefix]
        return list(queue.pop(0) if len(queue) > 1 else queue[0])

    def _script(self, parts: Sequence[tuple[str, str]]) -> list[Step]:
        steps: list[Step] = []
        for single, mark in parts:
            *said, end = self._answer(single) or [Unplug()]
            if not isinstance(end, Exit):
                return [*steps, *said, end]
            marked = Output(f"\n{mark} {end.code}\n".encode(), is_error=False)
            steps += [*said, marked]
        return [*steps, Exit(0)]

    async def run(
        self,
        command: str,
        *,
        stdin: bytes | StdinPackets = b"",
        deadline_s: float = COMMAND_DEADLINE_S,
        maximum_output_bytes: int = MAXIMUM_OUTPUT_BYTES,
    ) -> Completed:
        try:
            with anyio.fail_after(deadline_s):
                async with self.stream(command) as running:
                    return await complete(running, stdin, maximum_output_bytes)
        except TimeoutError as late:
            raise HandsetStalled(f"no answer within {deadline_s:.0f} s") from late


def kept_patterns() -> int:
    """How many compiled patterns anything in this process still refers to."""
    gc.collect()
    return sum(type(one) is re.Pattern for one in gc.get_objects())


def said(text: str, code: int = 0) -> list[Step]:
    """A command that writes this and ends."""
    return [Output(text.encode(), is_error=False), Exit(code)]


def line(event: str, **fields: object) -> Output:
    """One line of the fill program."""
    return Output(json.dumps({"event": event, **fields}).encode() + b"\n", is_error=False)


class ScriptedShell(FakeShell):
    """Answers each single command from a table, by itself or in one of benchd's scripts."""

    def __init__(self, answers: Mapping[str, str | tuple[int, str]]) -> None:
        super().__init__()
        self.answers = dict(answers)

    def _answer(self, command: str) -> list[Step]:
        if command not in self.answers:
            return super()._answer(command)
        answer = self.answers[command]
        status, text = answer if isinstance(answer, tuple) else (0, answer)
        return said(text, status)


FOLDER = Path(__file__).parent / "fixtures"
"""Each file names its source above a line of three dashes."""


def answer(name: str) -> str:
    """The text that a handset gave, without the file's heading."""
    heading, separator, text = (
        (FOLDER / f"{name}.txt").read_text(encoding="utf-8").partition("\n---\n")
    )
    assert separator, name
    assert all(line.startswith("# ") for line in heading.splitlines()), name
    return text


def names(kind: str) -> list[str]:
    """Every file of one kind."""
    found = sorted(path.stem for path in FOLDER.glob(f"{kind}-*.txt"))
    assert found, kind
    return found


SEEN: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "answers_seen.toml").read_text(encoding="utf-8")
)["answer"]
"""What handsets have answered, each with what it says."""


def answers_seen(question: str) -> list[Mapping[str, str]]:
    """The answers of each of them that has one to this question."""
    found = [seen["told"] for seen in SEEN if question in seen["told"]]
    assert found, question
    return found
