"""Whoever says nothing, or too many at once, keeps nobody else out and stops no ledger."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import anyio
import anyio.abc
import httpx2
import pytest

from benchd.web import connection_limit, streams
from tests.patience import PATIENCE_S
from tests.web.fake_sessions import WORKER, screen_of
from tests.web.web_running import Running, Server

SIDE = Path(__file__).with_name("connection_limit_side.py")
ROOT = Path(__file__).parents[2]
CROWD = 1100
FILES = 512
HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


@contextmanager
def side(*arguments: object) -> Generator[subprocess.Popen[str]]:
    """One side in a process that ends with its input, at the latest with this block."""
    command = [sys.executable, "-m", "tests.web.connection_limit_side", *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def append_to(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    process.stdin.write("append\n")
    process.stdin.flush()
    return line_of(process)


def test_row_11_eleven_hundred_idle_connections_stop_no_ledger(tmp_path: Path) -> None:
    with side("daemon", tmp_path, FILES) as daemon:
        port = line_of(daemon)
        assert append_to(daemon) == "1"
        with side("crowd", port, CROWD) as crowd:
            assert line_of(crowd) == "all there"
            assert [append_to(daemon) for _ in range(3)] == ["2", "3", "4"]
            transport = httpx2.HTTPTransport(uds=str(tmp_path / "benchd.sock"))
            with httpx2.Client(
                transport=transport, base_url="http://benchd", timeout=PATIENCE_S
            ) as operator:
                assert operator.get("/healthz").status_code == 200
            with httpx2.Client(
                base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE_S
            ) as browser:
                assert browser.get("/healthz").status_code == 200
            assert append_to(daemon) == "5"


async def ends(stream: anyio.abc.ByteReceiveStream) -> None:
    """Returns once the other side has ended the connection."""
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while True:
            await stream.receive()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET",
        HEAD,
        b"POST /api/v1/jobs/x/decisions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
        HEAD + b"\r\n" + HEAD,
    ],
    ids=["nothing", "a word", "half a head", "half a body", "half a second one"],
)
async def test_a_request_has_its_time(
    server: Server, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(connection_limit, "REQUEST_WITHIN_S", 0.2)
    async with server() as here:
        slow = await anyio.connect_tcp("127.0.0.1", here.port)
        if said:
            await slow.send(said)
        with anyio.fail_after(5):
            await ends(slow)
        await slow.aclose()


@pytest.mark.asyncio
async def test_a_stream_that_is_read_has_no_such_end(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "REQUEST_WITHIN_S", 0.05)
    async with (
        server() as here,
        here.over_tcp() as client,
        client.stream("GET", "/api/v1/events") as response,
    ):
        alive = 0
        async for line in response.aiter_lines():
            alive += line.startswith("event: alive")
            if alive == 2:
                break
        assert alive == 2


COOKIE = "\r\n".join(f"{name}: {value}" for name, value in screen_of(WORKER).items())


async def hold_streams(
    here: Running, count: int, headers: str = COOKIE
) -> list[anyio.abc.SocketStream]:
    """So many dashboards, each in the middle of its stream; people's, unless told otherwise."""
    held: list[anyio.abc.SocketStream] = []
    for _ in range(count):
        stream = await anyio.connect_tcp("127.0.0.1", here.port)
        more = f"{headers}\r\n" if headers else ""
        await stream.send(f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode())
        assert (await stream.receive()).startswith(b"HTTP/1.1 200")
        held.append(stream)
    return held


@pytest.mark.asyncio
async def test_one_too_many_hears_so_and_the_other_door_stays_open(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 3)
    async with server() as here, here.over_unix() as operator:
        held = await hold_streams(here, 3)
        async with here.over_tcp() as client:
            answer = await client.get("/healthz")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["error"]["code"] == "too_many_connections"
        assert (await operator.get("/healthz")).status_code == 200
        await held.pop().aclose()
        with anyio.fail_after(5):
            while (await operator.get("/healthz")).status_code != 200 or not await served(here):
                await anyio.lowlevel.checkpoint()
        for stream in held:
            await stream.aclose()


