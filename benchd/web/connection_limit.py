"""How many may stand in the door, and for how long without saying what they want.

Each connection takes a descriptor of the daemon, and every program on the machine may open some.
So TCP and each user of the Unix socket have a bound of their own. Who comes is heard before anybody
is sent away: where all places are taken, whoever is expected (people, the machine's own probes, who
signs in) has one of those who only wait, or are told something without having shown who they are.
"""

from __future__ import annotations

import asyncio
import re
import resource
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final
from weakref import WeakKeyDictionary

from uvicorn.server import ServerState

from benchd.domain.loopback import is_loopback
from benchd.domain.visitor_source import machine_of
from benchd.web.connection_backpressure import Crowds
from benchd.web.error_answers import refusal
from benchd.web.peer import Peer, PeerProtocol
from benchd.web.visitor_shares import PROBES, SIGN_IN

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
"""How long at least nothing is heard from a connection that has asked too often."""
LONGEST_REST_S = 8.0
"""How long that is at most, where so many of its source are refused: each answer costs the loop a
millisecond."""
LINGER_S = 2.0
"""How long a refusal waits to be read before its connection ends."""
MOST_LINGERING = 1024
LINGER_SHARE = 4
"""At most one of so many descriptors that the daemon may have is for those who were refused."""
TOLD_AFTER_S = 5.0
"""How long that of a source waits which was told so too often."""
MOST_RESTS = 5
"""So often in a row nobody's request isn't heard; then it is refused, or its connection heard all
the same."""
LINGER_BYTES = 64 * 1024
LONGEST_HEAD_BYTES = 64 * 1024

_HEAD_ENDS: Final = re.compile(rb"\n\r?\n")
_CLAIMS: Final = frozenset({b"authorization", b"cookie"})
_SHOWS_WHO: Final = re.compile(rb"(?i)\n(?:authorization|cookie):")


