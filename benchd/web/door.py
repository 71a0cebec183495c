"""How many may stand in the door, and for how long without saying what they want.

Each connection takes a descriptor of the daemon, and every program on the machine may open some.
So TCP and each user of the Unix socket have a bound of their own. Who comes is heard before anybody
is sent away: where all places are taken, whoever is expected (people, the machine's own probes, who
signs in) has one of those who only wait, or are told something without having shown who they are.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import Final, cast

from benchd.web.hosts import is_loopback
from benchd.web.peer import Peer, PeerProtocol
from benchd.web.refusals import refusal
from benchd.web.shares import PROBES, SIGN_IN
from benchd.words.source import machine_of

MOST_TCP = 192
MOST_UNIX = 64
"""Of each user, so that those whom a proxy lets in don't keep out who stands at the rack."""
MOST_UNHEARD = 128
"""Of those that have said nothing yet: more than come between two looks at what has been said."""
REQUEST_WITHIN_S = 10.0
"""From the connection, or the end of the last answer, to the last byte of a request."""
BACKLOG = 32
"""How many are let in at once: each has its descriptor before it can be refused."""
QUEUE = 1024
"""How many may wait for that; with one more the kernel lets it try again a second later."""
STAYS_S = 2.0
"""For so long nobody's connection has its place before another nobody's may have it."""
REST_S = 1.0
"""How long nothing is heard from a connection that has asked too often."""
LINGER_S = 2.0
"""How long a refusal waits to be read before its connection ends."""
MOST_LINGERING = 256
MOST_TOLD_AT_ONCE = 16
"""So many refused ones of a source may linger; the next is told after a rest: its clients come
again as soon as they are told."""
LINGER_BYTES = 64 * 1024
LONGEST_HEAD_BYTES = 64 * 1024

_HEAD_ENDS: Final = re.compile(rb"\n\r?\n")
_SHOWS_WHO: Final = re.compile(rb"(?i)\n(?:authorization|cookie):")


class DoorProtocol(PeerProtocol):
    """Bounds connections by number, and their silence by time."""

    is_nobodys = True
    _waits_since = 0.0
    _patience: asyncio.TimerHandle | None = None
    _answers_since: float | None = None
    _resting = False
    _rest: asyncio.TimerHandle | None = None
    _heard = False
    _said = b""
    _refused = False
    _told = False
    _read_away = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Hear what it wants; who has said nothing for longest makes room for it."""
        super().connection_made(transport)
        unheard = [each for each in self._others() if not each._heard]  # noqa: SLF001
        if len(unheard) >= MOST_UNHEARD:
            min(unheard, key=lambda one: one._waits_since)._refuse()  # noqa: SLF001
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came, and see whether it makes a whole request."""
        if self._refused:
            # Unread, it would have the kernel send a reset, which overtakes the answer.
            self._read_away += len(data)
            if self._read_away > LINGER_BYTES:
                self.leave()
            return
        if not self._heard:
            self._said += data
            if not self._comes_in():
                return
            data, self._said = self._said, b""
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

    def _everybody(self) -> list[DoorProtocol]:
        return [cast("DoorProtocol", one) for one in self.connections]

    def _others(self) -> list[DoorProtocol]:
        """Those that are in the same door, and may stay there."""
        mine = self.user
        others = (one for one in self._everybody() if one is not self and not one._refused)  # noqa: SLF001
        return [one for one in others if one.user == mine]

    def _comes_in(self) -> bool:
        """Whether it has a place, perhaps another's; where it has none it is refused."""
        inside = [one for one in self._others() if one._heard]  # noqa: SLF001
        if len(inside) >= (MOST_TCP if self.user is None else MOST_UNIX):
            if not (_HEAD_ENDS.search(self._said) or len(self._said) > LONGEST_HEAD_BYTES):
                return False
            upto = None if self._is_expected() else self.loop.time() - STAYS_S
            leaving = _who_gives_way(inside, upto)
            if leaving is None:
                self._refuse()
                return False
            leaving.leave()
        self._heard = True
        return True

    def _is_expected(self) -> bool:
        """Whether it asks for what no crowd may keep anybody from; the application looks closer."""
        if self.peer is not None or _SHOWS_WHO.search(self._said):
            return True
        asked = self._said.split(b" ", 2)[1:2]
        path = asked[0].partition(b"?")[0].decode("latin-1") if asked else ""
        is_here = self.client is not None and is_loopback(self.client[0])
        return path == SIGN_IN or (path in PROBES and is_here)

    def _refuse(self) -> None:
        """Say so, perhaps after a rest, and wait until that was read."""
        self._stop_waiting()
        lingering = [one for one in self._everybody() if one._refused]  # noqa: SLF001
        if len(lingering) >= MOST_LINGERING:
            min(lingering, key=lambda one: one._waits_since)._end_refusal()  # noqa: SLF001
        self._refused, self._said = True, b""
        self._waits_since = self.loop.time()
        mine = _source(self)
        if sum(_source(one) == mine for one in lingering) < MOST_TOLD_AT_ONCE:
            self._tell_refusal()
        else:
            self._patience = self.loop.call_later(REST_S, self._tell_refusal)

    def _tell_refusal(self) -> None:
        self._told = True
        answer = refusal(503, "too_many_connections", "too many connections are open already")
        head = f"HTTP/1.1 503 Service Unavailable\r\nContent-Length: {len(answer.body)}\r\n"
        kind = "Content-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
        self.transport.write((head + kind).encode() + bytes(answer.body))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._patience = self.loop.call_later(LINGER_S, self.leave)

    def _end_refusal(self) -> None:
        """Tell it now if it wasn't, and don't wait until that was read."""
        self._stop_waiting()
        if not self._told:
            self._tell_refusal()
        self._stop_waiting()
        self.connections.discard(self)
        self.transport.close()

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


def _who_gives_way(inside: list[DoorProtocol], upto: float | None) -> DoorProtocol | None:
    """Who only waits, the longest of them; else the oldest answer of where most are told to.

    With a time it is somebody who has shown nothing of who they are, and has been so since then.
    """
    waiting = {one: since for one in inside if (since := one.waits_since) is not None}
    longest = min(
        (one for one in waiting if upto is None or (one.is_nobodys and waiting[one] <= upto)),
        key=lambda one: (not one.is_nobodys, waiting[one]),
        default=None,
    )
    told = {
        one: since
        for one in inside
        if (since := one.gives_way_since) is not None and (upto is None or since <= upto)
    }
    if longest is not None and (longest.is_nobodys or not told):
        return longest
    if not told:
        return None
    counts = Counter(_source(one) for one in told)
    most, _ = counts.most_common(1)[0]
    return min((one for one in told if _source(one) == most), key=lambda one: told[one])


def _source(one: DoorProtocol) -> str:
    return machine_of(one.client[0]) if one.client else ""
