"""Rows 1 and 6 where the door is full: who comes is heard, and who is expected comes in."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from types import ModuleType

import anyio
import anyio.abc
import pytest

from benchd.domain.token_bucket import Buckets
from benchd.web import connection_backpressure, connection_limit, visitor_shares
from tests.web.test_connection_limit import (
    COOKIE,
    HEAD,
    ends,
    refused,
    status,
    streams_held,
    visitor,
)
from tests.web.web_running import Running, Server

pytestmark = pytest.mark.asyncio

WALL = b"GET /api/v1/slots HTTP/1.1\r\nHost: localhost\r\n"
STRANGER = WALL + b"\r\n"
PROBE = HEAD + b"\r\n"
SIGNED_IN = WALL + COOKIE.encode() + b"\r\n"
SIGN_IN = (
    b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\n\r\n{}"
)
EXPECTED = {
    "the health check": PROBE,
    "Prometheus": b"GET /metrics?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "somebody who has signed in": SIGNED_IN,
    "somebody who signs in": SIGN_IN,
}
SERVED = {b"200", b"201", b"404"}
"""This rack has no metrics: what counts is that it is asked."""

Bounds = Callable[..., None]


@pytest.fixture
def bounds(monkeypatch: pytest.MonkeyPatch) -> Bounds:
    """Sets bounds of a module for as long as the test."""

    def bound(module: ModuleType, **values: float) -> None:
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)

    return bound


@asynccontextmanager
async def idle_strangers(here: Running, count: int) -> AsyncGenerator[list[anyio.abc.SocketStream]]:
    """Nobody's connections that were answered, and stay."""
    async with AsyncExitStack() as stack:
        found: list[anyio.abc.SocketStream] = []
        for _ in range(count):
            found.append(await stack.enter_async_context(visitor(here, STRANGER)))
            assert await status(found[-1]) == b"200"
        yield found


async def is_not_heard(stream: anyio.abc.SocketStream) -> bool:
    with anyio.move_on_after(0.1) as waited:
        await stream.receive()
    return waited.cancelled_caught


@asynccontextmanager
async def waiting_stranger(here: Running, who: str) -> AsyncGenerator[anyio.abc.SocketStream]:
    """A stranger who isn't heard, while one who is expected has an answer."""
    async with visitor(here, STRANGER) as stranger, visitor(here, EXPECTED[who]) as known:
        assert await status(known) in SERVED
        assert await is_not_heard(stranger)
        yield stranger


async def test_who_comes_later_sends_nobody_away_who_has_not_spoken_yet(
    server: Server, bounds: Bounds
) -> None:
    bounds(connection_limit, MOST_TCP=3)
    async with (
        server() as here,
        streams_held(here, 2),
        visitor(here) as first,
        visitor(here),
        visitor(here),
    ):
        await first.send(PROBE)
        assert await status(first) == b"200"


async def test_of_those_who_say_nothing_the_oldest_is_told_to_go(
    server: Server, bounds: Bounds
) -> None:
    bounds(connection_limit, MOST_UNHEARD=2)
    async with server() as here, visitor(here) as oldest, visitor(here), visitor(here):
        assert await refused(oldest)


@pytest.mark.parametrize("who", EXPECTED)
async def test_a_full_door_lets_in_who_is_expected_and_refuses_one_more_stranger(
    server: Server, bounds: Bounds, who: str
) -> None:
    bounds(connection_limit, MOST_TCP=2)
    async with server() as here, idle_strangers(here, 2) as idle:
        async with visitor(here, STRANGER) as stranger:
            assert await refused(stranger)
        async with visitor(here, EXPECTED[who]) as expected:
            assert await status(expected) in SERVED
        await ends(idle[0])


async def test_a_stranger_has_the_place_of_one_who_has_waited_for_a_while(
    server: Server, bounds: Bounds
) -> None:
    bounds(connection_limit, MOST_TCP=2, STAYS_S=0.0)
    async with server() as here, idle_strangers(here, 2) as idle, idle_strangers(here, 1):
        await ends(idle[0])


async def test_a_source_is_expected_to_sign_in_no_faster_than_it_may(
    server: Server, bounds: Bounds
) -> None:
    bounds(connection_limit, MOST_TCP=3)
    bounds(connection_backpressure, SIGN_INS_AT_ONCE=1, SIGN_INS_PER_S=1 / 3600)
    async with (
        server() as here,
        idle_strangers(here, 3),
        visitor(here, SIGN_IN) as one,
        visitor(here) as one_more,
    ):
        assert await status(one) == b"201"
        await one_more.send(SIGN_IN)
        assert await refused(one_more)


async def test_nobodys_stream_gives_way_before_somebody_who_only_waits(
    server: Server, bounds: Bounds
) -> None:
    bounds(connection_limit, MOST_TCP=2)
    async with server() as here, visitor(here, SIGNED_IN) as person:
        assert await status(person) == b"200"
        async with streams_held(here, 1, headers="") as strangers:
            async with visitor(here, PROBE) as probe:
                assert await status(probe) == b"200"
            await ends(strangers[0])
            await person.send(SIGNED_IN)
            assert await status(person) == b"200"


async def test_a_source_that_is_refused_again_and_again_is_told_after_a_rest(
    server: Server, bounds: Bounds
) -> None:
    bounds(connection_backpressure, TOLD_AT_ONCE=1, TOLD_PER_S=1 / 3600)
    bounds(connection_limit, MOST_TCP=1, TOLD_AFTER_S=3600.0, MOST_LINGERING=2, LINGER_S=3600.0)
    async with (
        server() as here,
        streams_held(here, 1),
        visitor(here, STRANGER) as first,
        visitor(here, STRANGER) as second,
    ):
        assert await status(first) == b"503"
        # Still in the dark; whoever is one too many has the oldest one told, and go.
        async with visitor(here, STRANGER), visitor(here, STRANGER):
            assert await refused(second)


