"""Rows 1 and 6 where the door is full: who comes is heard, and who is expected comes in."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import anyio
import anyio.abc
import pytest

from benchd.domain.token_bucket import Buckets
from benchd.web import connection_limit, crowds, shares
from tests.patience import PATIENCE_S
from tests.web.test_connection_limit import COOKIE, HEAD, all_of, ends, hold_streams
from tests.web.web_running import Running, Server

pytestmark = pytest.mark.asyncio

WALL = b"GET /api/v1/slots HTTP/1.1\r\nHost: localhost\r\n"
SIGN_IN = (
    b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\n\r\n{}"
)
EXPECTED = {
    "the health check": HEAD + b"\r\n",
    "Prometheus": b"GET /metrics?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "somebody who has signed in": WALL + COOKIE.encode() + b"\r\n\r\n",
    "somebody who signs in": SIGN_IN,
}


@asynccontextmanager
async def visitor(here: Running, said: bytes = b"") -> AsyncGenerator[anyio.abc.SocketStream]:
    async with await anyio.connect_tcp("127.0.0.1", here.port) as stream:
        if said:
            await stream.send(said)
        yield stream


async def status(stream: anyio.abc.SocketStream) -> bytes:
    with anyio.fail_after(PATIENCE_S):
        return (await stream.receive()).split(b" ", 2)[1]


async def idle_strangers(here: Running, count: int) -> list[anyio.abc.SocketStream]:
    """Nobody's connections that were answered, and stay."""
    found: list[anyio.abc.SocketStream] = []
    for _ in range(count):
        stream = await anyio.connect_tcp("127.0.0.1", here.port)
        await stream.send(WALL + b"\r\n")
        assert await status(stream) == b"200"
        found.append(stream)
    return found


@asynccontextmanager
async def waiting_stranger(here: Running, who: str) -> AsyncGenerator[anyio.abc.SocketStream]:
    """A stranger who isn't heard, while one who is expected has an answer."""
    async with visitor(here, WALL + b"\r\n") as stranger, visitor(here, EXPECTED[who]) as known:
        assert await status(known) in {b"200", b"201", b"404"}
        with anyio.move_on_after(0.1) as waited:
            await stranger.receive()
        assert waited.cancelled_caught
        yield stranger


async def test_who_comes_later_sends_nobody_away_who_has_not_spoken_yet(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 3)
    async with server() as here:
        held = await hold_streams(here, 2)
        async with visitor(here) as first, visitor(here), visitor(here):
            await first.send(HEAD + b"\r\n")
            assert await status(first) == b"200"
        for stream in held:
            await stream.aclose()