class LimitedConnection(PeerProtocol):
    """Bounds connections by number, and their silence by time."""

    is_nobodys = True
    user: int | None = None
    """The user id at the other end of the Unix socket; None on TCP."""
    source = ""
    """Which machine it comes from, on TCP."""
    _waits_since = 0.0
    _patience: asyncio.TimerHandle | None = None
    _answers_since: float | None = None
    _resting = False
    _rest: asyncio.TimerHandle | None = None
    _rests = 0
    _heard = False
    _said = b""
    _refused = False
    _told = False
    _read_away = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Hear what it wants; who has said nothing for longest makes room for it."""
        super().connection_made(transport)
        if isinstance(self.peer, Peer):
            self.user = self.peer.uid
        self.source = machine_of(self.client[0]) if self.client else ""
        unheard = self._crowds.unheard[self.user]
        unheard[self] = None
        if len(unheard) > MOST_UNHEARD:
            next(iter(unheard))._refuse()  # noqa: SLF001
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
            self._unset_keepalive_if_required()
            self._said += data
            if not self._comes_in():
                return
            data, self._said = self._said, b""
        super().data_received(data)
        self._watch()

    def _try_again(self) -> None:
        """What it said was put off."""
        self._rest = None
        self._rests += 1
        if self.transport.is_closing() or self._refused or self._heard:
            return
        if self._rests >= MOST_RESTS:
            self._refuse()
        else:
            self.flow.resume_reading()
            self.data_received(b"")

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._answers_since = None
        self._rests = 0
        owed_s = self._crowds.refusals.owe_s(self.source) if self._resting else 0.0
        if (self._resting or self._has_to_rest()) and not self.transport.is_closing():
            self._resting = False
            if self._may_show_who():
                # A person signs in on it, say: meanwhile it is read, and heard if it's expected.
                self._heard = False
                super().on_response_complete()
            else:
                self.flow.pause_reading()
            self._rest_and(self._rested, min(owed_s, LONGEST_REST_S))
        else:
            super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._stop_waiting()
        if self._rest is not None:
            self._rest.cancel()
        self._crowds.forget(self, self.user)
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
        self._crowds.forget(self, self.user)
        if self.cycle is not None:  # pyright: ignore[reportUnnecessaryComparison]
            self.cycle.disconnected = True
        self.transport.abort()

    @property
    def waits_since(self) -> float | None:
        """Since when it brings no whole request; None while it's being served."""
        return None if self._patience is None else self._waits_since

    @property
    def gives_way_since(self) -> float | None:
        """Since when it is told something without having shown who it is."""
        return self._answers_since if self.is_nobodys else None

    @property
    def _crowds(self) -> Crowds[LimitedConnection]:
        known = _CROWDS.get(self.server_state)
        if known is None:
            known = _CROWDS[self.server_state] = Crowds(self.loop)
        return known

    def _rest_and(self, go_on: Callable[[], None], at_least_s: float = 0.0) -> None:
        rest_s = max(REST_S * self._crowds.spread(), at_least_s)
        self._rest = self.loop.call_later(rest_s, go_on)

    def _has_to_rest(self) -> bool:
        """Whether nobody's request waits in a crowd: the loop is late, or its source refused."""
        if not self.is_nobodys or self.user is not None or self._rests >= MOST_RESTS:
            return False
        crowds = self._crowds
        is_too_much = crowds.is_late() or crowds.refusals.wait_s(self.source) > 0
        return crowds.is_one_at(self.user) and is_too_much

    def _may_show_who(self) -> bool:
        """Whether nobody's next request may be somebody's: none waits, and this showed no lie."""
        waiting, _ = self.conn.trailing_data
        claimed = any(name in _CLAIMS for name, _ in self.headers)
        return self.is_nobodys and not waiting and not claimed

    def _comes_in(self) -> bool:
        """Whether it has a place, perhaps another's; where it has none it is refused."""
        inside = self._crowds.inside[self.user]
        is_whole = _HEAD_ENDS.search(self._said) or len(self._said) > LONGEST_HEAD_BYTES
        if self in inside:
            return bool(is_whole) and self._comes_in_again()
        if self._has_to_rest() and not (is_whole and self._is_expected()):
            if is_whole and self._rest is None:
                # What comes behind the head waits in the kernel: nobody fills benchd's memory.
                self.flow.pause_reading()
                self._rest_and(self._try_again)
            return False
        if len(inside) >= (MOST_TCP if self.user is None else MOST_UNIX):
            if not is_whole:
                return False
            upto = None if self._is_expected() else self.loop.time() - STAYS_S
            leaving = _who_gives_way(inside, upto)
            if leaving is None:
                self._refuse()
                return False
            leaving.leave()
        self._crowds.forget(self, self.user)
        self._crowds.inside[self.user][self] = None
        self._heard = True
        return True

    def _comes_in_again(self) -> bool:
        """Whether its rest ends before its time."""
        if not self._is_expected():
            self.flow.pause_reading()
            return False
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        self._heard = True
        return True

    def _is_expected(self) -> bool:
        """Whether it asks for what no crowd may keep anybody from; the application looks closer."""
        if self.peer is not None or _SHOWS_WHO.search(self._said):
            return True
        asked = self._said.split(b" ", 2)[1:2]
        path = asked[0].partition(b"?")[0].decode("latin-1") if asked else ""
        if path == SIGN_IN:
            # No faster than it is let sign in: a crowd that guesses comes so, too.
            return self._crowds.sign_ins.take_or_wait_s(self.source) == 0
        return path in PROBES and self.client is not None and is_loopback(self.client[0])

    def _refuse(self) -> None:
        """Say so, perhaps after a rest, and wait until that was read."""
        self._stop_waiting()
        self.flow.resume_reading()
        if self._rest is not None:
            self._rest.cancel()
        self._crowds.forget(self, self.user)
        lingering = self._crowds.refused
        lingering[self] = None
        if len(lingering) > _most_lingering():
            next(iter(lingering))._end_refusal()  # noqa: SLF001
        self._refused, self._said = True, b""
        self._waits_since = self.loop.time()
        if self._crowds.told.take_or_wait_s(self.source) == 0:
            self._tell_refusal()
        else:
            self._patience = self.loop.call_later(TOLD_AFTER_S, self._tell_refusal)

    def _tell_refusal(self) -> None:
        self._told = True
        self.transport.write(_refusal())
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
        self._crowds.forget(self, self.user)
        self.transport.close()

    def _rested(self) -> None:
        self._rest = None
        if self.transport.is_closing():
            return
        if self._has_to_rest():
            self._rests += 1
            self._rest_and(self._rested)
        elif self._heard:
            super().on_response_complete()
            self._watch()
        else:
            self._heard = True
            self.flow.resume_reading()
            data, self._said = self._said, b""
            if data:
                self.data_received(data)

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


_CROWDS = WeakKeyDictionary[ServerState, Crowds[LimitedConnection]]()


def _who_gives_way(
    inside: Iterable[LimitedConnection], upto: float | None
) -> LimitedConnection | None:
    """Who only waits, the longest of them; else the oldest answer of where most are told to.

    With a time it is somebody who has shown nothing of who they are, and has been so since then.
    """
    inside = list(inside)
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
    counts = Counter(one.source for one in told)
    most, _ = counts.most_common(1)[0]
    return min((one for one in told if one.source == most), key=lambda one: told[one])


def _most_lingering() -> int:
    may_have, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, min(MOST_LINGERING, may_have // LINGER_SHARE))


@cache
def _refusal() -> bytes:
    answer = refusal(503, "too_many_connections", "too many connections are open already")
    head = f"HTTP/1.1 503 Service Unavailable\r\nContent-Length: {len(answer.body)}\r\n"
    kind = "Content-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
    return (head + kind).encode() + bytes(answer.body)