@pytest.mark.parametrize("who", EXPECTED)
@pytest.mark.parametrize("is_late", [True, False], ids=["late", "many refused"])
async def test_where_a_crowd_is_there_and_the_loop_is_late_or_many_were_refused_strangers_wait(
    server: Server, bounds: Bounds, monkeypatch: pytest.MonkeyPatch, who: str, *, is_late: bool
) -> None:
    bounds(connection_limit, REST_S=0.01, MOST_RESTS=sys.maxsize)
    bounds(connection_backpressure, CROWD=2)
    owed = [0.0]
    if not is_late:
        monkeypatch.setattr(Buckets, "wait_s", lambda *_: owed[0])
    async with server() as here, idle_strangers(here, 2):
        owed[0] = 1.0
        if is_late:
            bounds(connection_backpressure, LATE_S=-1.0)
        async with waiting_stranger(here, who) as stranger:
            owed[0] = 0.0
            bounds(connection_backpressure, LATE_S=3600.0)
            assert await status(stranger) == b"200"


async def test_the_more_of_a_source_are_refused_the_longer_each_of_them_rests(
    server: Server, bounds: Bounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds(visitor_shares, MOST_DELAYED=0, SOURCE_AT_ONCE=1.0, SOURCE_PER_S=1e-6)
    bounds(connection_backpressure, REFUSED_AT_ONCE=2.0, REFUSED_PER_S=1 / 3)
    rests: list[float] = []
    loop = asyncio.get_running_loop()
    call_later = loop.call_later

    def at_once(
        delay: float, callback: Callable[..., object], *args: object
    ) -> asyncio.TimerHandle:
        if callback.__name__ == "_rested":
            rests.append(delay)
            delay = 0
        return call_later(delay, callback, *args)

    monkeypatch.setattr(loop, "call_later", at_once)
    async with (
        server() as here,
        idle_strangers(here, 1) as [stranger],
        visitor(here) as other,
    ):
        for stream in (stranger, other, stranger, other, other):
            await stream.send(STRANGER)
            assert await status(stream) == b"503"
        await stranger.send(SIGNED_IN)
        assert await status(stranger) == b"200"
    assert [int(rest + 0.5) for rest in rests[2:]] == [3, 6, 8]
    assert 1 <= min(rests[:2]) < max(rests[:2]) < 2


async def test_a_stranger_who_has_waited_long_for_a_late_loop_is_refused(
    server: Server, bounds: Bounds
) -> None:
    bounds(connection_limit, REST_S=0.01)
    bounds(connection_backpressure, CROWD=1)
    async with server() as here, idle_strangers(here, 1) as [idle]:
        bounds(connection_backpressure, LATE_S=-1.0)
        async with visitor(here, STRANGER) as stranger:
            assert await refused(stranger)
        # Who was served before is served again at last.
        await idle.send(STRANGER)
        assert await status(idle) == b"200"


async def test_of_who_waits_for_a_late_loop_no_more_is_kept_than_a_head(
    server: Server, bounds: Bounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds(connection_limit, REST_S=0.2)
    bounds(connection_backpressure, CROWD=1)
    kept: list[int] = []
    received = connection_limit.LimitedConnection.data_received

    def receive(self: connection_limit.LimitedConnection, data: bytes) -> None:
        received(self, data)
        kept.append(len(self._said))

    monkeypatch.setattr(connection_limit.LimitedConnection, "data_received", receive)
    async with server() as here, idle_strangers(here, 1):
        bounds(connection_backpressure, LATE_S=-1.0)
        async with visitor(here, WALL + b"Content-Length: 9999999\r\n\r\n") as stranger:
            with suppress(anyio.BrokenResourceError), anyio.move_on_after(0.5):
                for _ in range(256):
                    await stranger.send(bytes(64 * 1024))
    # What one read of asyncio's brings comes on top.
    assert max(kept) <= connection_limit.LONGEST_HEAD_BYTES + 256 * 1024


@pytest.fixture
def late(bounds: Bounds) -> None:
    """A crowd, a loop that is late, and rests that no test sees the end of."""
    bounds(connection_limit, REST_S=3600.0, MOST_RESTS=sys.maxsize)
    bounds(connection_backpressure, CROWD=1, LATE_S=-1.0)


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize("who", EXPECTED)
async def test_where_the_loop_is_late_a_kept_connection_is_heard_for_who_is_expected(
    server: Server, who: str
) -> None:
    async with server() as here, visitor(here, PROBE) as screen:
        assert await status(screen) == b"200"
        await screen.send(EXPECTED[who])
        assert await status(screen) in SERVED


@pytest.mark.usefixtures("late")
async def test_where_the_loop_is_late_who_has_signed_in_is_heard_whatever_is_asked(
    server: Server,
) -> None:
    async with server() as here, visitor(here, SIGN_IN) as screen:
        assert await status(screen) == b"201"
        await screen.send(STRANGER)
        assert await status(screen) == b"200"


LIE = WALL + b"Cookie: x=y\r\n\r\n"


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize(("said", "then"), [(LIE, LIE), (PROBE + LIE, b""), (PROBE, STRANGER)])
async def test_where_the_loop_is_late_nobodys_kept_connection_rests(
    server: Server, said: bytes, then: bytes
) -> None:
    async with server() as here, visitor(here, said) as stranger:
        assert await status(stranger) == b"200"
        if then:
            await stranger.send(then)
        assert await is_not_heard(stranger)
