"""Which share of the daemon each visitor has: a crowd of strangers takes nothing from people.

Whoever has signed in has places of their own, the machine's own health check and Prometheus need
none. Nobody's requests share a few, by their source and by what they ask for, and come no faster
than their buckets fill. A place is held until the answer begins: what is told after that costs no
more than it is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchd.domain.loopback import is_loopback
from benchd.domain.token_bucket import Buckets, TokenBucket
from benchd.domain.visitor_source import machine_of
from benchd.web.callers import Caller
from benchd.web.concurrency_limit import RequestLimit
from benchd.web.connection import connection_of
from benchd.web.error_answers import busy
from benchd.web.peer import peer_of, source_of

PROBES: Final = frozenset({"/healthz", "/metrics"})
SIGN_IN: Final = "/api/v1/session"
MOST_DELAYED: Final = 48
"""Requests that wait until their source may ask again; with one more it is refused."""
MOST_SOURCES: Final = 1024
"""That are known at a time."""
SOURCE_PER_S: Final = 25.0
SOURCE_AT_ONCE: Final = 400.0
"""The dashboard is made of some eighty files, and all screens of a shop may be one source."""
ALL_PER_S: Final = 50.0
ALL_AT_ONCE: Final = 800.0
FILES: Final = "/static/{path:path}"
"""The route of what lies on the disk; all else is made anew for each request."""
MADE_OF_SOURCE_PER_S: Final = 5.0
MADE_OF_SOURCE_AT_ONCE: Final = 100.0
"""A screen asks for five of these when it's opened, and then holds a stream."""
MADE_PER_S: Final = 10.0
MADE_AT_ONCE: Final = 200.0
SIGN_IN_PER_S: Final = 5.0
SIGN_IN_AT_ONCE: Final = 40.0


class Who(Enum):
    """Which share a request is of."""

    MACHINE = auto()
    """The Unix socket, and another system by its token, which has bounds of its own."""
    PROBE = auto()
    """This machine's health check and Prometheus, which ask for what is cheap."""
    PERSON = auto()
    SIGN_IN = auto()
    """Nobody yet: kept apart, or no crowd would let anybody in."""
    ANYBODY = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Whose a request is, and what it asks for."""

    who: Who
    whose: str
    route: str


def visit_of(scope: Scope, caller: Caller, route: str, *, on_machine: bool) -> Visit:
    """Which share this request is of."""
    source = machine_of(source_of(scope))
    if on_machine or caller.token is not None:
        return Visit(who=Who.MACHINE, whose=source, route=route)
    if caller.actor is not None:
        return Visit(who=Who.PERSON, whose=caller.actor.person, route=route)
    if scope["path"] == SIGN_IN:
        return Visit(who=Who.SIGN_IN, whose=source, route=route)
    # By the connection itself, whatever a proxy says of its visitor.
    client = scope.get("client")
    is_here = peer_of(scope) is None and client is not None and is_loopback(str(client[0]))
    is_probe = scope["path"] in PROBES and is_here
    return Visit(who=Who.PROBE if is_probe else Who.ANYBODY, whose=source, route=route)


class Shares:
    """Serves each visit in its share, or refuses it at once."""

    def __init__(self, stopping: anyio.Event) -> None:
        """Whoever waits as the server begins to stop is refused like one too many."""
        self._stopping = stopping
        self._people = RequestLimit(most=64, of_each=(16, 64), waiting=128, of_one=64)
        self._anybody = RequestLimit(most=8, of_each=(6, 4), waiting=64, of_one=32)
        self._all = TokenBucket(per_s=ALL_PER_S, at_once=ALL_AT_ONCE)
        self._sources = _buckets(SOURCE_PER_S, SOURCE_AT_ONCE)
        self._made = TokenBucket(per_s=MADE_PER_S, at_once=MADE_AT_ONCE)
        self._made_of_sources = _buckets(MADE_OF_SOURCE_PER_S, MADE_OF_SOURCE_AT_ONCE)
        self._sign_ins = _buckets(SIGN_IN_PER_S, SIGN_IN_AT_ONCE)
        self._delayed = 0

    async def serve(
        self, visit: Visit, app: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serve one request in its turn; 503 where too many others wait for theirs."""
        match visit.who:
            case Who.MACHINE | Who.PROBE:
                await app(scope, receive, send)
            case Who.SIGN_IN:
                in_time = await self._in_time(self._sign_ins.of(visit.whose))
                await (app if in_time else _too_many)(scope, receive, send)
            case Who.ANYBODY:
                in_time = await self._in_time(*self._buckets_of(visit))
                served = _Placed(self._anybody, visit, app).serve if in_time else _too_many
                await served(scope, receive, send)
            case Who.PERSON:
                await _Placed(self._people, visit, app).serve(scope, receive, send)

    def _buckets_of(self, visit: Visit) -> Sequence[TokenBucket]:
        """Those that nobody's request takes from."""
        of_all = (self._sources.of(visit.whose), self._all)
        if visit.route == FILES:
            return of_all
        return (*of_all, self._made_of_sources.of(visit.whose), self._made)

    async def _in_time(self, *buckets: TokenBucket) -> bool:
        """Wait until it may come; False at once if too many do, and once the server stops."""
        for bucket in buckets:
            if bucket.take_or_wait_s() > 0:
                if self._delayed >= MOST_DELAYED:
                    return False
                self._delayed += 1
                try:
                    with anyio.move_on_after(bucket.owe_s()):
                        await self._stopping.wait()
                        return False
                finally:
                    self._delayed -= 1
        return True


def _buckets(per_s: float, at_once: float) -> Buckets[str]:
    return Buckets(per_s=per_s, at_once=at_once, most=MOST_SOURCES)


class _Placed:
    """One request that has a place until its answer begins."""

    def __init__(self, places: RequestLimit, visit: Visit, app: ASGIApp) -> None:
        self._places = places
        self._marks = (visit.whose, visit.route)
        self._app = app
        self._held = False

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it, or refuse it."""
        if not await self._places.take(*self._marks):
            await _too_many(scope, receive, send)
            return
        self._held = True

        async def begin(message: Message) -> None:
            self._give_back()
            await send(message)

        try:
            await self._app(scope, receive, begin)
        finally:
            self._give_back()

    def _give_back(self) -> None:
        if self._held:
            self._held = False
            self._places.give_back(*self._marks)


async def _too_many(scope: Scope, receive: Receive, send: Send) -> None:
    connection_of(scope).rest()
    answer = busy("too_many_requests", "too many requests wait already: try again in a while")
    await answer(scope, receive, send)
