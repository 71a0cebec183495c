"""Opening transports: the server hangs, refuses, dies, is another, or no file is left for it."""

from __future__ import annotations

import os
import resource
import socket
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint
from handset_fakes import FakeLink, FakeServer, Handler, fake_server, until

from benchd.devices.android.adb import AdbAddress, AdbServerLost
from benchd.devices.android.handset_access import AdbAccess
from benchd.devices.android.server import smart_socket, transports
from benchd.devices.android.server.loop_stream import LoopStream
from benchd.devices.android.server.smart_socket import (
    SERVER_DEADLINE_S,
    ServerPlace,
    SmartSocket,
    opened_socket,
    server_version,
)
from benchd.devices.android.server.transports import Transport, TransportOpener
from benchd.devices.android.shell.commands import AdbShell
from benchd.domain.errors import HandsetGone, HandsetStalled

pytestmark = pytest.mark.asyncio

FIRST = Transport(transport_id=1, generation=1)
AT_ONCE_S = SERVER_DEADLINE_S / 2
"""Whoever waited for the server instead of being cancelled would take all of its time."""


async def hang(link: FakeLink, text: str) -> None:
    await link.hang()


async def accept(link: FakeLink, text: str) -> None:
    await link.okay()


async def answer_five(link: FakeLink, text: str) -> None:
    """A command that ends with 5."""
    await link.stream.send(b"OKAY\x03\x01\x00\x00\x00\x05")
    await link.until_closed()


def refusing(text: str) -> Handler:
    async def refuse(link: FakeLink, _: str) -> None:
        await link.fail(text)

    return refuse


@asynccontextmanager
async def served(
    opens: Handler, shell: Handler = hang
) -> AsyncGenerator[tuple[FakeServer, TransportOpener], None]:
    """A server that opens transports and shells like this, and who asks it to."""
    async with fake_server() as server:
        server.on("host:transport-id", opens)
        server.on("shell,v2,raw:", shell)
        yield server, TransportOpener(server)


async def nobody_is_left(server: FakeServer, opener: TransportOpener) -> None:
    assert opener._threads.borrowed_tokens == 0
    await until(lambda: not server.open_links, within_s=1)


@pytest.mark.parametrize("opens", [hang, accept], ids=["server hangs", "handset hangs"])
async def test_cancelling_while_the_server_or_the_handset_hangs_leaves_nothing_behind(
    opens: Handler,
) -> None:
    async with served(opens) as (server, opener):
        with anyio.move_on_after(0.05) as scope:
            await AdbShell(opener, FIRST).run("true")
            pytest.fail("a hanging server answered")
        assert anyio.current_time() - scope.deadline < AT_ONCE_S
        await nobody_is_left(server, opener)


async def test_cancelling_sixty_four_hanging_calls_returns_at_once() -> None:
    async with served(hang) as (server, opener):
        began = 0.0
        async with anyio.create_task_group() as tasks:
            for _ in range(64):
                tasks.start_soon(AdbShell(opener, FIRST).run, "true")
            await until(lambda: len(server.requests) == transports.CALLS_AT_ONCE)
            began = time.perf_counter()
            tasks.cancel_scope.cancel()
        assert time.perf_counter() - began < AT_ONCE_S
        await nobody_is_left(server, opener)


async def test_hanging_handsets_take_no_turn_from_the_others() -> None:
    async def hang_or_answer(link: FakeLink, text: str) -> None:
        await (hang if text.endswith("hang") else answer_five)(link, text)

    async with (
        served(accept, hang_or_answer) as (server, opener),
        anyio.create_task_group() as tasks,
    ):
        hanging = 3 * transports.CALLS_AT_ONCE
        for _ in range(hanging):
            tasks.start_soon(AdbShell(opener, FIRST).run, "hang")
        await until(lambda: sum("hang" in text for text in server.requests) == hanging)
        assert (await AdbShell(opener, FIRST).run("exit 5")).exit_code == 5
        tasks.cancel_scope.cancel()


