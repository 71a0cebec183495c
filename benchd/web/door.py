"""How many may stand in the door, and for how long without saying what they want.

Each connection takes a descriptor of the daemon, and every program on the machine may open some.
So TCP and each user of the Unix socket have a bound of their own, and whoever doesn't bring a
whole request makes room for whoever comes.
"""

from __future__ import annotations

import asyncio
from typing import cast

from benchd.web.peer import Peer, PeerProtocol
from benchd.web.refusals import refusal

MOST_TCP = 192
MOST_UNIX = 64
"""Of each user, so that those whom a proxy lets in don't keep out who stands at the rack."""
REQUEST_WITHIN_S = 10.0
"""From the connection, or the end of the last answer, to the last byte of a request."""
BACKLOG = 64
"""How many are let in at once: each has its descriptor before it can be refused."""


class DoorProtocol(PeerProtocol):
    """Bounds connections by number, and their silence by time."""

    _waits_since = 0.0
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Let in, in the place of one that only waits if need be; or refuse."""
        super().connection_made(transport)
        others = [other for other in self._others() if other.user == self.user]
        if len(others) >= (MOST_TCP if self.user is None else MOST_UNIX):
            waiting = [other for other in others if other._patience is not None]  # noqa: SLF001
            if not waiting:
                self._refuse()
                return
            min(waiting, key=lambda other: other._waits_since).leave()  # noqa: SLF001
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came, and see whether it makes a whole request."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._stop_waiting()
        super().connection_lost(exc)

    def leave(self) -> None:
        """Make room at once."""
        self._stop_waiting()
        self.connections.discard(self)
        self.transport.abort()

    @property
    def user(self) -> int | None:
        """The user id at the other end of the Unix socket; None on TCP."""
        return self.peer.uid if isinstance(self.peer, Peer) else None

    def _others(self) -> list[DoorProtocol]:
        return [cast("DoorProtocol", one) for one in self.connections if one is not self]

    def _refuse(self) -> None:
        self.connections.discard(self)
        answer = refusal(503, "too_many_connections", "too many connections are open already")
        head = f"HTTP/1.1 503 Service Unavailable\r\nContent-Length: {len(answer.body)}\r\n"
        kind = "Content-Type: application/json\r\nConnection: close\r\n\r\n"
        self.transport.write((head + kind).encode() + bytes(answer.body))
        self.transport.close()

    def _watch(self) -> None:
        cycle = self.cycle
        busy = cycle is not None and not (cycle.response_complete or cycle.more_body)  # pyright: ignore[reportUnnecessaryComparison]
        if busy or self.transport.is_closing():
            self._stop_waiting()
        elif self._patience is None:
            self._waits_since = self.loop.time()
            self._patience = self.loop.call_later(REQUEST_WITHIN_S, self.leave)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
