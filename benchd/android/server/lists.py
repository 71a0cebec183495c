"""The adb server's stream of lists, in the best form that it has: binary, else text."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio

from benchd.android.server.claims import Claims
from benchd.android.server.device_list import ListedTransport, read_device_list
from benchd.android.server.device_message import read_device_message
from benchd.android.server.smart_socket import (
    SERVER_DEADLINE_S,
    RequestRefused,
    SmartSocket,
    connect,
)
from benchd.words.ids import AdbAddress

Listed = dict[AdbAddress, ListedTransport]
Reader = Callable[[bytes], Awaitable[Listed]]


@asynccontextmanager
async def open_list(port: int) -> AsyncGenerator[AsyncIterator[Listed], None]:
    """Each list of the server on this port, the present one first."""
    async with connect(port) as link:
        first = await _first(link, "host:track-devices-proto-binary")
        if first is not None:
            yield _lists(link, first, _read_message)
            return
    claims = Claims(port)

    async def read_text(data: bytes) -> Listed:
        return await claims.settle(read_device_list(data.decode(errors="replace")))

    async with connect(port) as link:
        with anyio.fail_after(SERVER_DEADLINE_S):
            await link.request("host:track-devices-l")
            data = await link.message()
        yield _lists(link, data, read_text)


async def _first(link: SmartSocket, service: str) -> bytes | None:
    """The first list in a form that not every server has; None where it hasn't."""
    with anyio.fail_after(SERVER_DEADLINE_S):
        try:
            await link.request(service)
        except RequestRefused:
            return None
        return await link.message()


async def _lists(link: SmartSocket, data: bytes, read: Reader) -> AsyncIterator[Listed]:
    while True:
        yield await read(data)
        data = await link.message()


async def _read_message(data: bytes) -> Listed:
    return read_device_message(data)
