"""The two ends of a connection in memory, each with a buffer of bounded size."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, Final

import anyio
import anyio.lowlevel

from benchd.domain.wakeup import Wakeup
from benchd.lab.storm.descriptors import BoundedLoop

BUFFER_BYTES: Final = 64 * 1024
"""What lies in a kernel between the two, each way."""
HIGH_BYTES: Final = 64 * 1024
READ_BYTES: Final = 256 * 1024


class FakeSocket:
    """As much of a connection's socket as is asked for."""

    def __init__(
        self, family: socket.AddressFamily, name: object, peer: tuple[str, int] | int
    ) -> None:
        self.family = family
        self._name = name
        self._peer = peer

    def getsockname(self) -> object:
        """This end."""
        return self._name

    def getpeername(self) -> object:
        """The other end."""
        return self._peer if isinstance(self._peer, tuple) else ""

    def getsockopt(self, *_: int) -> bytes:
        """The peer's credentials."""
        uid = 0 if isinstance(self._peer, tuple) else self._peer
        return struct.pack("=iII", 1, uid, uid)


class ServerTransport(asyncio.Transport):
    """The daemon's end of a connection."""

    def __init__(self, loop: BoundedLoop, client: ClientEnd, shown: FakeSocket) -> None:
        super().__init__({"socket": shown, "peername": shown.getpeername()})
        self._loop = loop
        self._client = client
        self._protocol: Any = None
        self._out = bytearray()
        self._reading = False
        self._closing = False
        self._lost = False
        self._eof_after = False
        self._paused = False
        self._delivering = False
        loop.open_connections += 1

    def begin(self) -> None:
        """Tell the protocol, then let it read."""
        if self._lost:
            return
        self._protocol.connection_made(self)
        self.resume_reading()

    # What asyncio's transports have.

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Who speaks on it."""
        self._protocol = protocol

    def get_protocol(self) -> Any:  # noqa: ANN401
        """Who speaks on it."""
        return self._protocol

    def is_closing(self) -> bool:
        """Whether it is or was closed."""
        return self._closing

    def is_reading(self) -> bool:
        """Whether what comes is handed on."""
        return self._reading

    def pause_reading(self) -> None:
        """Hand nothing on."""
        self._reading = False

    def resume_reading(self) -> None:
        """Hand on what comes."""
        self._reading = True
        self.something_came()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """They stay as they are."""

    def get_write_buffer_size(self) -> int:
        """What no kernel has taken yet."""
        return len(self._out)

    def can_write_eof(self) -> bool:
        """It can."""
        return True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send it, as far as there's room."""
        if self._lost or self._eof_after:
            return
        if self._client.closed:
            # A kernel answers so to whoever sends to somebody who has left.
            self._loop.call_soon(self._lose, ConnectionResetError())
            return
        self._out += data
        self.pump()

    def write_eof(self) -> None:
        """Nothing more comes after what was written."""
        self._eof_after = True
        self.pump()

    def close(self) -> None:
        """End once all is sent."""
        if not self._closing:
            self._closing = True
            self._reading = False
            self.pump()

    def abort(self) -> None:
        """End at once."""
        self._closing = True
        self._out.clear()
        self._lose(None)

    # What the other end does.

    def pump(self) -> None:
        """Hand on to the client what it has room for."""
        if self._lost:
            return
        room = self._client.window_bytes - len(self._client.inbox)
        if room > 0 and self._out:
            self._client.come(bytes(self._out[:room]))
            del self._out[:room]
        if len(self._out) > HIGH_BYTES and not self._paused:
            self._paused = True
            self._protocol.pause_writing()
        elif self._paused and len(self._out) <= HIGH_BYTES // 4:
            self._paused = False
            self._protocol.resume_writing()
        if not self._out and self._eof_after:
            self._client.end()
        if not self._out and self._closing:
            self._lose(None)

    def something_came(self) -> None:
        """Have the protocol read it, soon."""
        if self._reading and not self._delivering and not self._lost:
            self._delivering = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._delivering = False
        if not self._reading or self._lost or self._protocol is None:
            return
        client = self._client
        if client.outbox:
            data = bytes(client.outbox[:READ_BYTES])
            del client.outbox[:READ_BYTES]
            client.sent.fire()
            self._protocol.data_received(data)
            self.something_came()
        elif client.closed:
            if client.was_reset:
                self._lose(ConnectionResetError())
            else:
                self._protocol.eof_received()
                self.close()

    def _lose(self, error: Exception | None) -> None:
        if self._lost:
            return
        self._lost = True
        self._loop.open_connections -= 1
        self._loop.call_soon(self._protocol.connection_lost, error)
        if self._client.outbox:
            # Closed with something unread, a kernel sends a reset, which overtakes the answer.
            self._client.reset()
        else:
            self._client.end()


class ClientEnd:
    """A visitor's end of a connection."""

    def __init__(self, peer: tuple[str, int] | int) -> None:
        self.peer = peer
        self.window_bytes = BUFFER_BYTES
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.sent = Wakeup()
        self.closed = False
        self.was_reset = False
        self.transport: ServerTransport | None = None
        self._came = Wakeup()
        self._ended = False
        self._reset = False

    @property
    def is_over(self) -> bool:
        """Whether the other end has gone."""
        return self._ended or self._reset

    async def send(self, data: bytes) -> None:
        """Send it; returns once a kernel has it."""
        self.outbox += data
        while True:
            if self._reset:
                raise ConnectionResetError
            if self.transport is not None:
                self.transport.something_came()
            if len(self.outbox) <= BUFFER_BYTES:
                return
            await self.sent.wait()

    async def receive(self, most: int = BUFFER_BYTES) -> bytes:
        """What came; nothing once the other end has ended."""
        while not self.inbox:
            if self._reset:
                raise ConnectionResetError
            if self._ended:
                return b""
            await self._came.wait()
        data = bytes(self.inbox[:most])
        del self.inbox[:most]
        if self.transport is not None:
            self.transport.pump()
        await anyio.lowlevel.checkpoint()
        return data

    def close(self, *, reset: bool = False) -> None:
        """Leave."""
        if not self.closed:
            self.closed, self.was_reset = True, reset
            if self.transport is not None:
                self.transport.something_came()

    # What the daemon's end does.

    def come(self, data: bytes) -> None:
        """It has sent something."""
        if not self.closed:
            self.inbox += data
        self._came.fire()

    def end(self) -> None:
        """It sends nothing more."""
        self._ended = True
        self._came.fire()
        self.sent.fire()

    def reset(self) -> None:
        """It has gone, and what it sent last is lost."""
        self._reset = True
        self.inbox.clear()
        self._came.fire()
        self.sent.fire()
