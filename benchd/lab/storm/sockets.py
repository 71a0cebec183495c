"""Sockets in memory: a connection has buffers of bounded size at both ends, as the kernel's do."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Final

from benchd.lab.storm.descriptors import BoundedLoop
from benchd.lab.storm.ends import ClientEnd, FakeSocket, ServerTransport

ACCEPT_RETRY_S: Final = 1.0
"""As asyncio's selector loop does where there is no descriptor left."""


class VirtualListener:
    """A socket that listens."""

    def __init__(self, family: socket.AddressFamily, address: object) -> None:
        self.family = family
        self.address = address
        self.server: Server | None = None

    def getsockname(self) -> object:
        """Where it listens."""
        return self.address

    def listen(self, backlog: int) -> None:
        """Whoever comes waits until it's let in, however many there are."""

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
        loop: BoundedLoop,
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
            shown = FakeSocket(self._listener.family, self._listener.address, client.peer)
            transport = ServerTransport(self.loop, client, shown)
            client.transport = transport
            protocol = self._factory()
            transport.set_protocol(protocol)
            self.loop.call_soon(transport.begin)
        if self._waiting:
            self.loop.call_soon(self._accept)

    def _rested(self) -> None:
        self._resting = False
        self._accept()
