"""Sockets in memory: a connection has buffers of bounded size at both ends, as the kernel's do."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import anyio

from benchd.wakeup import Wakeup

if TYPE_CHECKING:
    from benchd.lab.storm.loop import StormLoop

BUFFER_BYTES: Final = 64 * 1024
"""What lies in a kernel between the two, each way."""
HIGH_BYTES: Final = 64 * 1024
ACCEPT_RETRY_S: Final = 1.0
"""As asyncio's selector loop does where there is no descriptor left."""
READ_BYTES: Final = 256 * 1024


class VirtualListener:
    """A socket that listens."""

    def __init__(self, family: socket.AddressFamily, address: object) -> None:
        self.family = family
        self.address = address
        self.server: Server | None = None

    def getsockname(self) -> object:
        """Where it listens."""
        return self.address

    def close(self) -> None:
        """Nobody is let in any more."""
        if self.server is not None:
            self.server.close()

    def connect(self, peer: tuple[str, int] | int) -> ClientEnd:
        """A client of this address, or on the Unix socket of this uid."""
        if self.server is None or self.server.closed:
            raise ConnectionRefusedError
        return self.server.connect(peer)


class Server:
    """What takes connections from a listener, as asyncio's servers do."""

    def __init__(
        self,
        loop: StormLoop,
        factory: Callable[[], asyncio.Protocol],
        listener: VirtualListener,
        backlog: int,
    ) -> None:
        self.loop = loop
        self._factory = factory
        self._listener = listener
        self._backlog = backlog
        self._waiting: deque[ClientEnd] = deque()
        self._resting = False
        self.closed = False
        listener.server = self

    def connect(self, peer: tuple[str, int] | int) -> ClientEnd:
        """Stand in line to be let in."""
        client = ClientEnd(peer)
        # One that has no room in the line tries again by itself, unseen by who connects.
        self._waiting.append(client)
        if not self._resting:
            self.loop.call_soon(self._accept)
        return client

    def close(self) -> None:
        """Whoever waits is refused."""
        self.closed = True
        while self._waiting:
            self._waiting.popleft().reset()

    async def wait_closed(self) -> None:
        """It waits for nothing."""

    def _accept(self) -> None:
        for _ in range(self._backlog):
            if not self._waiting or self._resting or self.closed:
                return
            if self.loop.open_connections >= self.loop.descriptors:
                self._resting = True
                self.loop.call_later(ACCEPT_RETRY_S, self._rested)
                return
            client = self._waiting.popleft()
            if client.closed:
                continue
            transport = ServerTransport(self.loop, client, self._listener)
            client.transport = transport
            protocol = self._factory()
            transport.set_protocol(protocol)
            self.loop.call_soon(transport.begin)
        if self._waiting:
            self.loop.call_soon(self._accept)

    def _rested(self) -> None:
        self._resting = False
        self._accept()


class FakeSocket:
    """As much of a connection's socket as is asked for."""

    def __init__(self, listener: VirtualListener, peer: tuple[str, int] | int) -> None:
        self.family = listener.family
        self._name = listener.address
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

    def __init__(self, loop: StormLoop, client: ClientEnd, listener: VirtualListener) -> None:
        shown = FakeSocket(listener, client.peer)
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