async def test_of_those_who_say_nothing_the_oldest_is_told_to_go(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_UNHEARD", 2)
    async with server() as here, visitor(here) as oldest, visitor(here), visitor(here):
        with anyio.fail_after(PATIENCE_S):
            assert (await all_of(oldest)).startswith(b"HTTP/1.1 503 ")


@pytest.mark.parametrize("who", EXPECTED)
async def test_a_full_door_lets_in_who_is_expected_and_refuses_one_more_stranger(
    server: Server, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 2)
    async with server() as here:
        idle = await idle_strangers(here, 2)
        async with visitor(here, WALL + b"\r\n") as stranger:
            with anyio.fail_after(PATIENCE_S):
                assert (await all_of(stranger)).startswith(b"HTTP/1.1 503 ")
        async with visitor(here, EXPECTED[who]) as expected:
            # This rack has no metrics: what counts is that it is asked.
            assert await status(expected) in {b"200", b"201", b"404"}
        with anyio.fail_after(PATIENCE_S):
            await ends(idle[0])
        for stream in idle:
            await stream.aclose()


async def test_a_stranger_has_the_place_of_one_who_has_waited_for_a_while(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 2)
    monkeypatch.setattr(connection_limit, "STAYS_S", 0.0)
    async with server() as here:
        idle = await idle_strangers(here, 2)
        idle += await idle_strangers(here, 1)
        with anyio.fail_after(PATIENCE_S):
            await ends(idle[0])
        for stream in idle:
            await stream.aclose()


async def test_a_source_is_expected_to_sign_in_no_faster_than_it_may(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 3)
    monkeypatch.setattr(crowds, "SIGN_INS_AT_ONCE", 1)
    monkeypatch.setattr(crowds, "SIGN_INS_PER_S", 1 / 3600)
    async with server() as here:
        idle = await idle_strangers(here, 3)
        async with visitor(here, SIGN_IN) as one, visitor(here) as one_more:
            assert await status(one) == b"201"
            await one_more.send(SIGN_IN)
            with anyio.fail_after(PATIENCE_S):
                assert (await all_of(one_more)).startswith(b"HTTP/1.1 503 ")
        for stream in idle:
            await stream.aclose()


async def test_nobodys_stream_gives_way_before_somebody_who_only_waits(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 2)
    async with server() as here, visitor(here, WALL + COOKIE.encode() + b"\r\n\r\n") as person:
        assert await status(person) == b"200"
        (strangers,) = await hold_streams(here, 1, headers="")
        async with visitor(here, HEAD + b"\r\n") as probe:
            assert await status(probe) == b"200"
        with anyio.fail_after(PATIENCE_S):
            await ends(strangers)
        await person.send(WALL + COOKIE.encode() + b"\r\n\r\n")
        assert await status(person) == b"200"
        await strangers.aclose()


async def test_a_source_that_is_refused_again_and_again_is_told_after_a_rest(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 1)
    monkeypatch.setattr(crowds, "TOLD_AT_ONCE", 1)
    monkeypatch.setattr(crowds, "TOLD_PER_S", 1 / 3600)
    monkeypatch.setattr(connection_limit, "TOLD_AFTER_S", 3600.0)
    monkeypatch.setattr(connection_limit, "MOST_LINGERING", 2)
    monkeypatch.setattr(connection_limit, "LINGER_S", 3600.0)
    async with server() as here:
        (held,) = await hold_streams(here, 1)
        async with (
            visitor(here, WALL + b"\r\n") as first,
            visitor(here, WALL + b"\r\n") as second,
        ):
            with anyio.fail_after(PATIENCE_S):
                assert b" 503 " in await first.receive()
            # Still in the dark; whoever is one too many has the oldest one told, and go.
            async with visitor(here, WALL + b"\r\n"), visitor(here, WALL + b"\r\n"):
                with anyio.fail_after(PATIENCE_S):
                    assert (await all_of(second)).startswith(b"HTTP/1.1 503 ")
        await held.aclose()


@pytest.mark.parametrize("who", EXPECTED)
async def test_where_the_loop_is_late_and_a_crowd_is_there_strangers_wait(
    server: Server, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    monkeypatch.setattr(connection_limit, "REST_S", 0.01)
    monkeypatch.setattr(connection_limit, "MOST_RESTS", sys.maxsize)
    monkeypatch.setattr(crowds, "CROWD", 2)
    async with server() as here:
        idle = await idle_strangers(here, 2)
        monkeypatch.setattr(crowds, "LATE_S", -1.0)
        async with waiting_stranger(here, who) as stranger:
            monkeypatch.setattr(crowds, "LATE_S", 3600.0)
            assert await status(stranger) == b"200"
        for stream in idle:
            await stream.aclose()


async def test_the_more_of_a_source_are_refused_the_longer_each_of_them_rests(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "MOST_DELAYED", 0)
    monkeypatch.setattr(shares, "SOURCE_AT_ONCE", 1.0)
    monkeypatch.setattr(shares, "SOURCE_PER_S", 1e-6)
    monkeypatch.setattr(crowds, "REFUSED_AT_ONCE", 2.0)
    monkeypatch.setattr(crowds, "REFUSED_PER_S", 1 / 3)
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
    async with server() as here:
        [stranger] = await idle_strangers(here, 1)
        async with visitor(here) as other:
            for stream in (stranger, other, stranger, other, other):
                await stream.send(WALL + b"\r\n")
                assert await status(stream) == b"503"
            await stranger.send(EXPECTED["somebody who has signed in"])
            assert await status(stranger) == b"200"
        await stranger.aclose()
    assert [int(rest + 0.5) for rest in rests[2:]] == [3, 6, 8]
    assert 1 <= min(rests[:2]) < max(rests[:2]) < 2


@pytest.mark.parametrize("who", EXPECTED)
async def test_where_many_of_a_source_were_refused_its_strangers_wait(
    server: Server, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    monkeypatch.setattr(connection_limit, "REST_S", 0.01)
    monkeypatch.setattr(connection_limit, "MOST_RESTS", sys.maxsize)
    monkeypatch.setattr(crowds, "CROWD", 1)
    owed = [0.0]
    monkeypatch.setattr(Buckets, "wait_s", lambda *_: owed[0])
    async with server() as here:
        idle = await idle_strangers(here, 1)
        owed[0] = 1.0
        async with waiting_stranger(here, who) as stranger:
            owed[0] = 0.0
            assert await status(stranger) == b"200"
        await idle[0].aclose()


async def test_a_stranger_who_has_waited_long_for_a_late_loop_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "REST_S", 0.01)
    monkeypatch.setattr(crowds, "CROWD", 1)
    async with server() as here:
        idle = await idle_strangers(here, 1)
        monkeypatch.setattr(crowds, "LATE_S", -1.0)
        async with visitor(here, WALL + b"\r\n") as stranger:
            with anyio.fail_after(PATIENCE_S):
                assert (await all_of(stranger)).startswith(b"HTTP/1.1 503 ")
        # Who was served before is served again at last.
        await idle[0].send(WALL + b"\r\n")
        with anyio.fail_after(PATIENCE_S):
            assert b" 200 " in await idle[0].receive()
        await idle[0].aclose()


async def test_of_who_waits_for_a_late_loop_no_more_is_kept_than_a_head(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "REST_S", 0.2)
    monkeypatch.setattr(crowds, "CROWD", 1)
    kept: list[int] = []
    received = connection_limit.LimitedConnection.data_received

    def receive(self: connection_limit.LimitedConnection, data: bytes) -> None:
        received(self, data)
        kept.append(len(self._said))

    monkeypatch.setattr(connection_limit.LimitedConnection, "data_received", receive)
    async with server() as here:
        idle = await idle_strangers(here, 1)
        monkeypatch.setattr(crowds, "LATE_S", -1.0)
        async with visitor(here, WALL + b"Content-Length: 9999999\r\n\r\n") as stranger:
            with suppress(anyio.BrokenResourceError), anyio.move_on_after(0.5):
                for _ in range(256):
                    await stranger.send(bytes(64 * 1024))
        await idle[0].aclose()
    # What one read of asyncio's brings comes on top.
    assert max(kept) <= connection_limit.LONGEST_HEAD_BYTES + 256 * 1024


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crowd, a loop that is late, and rests that no test sees the end of."""
    monkeypatch.setattr(connection_limit, "REST_S", 3600.0)
    monkeypatch.setattr(connection_limit, "MOST_RESTS", sys.maxsize)
    monkeypatch.setattr(crowds, "CROWD", 1)
    monkeypatch.setattr(crowds, "LATE_S", -1.0)


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize("who", EXPECTED)
async def test_where_the_loop_is_late_a_kept_connection_is_heard_for_who_is_expected(
    server: Server, who: str
) -> None:
    async with server() as here, visitor(here, HEAD + b"\r\n") as screen:
        assert await status(screen) == b"200"
        await screen.send(EXPECTED[who])
        assert await status(screen) in {b"200", b"201", b"404"}


@pytest.mark.usefixtures("late")
async def test_where_the_loop_is_late_who_has_signed_in_is_heard_whatever_is_asked(
    server: Server,
) -> None:
    async with server() as here, visitor(here, SIGN_IN) as screen:
        assert await status(screen) == b"201"
        await screen.send(WALL + b"\r\n")
        assert await status(screen) == b"200"


LIE = WALL + b"Cookie: x=y\r\n\r\n"


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize(
    ("said", "then"), [(LIE, LIE), (HEAD + b"\r\n" + LIE, b""), (HEAD + b"\r\n", WALL + b"\r\n")]
)
async def test_where_the_loop_is_late_nobodys_kept_connection_rests(
    server: Server, said: bytes, then: bytes
) -> None:
    async with server() as here, visitor(here, said) as stranger:
        assert await status(stranger) == b"200"
        if then:
            await stranger.send(then)
        with anyio.move_on_after(0.1) as waited:
            await stranger.receive()
        assert waited.cancelled_caught