async def all_of(stream: anyio.abc.ByteReceiveStream) -> bytes:
    """All until its end; raises where the end is a reset."""
    told = b""
    with suppress(anyio.EndOfStream):
        while True:
            told += await stream.receive()
    return told


@pytest.mark.asyncio
@pytest.mark.parametrize("most", [0, 2], ids=["more linger than may", "it lingers"])
async def test_row_6_a_refusal_arrives_whole_and_is_no_reset(
    server: Server, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 1)
    monkeypatch.setattr(connection_limit, "MOST_LINGERING", max(most, 1))
    async with server() as here:
        (held,) = await hold_streams(here, 1)
        for _ in range(3 if most == 0 else 1):
            late = await anyio.connect_tcp("127.0.0.1", here.port)
            # Much of it is unread when the answer goes out.
            await late.send(HEAD + b"X-Long: " + b"x" * 20_000 + b"\r\n\r\n")
            head, _, body = (await all_of(late)).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 ")
            assert f"Content-Length: {len(body)}".encode() in head
            assert b"too_many_connections" in body
            await late.aclose()
        await held.aclose()


@pytest.mark.asyncio
async def test_row_6_who_reads_no_refusal_keeps_no_place_in_the_door(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 1)
    monkeypatch.setattr(connection_limit, "MOST_LINGERING", 2)
    async with server() as here:
        (held,) = await hold_streams(here, 1)
        mute = [await anyio.connect_tcp("127.0.0.1", here.port) for _ in range(4)]
        for one in mute[:2]:
            with anyio.fail_after(PATIENCE_S):
                await ends(one)
        for one in (held, *mute):
            await one.aclose()


@pytest.mark.asyncio
async def test_row_6_nobodys_streams_make_room_the_oldest_first(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 4)
    async with server() as here:
        people = await hold_streams(here, 1)
        first, second, third = await hold_streams(here, 3, headers="")
        assert await served(here)
        with anyio.fail_after(PATIENCE_S):
            await ends(first)
        # Whoever has signed in stays, however many come.
        assert [await served(here) for _ in range(3)] == [True] * 3
        with anyio.fail_after(PATIENCE_S):
            while b"event: alive" not in await people[0].receive():
                pass
        for stream in (*people, first, second, third):
            await stream.aclose()


@pytest.mark.asyncio
async def test_row_6_one_source_has_so_many_streams_and_one_person_too(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MOST_OF_ONE", 2)
    async with server() as here:
        of_person = await hold_streams(here, 2)
        of_nobody = await hold_streams(here, 3, headers="")
        with anyio.fail_after(PATIENCE_S):
            told = await until(of_nobody[0], b"0\r\n\r\n")
        # It ended in good order, and its connection serves on.
        assert told.endswith(b"0\r\n\r\n")
        await of_nobody[0].send(HEAD + b"\r\n")
        assert (await of_nobody[0].receive()).startswith(b"HTTP/1.1 200")
        of_person += await hold_streams(here, 1)
        with anyio.fail_after(PATIENCE_S):
            await until(of_person[0], b"0\r\n\r\n")
        for stream in (*of_person, *of_nobody):
            await stream.aclose()


async def until(stream: anyio.abc.ByteReceiveStream, end: bytes) -> bytes:
    """All that comes until this."""
    told = b""
    while not told.endswith(end):
        told += await stream.receive()
    return told


async def served(here: Running) -> bool:
    async with here.over_tcp() as client:
        return (await client.get("/healthz")).status_code == 200


@pytest.mark.asyncio
async def test_who_only_waits_makes_room(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 3)
    async with server() as here:
        held = await hold_streams(here, 2)
        idle = await anyio.connect_tcp("127.0.0.1", here.port)
        await idle.send(HEAD + b"\r\n")
        assert (await idle.receive()).startswith(b"HTTP/1.1 200")
        assert await served(here)
        with anyio.fail_after(PATIENCE_S):
            await ends(idle)
        for stream in (*held, idle):
            await stream.aclose()
