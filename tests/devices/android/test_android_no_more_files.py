"""Nothing is left for another connection, or one ends while it is made: no more than a lost server.

Whoever watches the server or a handset goes on after an `AdbServerLost`, and after nothing else.
"""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import anyio
import pytest
from handset_fakes import fake_server

from benchd.devices.android.adb import AdbServerLost
from benchd.devices.android.server import smart_socket
from benchd.devices.android.server.loop_stream import LoopStream
from benchd.devices.android.server.smart_socket import (
    ServerPlace,
    SmartSocket,
    opened_socket,
    server_version,
)
from benchd.devices.android.server.transports import Transport, TransportOpener

pytestmark = pytest.mark.asyncio

FIRST = Transport(transport_id=1, generation=1)


def is_connected(one: socket.socket) -> bool:
    try:
        one.getpeername()
    except OSError:
        return False
    return True


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
                assert is_connected(found)

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
