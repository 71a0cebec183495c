"""Opening transports in threads, against an adb server that hangs, refuses, dies or is another."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint
from handset_fakes import FakeLink, FakeServer, fake_server, until

from benchd.devices.android.adb import AdbAddress, AdbServerLost
from benchd.devices.android.handset_access import AdbAccess
from benchd.devices.android.server import transports
from benchd.devices.android.server.smart_socket import SERVER_DEADLINE_S
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


async def drop(link: FakeLink, text: str) -> None:
    await link.stream.aclose()


async def nobody_is_left(server: FakeServer, opener: TransportOpener) -> None:
    assert opener._threads.borrowed_tokens == 0
    await until(lambda: not server.open_links, within_s=1)


async def cancelled_after(seconds: float, shell: AdbShell) -> float:
    """How long it takes to come back once a command is cancelled."""
    with anyio.move_on_after(seconds) as scope:
        await shell.run("true")
        pytest.fail("a hanging server answered")
    return anyio.current_time() - scope.deadline


async def test_cancelling_while_the_server_hangs_leaves_nothing_behind() -> None:
    async with fake_server() as server:
        opener = TransportOpener(server)
        server.on("host:transport-id", hang)
        assert await cancelled_after(0.05, AdbShell(opener, FIRST)) < AT_ONCE_S
        await nobody_is_left(server, opener)


async def test_cancelling_while_the_handset_hangs_leaves_nothing_behind() -> None:
    async with fake_server() as server:
        opener = TransportOpener(server)
        server.on("host:transport-id", accept)
        server.on("shell,v2,raw:", hang)
        assert await cancelled_after(0.05, AdbShell(opener, FIRST)) < AT_ONCE_S
        await nobody_is_left(server, opener)


async def test_cancelling_sixty_four_hanging_calls_returns_at_once() -> None:
    async with fake_server() as server:
        opener = TransportOpener(server)
        server.on("host:transport-id", hang)
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
    async with fake_server() as server:
        opener = TransportOpener(server)
        server.on("host:transport-id", accept)
        server.on("shell,v2,raw:hang", hang)

        async def answer(link: FakeLink, text: str) -> None:
            await link.stream.send(b"OKAY\x03\x01\x00\x00\x00\x05")
            await link.until_closed()

        server.on("shell,v2,raw:", answer)
        async with anyio.create_task_group() as tasks:
            hanging = 3 * transports.CALLS_AT_ONCE
            for _ in range(hanging):
                tasks.start_soon(AdbShell(opener, FIRST).run, "hang")
            await until(lambda: sum("hang" in text for text in server.requests) == hanging)
            assert (await AdbShell(opener, FIRST).run("exit 5")).exit_code == 5
            tasks.cancel_scope.cancel()


async def test_a_server_that_does_not_answer_in_time_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transports, "SERVER_DEADLINE_S", 0.1)
    async with fake_server() as server:
        server.on("host:transport-id", hang)
        with pytest.raises(AdbServerLost, match="answer"):
            await TransportOpener(server).open(FIRST)


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


async def test_the_time_that_a_call_waits_for_its_turn_isnt_the_servers_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transports, "SERVER_DEADLINE_S", 0.5)
    async with fake_server() as server, anyio.create_task_group() as tasks:
        silent = SilentAtFirst(transports.CALLS_AT_ONCE)
        server.on("host:transport-id", silent.answer)
        opener = TransportOpener(server)
        silent.lose_all(tasks, opener.open)
        await until(lambda: silent.asked == transports.CALLS_AT_ONCE)
        (await opener.open(FIRST)).stream.close()


async def test_the_time_that_a_command_waits_for_its_turn_isnt_the_handsets_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transports, "SERVER_DEADLINE_S", 0.5)

    async def answer(link: FakeLink, text: str) -> None:
        await link.stream.send(b"OKAY\x03\x01\x00\x00\x00\x05")
        await link.until_closed()

    async with fake_server() as server, anyio.create_task_group() as tasks:
        silent = SilentAtFirst(transports.CALLS_AT_ONCE)
        server.on("host:transport-id", silent.answer)
        server.on("shell,v2,raw:", answer)
        opener = TransportOpener(server)
        silent.lose_all(tasks, opener.open)
        await until(lambda: silent.asked == transports.CALLS_AT_ONCE)
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
    async with fake_server() as server:
        server.on("host:transport-id", accept)
        server.on("shell,v2,raw:", hang)
        with pytest.raises(HandsetStalled):
            await AdbShell(TransportOpener(server), FIRST).run("true", deadline_s=0.1)
        server.on("host:version", hang)
        with pytest.raises(AdbServerLost):
            await AdbShell(TransportOpener(server), FIRST).run("true", deadline_s=0.1)


async def test_an_unknown_transport_is_a_handset_gone() -> None:
    async def refuse(link: FakeLink, text: str) -> None:
        await link.fail("no device with transport id '1'")

    async with fake_server() as server:
        server.on("host:transport-id", refuse)
        with pytest.raises(HandsetGone):
            await TransportOpener(server).open(FIRST)


async def test_a_refused_shell_is_a_handset_gone() -> None:
    async def refuse(link: FakeLink, text: str) -> None:
        await link.fail("closed")

    async with fake_server() as server:
        server.on("host:transport-id", accept)
        server.on("shell,v2,raw:", refuse)
        with pytest.raises(HandsetGone):
            await AdbShell(TransportOpener(server), FIRST).run("true")


@pytest.mark.parametrize("alive", [True, False])
async def test_an_end_without_an_exit_packet_is_never_success(alive: bool) -> None:
    async def cut_off(link: FakeLink, text: str) -> None:
        await link.stream.send(b"OKAY\x01\x05\x00\x00\x00done\n\x03\x01\x00\x00\x00")
        server.alive = alive
        await link.stream.aclose()

    async with fake_server() as server:
        server.on("host:transport-id", accept)
        server.on("shell,v2,raw:", cut_off)
        with pytest.raises(HandsetGone if alive else AdbServerLost):
            await AdbShell(TransportOpener(server), FIRST).run("true")


async def test_no_server_is_a_lost_server_and_none_is_started() -> None:
    async with fake_server() as server:
        pass
    with pytest.raises(AdbServerLost):
        await TransportOpener(server).open(FIRST)


async def test_an_id_of_an_earlier_server_is_not_even_asked_for() -> None:
    async with fake_server() as server:
        server.generation = 2
        with pytest.raises(AdbServerLost):
            await TransportOpener(server).open(FIRST)
        assert server.requests == []


async def test_a_server_replaced_while_opening_gets_no_command() -> None:
    async def replaced(link: FakeLink, text: str) -> None:
        server.generation = 2
        await link.okay()

    async with fake_server() as server:
        server.on("host:transport-id", replaced)
        with pytest.raises(AdbServerLost):
            await AdbShell(TransportOpener(server), FIRST).run("rm -rf /")
        assert not any(request.startswith("shell") for request in server.requests)


async def test_a_handset_is_opened_only_where_the_server_says_that_it_is() -> None:
    listed = "liar                   device usb:1-2 model:X transport_id:1\n"

    async def track(link: FakeLink, text: str) -> None:
        await link.okay(listed)
        await link.hang()

    answers = iter(["usb:1-2", "usb:1-1"])

    async def path(link: FakeLink, text: str) -> None:
        await link.okay(next(answers))

    async with fake_server() as server, anyio.create_task_group() as tasks:
        server.on("host:track-devices-l", track)
        server.on("host-transport-id:1:get-devpath", path)
        access = AdbAccess(server=server, program_path=Path)
        await tasks.start(access.run)
        with pytest.raises(HandsetGone, match="another transport"):
            await access.open(AdbAddress("usb:1-2"))
        with pytest.raises(HandsetGone, match="no handset"):
            await access.open(AdbAddress("usb:9-9"))
        tasks.cancel_scope.cancel()
