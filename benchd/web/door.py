"""How many may stand in the door, and for how long without saying what they want.

Each connection takes a descriptor of the daemon, and every program on the machine may open some.
So TCP and each user of the Unix socket have a bound of their own. Whoever doesn't bring a whole
request makes room for whoever comes, and so does whoever is told something without having shown
who they are.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import cast

from benchd.web.peer import Peer, PeerProtocol
from benchd.web.refusals import refusal
from benchd.words.source import machine_of

MOST_TCP = 192
MOST_UNIX = 64
"""Of each user, so that those whom a proxy lets in don't keep out who stands at the rack."""
REQUEST_WITHIN_S = 10.0
"""From the connection, or the end of the last answer, to the last byte of a request."""
BACKLOG = 64
"""How many are let in at once: each has its descriptor before it can be refused."""
REST_S = 1.0
"""How long nothing is heard from a connection that has asked too often."""
LINGER_S = 2.0
"""How long a refusal waits to be read before its connection ends."""
MOST_LINGERING = 32
LINGER_BYTES = 64 * 1024


class DoorProtocol(PeerProtocol):
    """Bounds connections by number, and their silence by time."""

    is_nobodys = True
    _waits_since = 0.0
    _patience: asyncio.TimerHandle | None = None
    _answers_since: float | None = None
    _resting = False
    _rest: asyncio.TimerHandle | None = None
    _refused = False
    _read_away = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Let in, in the place of one that has to give way if need be; or refuse."""
        super().connection_made(transport)
        others = [each for each in self._others() if each.user == self.user and not each._refused]  # noqa: SLF001
        if len(others) >= (MOST_TCP if self.user is None else MOST_UNIX):
            leaving = _who_gives_way(others)
            if leaving is None:
                self._refuse()
                return
            leaving.leave()
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came, and see whether it makes a whole request."""
        if self._refused:
            # Unread, it would have the kernel send a reset, which overtakes the answer.
            self._read_away += len(data)
            if self._read_away > LINGER_BYTES:
                self.leave()
            return
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._answers_since = None
        if self._resting and not self.transport.is_closing():
            self._resting = False
            self.flow.pause_reading()
            self._rest = self.loop.call_later(REST_S, self._rested)
        else:
            super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._stop_waiting()
        if self._rest is not None:
            self._rest.cancel()
        super().connection_lost(exc)

    def answers(self) -> None:
        """An answer has begun."""
        self._answers_since = self.loop.time()

    def rest(self) -> None:
        """Hear the next request only after a while; until then there is one place more."""
        self._resting = True

    def leave(self) -> None:
        """Make room at once."""
        self._stop_waiting()
        self.connections.discard(self)
        if self.cycle is not None:  # pyright: ignore[reportUnnecessaryComparison]
            self.cycle.disconnected = True
        self.transport.abort()

    @property
    def user(self) -> int | None:
        """The user id at the other end of the Unix socket; None on TCP."""
        return self.peer.uid if isinstance(self.peer, Peer) else None

    @property
    def waits_since(self) -> float | None:
        """Since when it brings no whole request; None while it's being served."""
        return None if self._patience is None else self._waits_since

    @property
    def gives_way_since(self) -> float | None:
        """Since when it is told something without having shown who it is."""
        return self._answers_since if self.is_nobodys else None

    def _others(self) -> list[DoorProtocol]:
        return [cast("DoorProtocol", one) for one in self.connections if one is not self]

    def _refuse(self) -> None:
        """Say so, and wait until that was read."""
        self._refused = True
        lingering = [one for one in self._others() if one._refused]  # noqa: SLF001
        if len(lingering) >= MOST_LINGERING:
            min(lingering, key=lambda one: one._waits_since).leave()  # noqa: SLF001
        answer = refusal(503, "too_many_connections", "too many connections are open already")
        head = f"HTTP/1.1 503 Service Unavailable\r\nContent-Length: {len(answer.body)}\r\n"
        kind = "Content-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
        self.transport.write((head + kind).encode() + bytes(answer.body))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._waits_since = self.loop.time()
        self._patience = self.loop.call_later(LINGER_S, self.leave)

    def _rested(self) -> None:
        self._rest = None
        if not self.transport.is_closing():
            super().on_response_complete()
            self._watch()

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


def _who_gives_way(others: list[DoorProtocol]) -> DoorProtocol | None:
    """Who only waits, the longest of them; else the oldest answer of where most are told to."""
    waiting = {one: one.waits_since for one in others}
    longest = min(
        (one for one, since in waiting.items() if since is not None),
        key=lambda one: (not one.is_nobodys, waiting[one] or 0.0),
        default=None,
    )
    if longest is not None:
        return longest
    told = {one: since for one in others if (since := one.gives_way_since) is not None}
    if not told:
        return None
    counts = Counter(_source(one) for one in told)
    most, _ = counts.most_common(1)[0]
    return min((one for one in told if _source(one) == most), key=lambda one: told[one])


def _source(one: DoorProtocol) -> str:
    return machine_of(one.client[0]) if one.client else ""
