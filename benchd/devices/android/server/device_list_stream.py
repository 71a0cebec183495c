"""The adb server's stream of lists, in the best form that it has: binary, else text.

Each list is whole, so the newest one counts alone: of a handset that comes and goes a thousand
times a second so many are read as a rack needs, and the others are let go unread.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import anyio

from benchd.devices.android.adb import AdbAddress, AdbServerLost
from benchd.devices.android.server.device_list import ListedTransport, read_device_list
from benchd.devices.android.server.device_message import read_device_message
from benchd.devices.android.server.smart_socket import (
    SERVER_DEADLINE_S,
    RequestRefused,
    ServerPlace,
    SmartSocket,
    connect,
)
from benchd.devices.android.server.transport_claims import Claims
from benchd.domain.token_bucket import TokenBucket

LISTS_AT_ONCE: Final = 20
LISTS_PER_S: Final = 20
"""A list is looked at all through, a millisecond for 256 handsets; nobody waits longer for one than
a person blinks."""
READ_BYTES: Final = 64 << 10
HEADER_BYTES: Final = 4

Listed = dict[AdbAddress, ListedTransport]
Reader = Callable[[bytes], Awaitable[Listed]]


@asynccontextmanager
async def open_list(place: ServerPlace) -> AsyncGenerator[AsyncIterator[Listed], None]:
    """Each list of the server that listens here, the present one first."""
    async with connect(place) as link:
        first = await _first(link, "host:track-devices-proto-binary")
        if first is not None:
            yield _lists(link, first, _read_message)
            return
    claims = Claims(place)

    async def read_text(data: bytes) -> Listed:
        return await claims.resolve(read_device_list(data.decode(errors="replace")))

    async with connect(place) as link:
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
    share = TokenBucket(per_s=LISTS_PER_S, at_once=LISTS_AT_ONCE)
    newest = NewestList(link)
    while True:
        yield await read(data)
        await share.take(1)
        data = await newest.wait()


class NewestList:
    """Cuts a stream into lists, and keeps the last."""

    def __init__(self, link: SmartSocket) -> None:
        self._link = link
        self._buffer = b""

    async def wait(self) -> bytes:
        """The last list of all that have come; waits for the first of them.

        Raises AdbServerLost where the stream ends, also where it does so right after a list.
        """
        newest: bytes | None = None
        more = True
        while newest is None or more:
            data = await self._receive()
            self._buffer += data
            # One that holds nothing is a list as well: the last handset has left.
            found = self._cut()
            newest = newest if found is None else found
            # A read that is full and ends within a list has left something behind.
            more = len(data) >= READ_BYTES and bool(self._buffer)
        return newest

    def _cut(self) -> bytes | None:
        """The last whole list in the buffer, which is rid of it and all before it."""
        position, newest = 0, None
        while len(self._buffer) >= position + HEADER_BYTES:
            begin = position + HEADER_BYTES
            try:
                end = begin + int(self._buffer[position:begin], 16)
            except ValueError as garbled:
                raise AdbServerLost("the adb server's answer is garbled") from garbled
            if len(self._buffer) < end:
                break
            newest, position = slice(begin, end), end
        found = None if newest is None else self._buffer[newest]
        self._buffer = self._buffer[position:]
        return found

    async def _receive(self) -> bytes:
        try:
            return await self._link.stream.receive(READ_BYTES)
        except (anyio.EndOfStream, anyio.BrokenResourceError, OSError) as ended:
            raise AdbServerLost("the adb server closed the connection") from ended


async def _read_message(data: bytes) -> Listed:
    return read_device_message(data)