@dataclass
class SilentAtFirst:
    """A server that says nothing to the first so many, and answers whoever comes after them."""

    count: int
    then: str | None = None
    asked: int = 0

    async def answer(self, link: FakeLink, text: str) -> None:
        self.asked += 1
        if self.asked <= self.count:
            await link.hang()
        else:
            await link.okay(self.then)

    def lose_all(
        self, tasks: TaskGroup, call: Callable[[Transport], Coroutine[None, None, object]]
    ) -> None:
        """So many calls, each of which loses the server."""

        async def lose() -> None:
            with pytest.raises(AdbServerLost, match="answer"):
                await call(FIRST)

        for _ in range(self.count):
            tasks.start_soon(lose)


@pytest.mark.parametrize("waits", ["call", "command"])
async def test_the_time_that_it_waits_for_its_turn_isnt_the_servers_silence_nor_the_handsets(
    monkeypatch: pytest.MonkeyPatch, waits: str
) -> None:
    monkeypatch.setattr(transports, "SERVER_DEADLINE_S", 0.5)
    silent = SilentAtFirst(transports.CALLS_AT_ONCE)
    async with (
        served(silent.answer, answer_five) as (_, opener),
        anyio.create_task_group() as tasks,
    ):
        silent.lose_all(tasks, opener.open)
        await until(lambda: silent.asked == transports.CALLS_AT_ONCE)
        if waits == "call":
            (await opener.open(FIRST)).stream.close()
        else:
            assert (await AdbShell(opener, FIRST).run("exit 5", deadline_s=0.45)).exit_code == 5


async def test_the_time_that_a_question_waits_for_a_thread_isnt_the_servers_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transports, "SERVER_DEADLINE_S", 0.5)
    async with fake_server() as server, anyio.create_task_group() as tasks:
        silent = SilentAtFirst(transports.THREADS, then="shell_v2")
        server.on("host-transport-id:1:features", silent.answer)
        opener = TransportOpener(server)
        silent.lose_all(tasks, opener.features)
        # Asks in the same moment as they do.
        await checkpoint()
        assert await opener.features(FIRST) == {"shell_v2"}
        assert silent.asked == transports.THREADS + 1


async def test_a_silent_handset_behind_a_silent_server_is_the_servers_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transports, "BLAME_DEADLINE_S", 0.1)
    async with served(accept) as (server, opener):
        with pytest.raises(HandsetStalled):
            await AdbShell(opener, FIRST).run("true", deadline_s=0.1)
        server.on("host:version", hang)
        with pytest.raises(AdbServerLost):
            await AdbShell(opener, FIRST).run("true", deadline_s=0.1)


@pytest.mark.parametrize(
    ("opening", "shell"),
    [(refusing("no device with transport id '1'"), hang), (accept, refusing("closed"))],
    ids=["unknown transport", "refused shell"],
)
async def test_what_the_server_refuses_is_a_handset_gone(opening: Handler, shell: Handler) -> None:
    async with served(opening, shell) as (_, opener):
        with pytest.raises(HandsetGone):
            await AdbShell(opener, FIRST).run("true")


@pytest.mark.parametrize("alive", [True, False])
async def test_an_end_without_an_exit_packet_is_never_success(alive: bool) -> None:
    async def cut_off(link: FakeLink, text: str) -> None:
        await link.stream.send(b"OKAY\x01\x05\x00\x00\x00done\n\x03\x01\x00\x00\x00")
        server.alive = alive
        await link.stream.aclose()

    async with served(accept, cut_off) as (server, opener):
        with pytest.raises(HandsetGone if alive else AdbServerLost):
            await AdbShell(opener, FIRST).run("true")


