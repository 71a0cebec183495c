"""Nothing is left for another connection, or one ends while it is made: no more than a lost server.

Whoever watches the server or a handset goes on after an `AdbServerLost`, and after nothing else.
"""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import struct
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import pytest
from handset_fakes import fake_server, until

from benchd.android.server.smart_socket import connected, server_version
from benchd.android.server.transports import Transport, TransportOpener
from benchd.errors import AdbServerLost

pytestmark = pytest.mark.asyncio

FIRST = Transport(transport_id=1, generation=1)


def is_connected(one: socket.socket) -> bool:
    try:
        one.getpeername()
    except OSError:
        return False
    return True


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
                await server_version(server.port)
            with pytest.raises(AdbServerLost):
                await opener.open(FIRST)


async def test_a_server_that_ends_while_a_connection_is_made_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    connect = loop.sock_connect
    with socket.create_server(("127.0.0.1", 0)) as listener:

        async def connects_and_is_reset(opened: socket.socket, address: tuple[str, int]) -> None:
            await connect(opened, address)
            taken, _ = listener.accept()
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            taken.close()
            await until(lambda: not is_connected(opened))

        monkeypatch.setattr(loop, "sock_connect", connects_and_is_reset)
        link = await connected(listener.getsockname()[1])
        with pytest.raises(AdbServerLost):
            await link.request("host:version")
        link.stream.close()
