"""Lets people in over TLS: who doesn't finish its handshake keeps nobody else out."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

import anyio
from anyio.abc import TaskGroup

from benchd.signing.tls import Tls
from benchd.web.connection_limit import REQUEST_WITHIN_S, LimitedConnection

MOST_HANDSHAKES = 32
"""Each takes a descriptor and isn't counted among the connections yet."""
NO_DESCRIPTOR_PAUSE_S = 1.0


class TlsListener:
    """Accepts on one listening socket; each connection begins with a handshake of its own."""

    def __init__(
        self,
        listener: socket.socket,
        tls: Tls,
        make_protocol: Callable[[], LimitedConnection],
        not_accepted: Callable[[OSError], None],
    ) -> None:
        self._listener = listener
        self._tls = tls
        self._make_protocol = make_protocol
        self._not_accepted = not_accepted
        self._shaking: dict[socket.socket, anyio.CancelScope] = {}
        """The connections that have no protocol yet, the oldest first."""
        self._open: set[LimitedConnection] = set()

    async def run(self) -> None:
        """Accept until cancelled."""
        self._listener.setblocking(False)  # noqa: FBT003 - the socket's own method
        async with anyio.create_task_group() as group:
            group.start_soon(self._end_former)
            while True:
                await self._accept(group)

    async def _accept(self, group: TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        try:
            connection, _ = await loop.sock_accept(self._listener)
        except OSError as error:
            self._not_accepted(error)
            await anyio.sleep(NO_DESCRIPTOR_PAUSE_S)
            return
        if len(self._shaking) >= MOST_HANDSHAKES:
            oldest = next(iter(self._shaking))
            self._shaking.pop(oldest).cancel()
        scope = anyio.CancelScope()
        self._shaking[connection] = scope
        group.start_soon(self._shake_hands, connection, scope)

    async def _shake_hands(self, connection: socket.socket, scope: anyio.CancelScope) -> None:
        loop = asyncio.get_running_loop()
        try:
            with scope, suppress(OSError):
                # What is refused here is nobody's fault but the visitor's, who hears so by TLS.
                _, protocol = await loop.connect_accepted_socket(
                    self._make_protocol,
                    connection,
                    ssl=self._tls.context,
                    ssl_handshake_timeout=REQUEST_WITHIN_S,
                )
                self._open = {*self._still_open(), protocol}
                return
            connection.close()
        finally:
            self._shaking.pop(connection, None)

    async def _end_former(self) -> None:
        """After a renewal each connection ends with its answer, to begin anew by the new rules."""
        while True:
            await self._tls.renewed.wait()
            for protocol in self._still_open():
                protocol.shutdown()

    def _still_open(self) -> list[LimitedConnection]:
        return [one for one in self._open if one in one.connections]