async def test_no_server_is_a_lost_server_and_an_earlier_ones_id_isnt_even_asked_for() -> None:
    async with fake_server() as server:
        server.generation = 2
        with pytest.raises(AdbServerLost):
            await TransportOpener(server).open(FIRST)
        assert server.requests == []
    server.generation = 1
    with pytest.raises(AdbServerLost):
        await TransportOpener(server).open(FIRST)


async def test_a_server_replaced_while_opening_gets_no_command() -> None:
    async def replaced(link: FakeLink, text: str) -> None:
        server.generation = 2
        await link.okay()

    async with served(replaced) as (server, opener):
        with pytest.raises(AdbServerLost):
            await AdbShell(opener, FIRST).run("rm -rf /")
        assert not any(request.startswith("shell") for request in server.requests)


async def test_a_handset_is_opened_only_where_the_server_says_that_it_is() -> None:
    answers = iter(["usb:1-2", "usb:1-1"])

    async def track(link: FakeLink, text: str) -> None:
        await link.okay("liar                   device usb:1-2 model:X transport_id:1\n")
        await link.hang()

    async def path(link: FakeLink, text: str) -> None:
        await link.okay(next(answers))

    async with fake_server() as server, anyio.create_task_group() as tasks:
        server.on("host:track-devices-l", track)
        server.on("host-transport-id:1:get-devpath", path)
        access = AdbAccess(server=server, program_path=Path)
        await tasks.start(access.run)
        for address, says in (("usb:1-2", "another transport"), ("usb:9-9", "no handset")):
            with pytest.raises(HandsetGone, match=says):
                await access.open(AdbAddress(address))
        tasks.cancel_scope.cancel()


@contextmanager
def listening(path: Path, backlog: int = 1) -> Generator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(backlog)
        yield listener


@contextmanager
def no_more_files() -> Generator[None]:
    """A process that has opened all files that it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as opened:
        highest = os.open(os.devnull, os.O_RDONLY)
        opened.callback(os.close, highest)
        opened.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
        while True:
            try:
                opened.callback(os.close, os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        yield


async def test_whoever_can_open_no_more_files_has_lost_the_server() -> None:
    async with fake_server() as server:
        opener = TransportOpener(server)
        with no_more_files():
            with pytest.raises(AdbServerLost):
                await server_version(server.place)
            with pytest.raises(AdbServerLost):
                await opener.open(FIRST)


async def test_a_server_that_ends_while_a_connection_is_made_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "adb.sock"
    with listening(path) as listener:
        opened = await opened_socket(ServerPlace(path=path))
        listener.accept()[0].close()
    link = SmartSocket(await LoopStream.over(opened))
    with pytest.raises(AdbServerLost):
        await link.request("host:version")
    link.stream.close()


async def test_who_isnt_taken_in_waits_for_a_place_and_no_longer_than_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full queue answers "try again", which asyncio takes for a connection."""
    path = tmp_path / "adb.sock"
    with listening(path, backlog=0) as listener, ExitStack() as opened:
        first = await opened_socket(ServerPlace(path=path))
        opened.callback(first.close)
        async with anyio.create_task_group() as tasks:

            async def second() -> None:
                found = await opened_socket(ServerPlace(path=path))
                opened.callback(found.close)
                found.getpeername()  # raises what isn't connected

            tasks.start_soon(second)
            await anyio.wait_all_tasks_blocked()
            opened.callback(listener.accept()[0].close)
        monkeypatch.setattr(smart_socket, "SERVER_DEADLINE_S", 0.1)
        with pytest.raises(AdbServerLost, match="takes no connection"):
            await opened_socket(ServerPlace(path=path))


async def test_only_the_process_that_made_the_socket_is_believed(tmp_path: Path) -> None:
    path = tmp_path / "adb.sock"
    with listening(path):
        (await opened_socket(ServerPlace(path=path, made_by=os.getpid()))).close()
        with pytest.raises(AdbServerLost, match=f"process {os.getpid()}"):
            await opened_socket(ServerPlace(path=path, made_by=os.getppid()))
