"""Whoever says nothing, or too many at once, keeps nobody else out and stops no ledger."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import anyio
import anyio.abc
import httpx2
import pytest

from benchd.domain.errors import TriedTooOften
from benchd.domain.lot_papers import AskedPapers
from benchd.lab.benchmarks.visitors.programs import STRANGER
from benchd.texts.catalogue import Catalogue
from benchd.web import connection_limit, middleware, streams
from tests.patience import PATIENCE_S
from tests.web.fake_sessions import WORKER, screen_of
from tests.web.served import app_of
from tests.web.web_fakes import JOB, FakeRack
from tests.web.web_running import SEES_ALL, Running, Server, running

SIDE = ("-m", "tests.web.connection_limit_side")


ROOT = Path(__file__).parents[2]


CROWD = 1100


FILES = 512


HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


@contextmanager
def side(*command: object) -> Generator[subprocess.Popen[str]]:
    """One side in a process that ends with its input, at the latest with this block."""
    with subprocess.Popen(
        [sys.executable, *map(str, command)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def asked(process: subprocess.Popen[str]) -> str:
    """What it says to one more line."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return line_of(process)


def test_row_11_eleven_hundred_idle_connections_stop_no_ledger(tmp_path: Path) -> None:
    with side(*SIDE, "daemon", tmp_path, FILES) as daemon:
        port = line_of(daemon)
        assert asked(daemon) == "1"
        with side(*SIDE, "crowd", port, CROWD) as crowd:
            assert line_of(crowd) == "all there"
            assert [asked(daemon) for _ in range(3)] == ["2", "3", "4"]
            transport = httpx2.HTTPTransport(uds=str(tmp_path / "benchd.sock"))
            with httpx2.Client(
                transport=transport, base_url="http://benchd", timeout=PATIENCE_S
            ) as operator:
                assert operator.get("/healthz").status_code == 200
            with httpx2.Client(
                base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE_S
            ) as browser:
                assert browser.get("/healthz").status_code == 200
            assert asked(daemon) == "5"


async def all_of(stream: anyio.abc.ByteReceiveStream) -> bytes:
    """All until its end; raises where the end is a reset."""
    told = b""
    with anyio.fail_after(PATIENCE_S), suppress(anyio.EndOfStream):
        while True:
            told += await stream.receive()
    return told


async def ends(stream: anyio.abc.ByteReceiveStream) -> None:
    """Returns once the other side has ended the connection."""
    with suppress(anyio.BrokenResourceError):
        await all_of(stream)


async def refused(stream: anyio.abc.ByteReceiveStream) -> bool:
    return (await all_of(stream)).startswith(b"HTTP/1.1 503 ")


async def status(stream: anyio.abc.ByteReceiveStream) -> bytes:
    with anyio.fail_after(PATIENCE_S):
        version, code, _ = (await stream.receive()).split(b" ", 2)
    assert version == b"HTTP/1.1"
    return code


async def until(stream: anyio.abc.ByteReceiveStream, end: bytes) -> None:
    """Returns once the newest that has come ends with this."""
    told = b""
    with anyio.fail_after(PATIENCE_S):
        while not told.endswith(end):
            told += await stream.receive()


@asynccontextmanager
async def visitor(here: Running, said: bytes = b"") -> AsyncGenerator[anyio.abc.SocketStream]:
    async with await anyio.connect_tcp("127.0.0.1", here.port) as stream:
        if said:
            await stream.send(said)
        yield stream


COOKIE = "".join(f"{name}: {value}\r\n" for name, value in screen_of(WORKER).items())


@asynccontextmanager
async def streams_held(
    here: Running, count: int, headers: str = COOKIE
) -> AsyncGenerator[list[anyio.abc.SocketStream]]:
    """So many dashboards, each in the middle of its stream; people's, unless told otherwise."""
    said = f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode()
    async with AsyncExitStack() as stack:
        held = [await stack.enter_async_context(visitor(here, said)) for _ in range(count)]
        for stream in held:
            assert await status(stream) == b"200"
        yield held


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
    async with server() as here, visitor(here, said) as slow:
        with anyio.fail_after(5):
            await ends(slow)


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


async def served(here: Running) -> bool:
    async with here.over_tcp() as client:
        return (await client.get("/healthz")).status_code == 200


@pytest.mark.asyncio
async def test_one_too_many_hears_so_and_the_other_door_stays_open(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 3)
    async with server() as here, here.over_unix() as operator, streams_held(here, 3) as held:
        async with here.over_tcp() as client:
            answer = await client.get("/healthz")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["error"]["code"] == "too_many_connections"
        assert (await operator.get("/healthz")).status_code == 200
        await held[0].aclose()
        with anyio.fail_after(5):
            while (await operator.get("/healthz")).status_code != 200 or not await served(here):
                await anyio.lowlevel.checkpoint()


@pytest.mark.asyncio
@pytest.mark.parametrize(("most", "come"), [(1, 3), (2, 1)], ids=["too many linger", "it lingers"])
async def test_row_6_a_refusal_arrives_whole_and_is_no_reset(
    server: Server, monkeypatch: pytest.MonkeyPatch, most: int, come: int
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 1)
    monkeypatch.setattr(connection_limit, "MOST_LINGERING", most)
    # Much of it is unread when the answer goes out.
    said = HEAD + b"X-Long: " + b"x" * 20_000 + b"\r\n\r\n"
    async with server() as here, streams_held(here, 1):
        for _ in range(come):
            async with visitor(here, said) as late:
                head, _, body = (await all_of(late)).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 ")
            assert f"Content-Length: {len(body)}".encode() in head
            assert b"too_many_connections" in body


@pytest.mark.asyncio
async def test_row_6_who_reads_no_refusal_keeps_no_place_in_the_door(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 1)
    monkeypatch.setattr(connection_limit, "MOST_LINGERING", 2)
    async with server() as here, streams_held(here, 1), AsyncExitStack() as stack:
        mute = [await stack.enter_async_context(visitor(here)) for _ in range(4)]
        for one in mute[:2]:
            await ends(one)


@pytest.mark.asyncio
async def test_row_6_nobodys_streams_make_room_the_oldest_first(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 4)
    async with (
        server() as here,
        streams_held(here, 1) as people,
        streams_held(here, 3, headers="") as nobodys,
    ):
        assert await served(here)
        await ends(nobodys[0])
        # Whoever has signed in stays, however many come.
        assert [await served(here) for _ in range(3)] == [True] * 3
        with anyio.fail_after(PATIENCE_S):
            while b"event: alive" not in await people[0].receive():
                pass


@pytest.mark.asyncio
async def test_row_6_one_source_has_so_many_streams_and_one_person_too(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MOST_OF_ONE", 2)
    async with (
        server() as here,
        streams_held(here, 2) as of_person,
        streams_held(here, 3, headers="") as of_nobody,
    ):
        # It ends in good order, and its connection serves on.
        await until(of_nobody[0], b"0\r\n\r\n")
        await of_nobody[0].send(HEAD + b"\r\n")
        assert await status(of_nobody[0]) == b"200"
        async with streams_held(here, 1):
            await until(of_person[0], b"0\r\n\r\n")


@pytest.mark.asyncio
async def test_who_only_waits_makes_room(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 3)
    async with server() as here, streams_held(here, 2), visitor(here, HEAD + b"\r\n") as idle:
        assert await status(idle) == b"200"
        assert await served(here)
        await ends(idle)


@pytest.mark.asyncio
async def test_the_more_streams_one_has_the_less_often_each_tells() -> None:
    of_all = streams.Streams()
    with ExitStack() as held:
        held.enter_context(of_all.one_of("another"))
        for _ in range(2):
            held.enter_context(of_all.one_of("a shop"))
        assert of_all.interval_s("a shop") == 0.1
        for _ in range(streams.MOST_OF_ONE):
            held.enter_context(of_all.one_of("a shop"))
        assert of_all.interval_s("a shop") == pytest.approx(streams.MOST_OF_ONE / 25)
        assert of_all.interval_s("another") == of_all.interval_s("nobody") == 0.1


PIECE = b"x" * 300_000


PIECES = 40


PAPERS = "/api/v1/papers.zip?lot=L-1"


ASKED = f"GET {PAPERS} HTTP/1.1\r\nHost: localhost\r\n{COOKIE}\r\n".encode()


class TwoPlaces:
    """A fake press that makes two large papers at once."""

    def __init__(self) -> None:
        self.running = 0
        self.free = anyio.Event()

    async def export(self, asked: AskedPapers) -> AsyncGenerator[bytes]:
        if self.running >= 2:
            raise TriedTooOften("two are being made", wait_s=60)
        made = self._made()
        await anext(made)
        return made

    async def _made(self) -> AsyncGenerator[bytes]:
        self.running += 1
        try:
            yield b""
            for _ in range(PIECES):
                yield PIECE
        finally:
            self.running -= 1
            self.free.set()


async def stalled(here: Running) -> anyio.abc.SocketStream:
    """Somebody who asks for papers and reads no more than their begin."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await anyio.to_thread.run_sync(raw.connect, ("127.0.0.1", here.port))
    raw.setblocking(False)
    stream = await anyio.abc.SocketStream.from_socket(raw)
    await stream.send(ASKED)
    assert (await stream.receive(12)) == b"HTTP/1.1 200"
    return stream


@pytest.mark.asyncio
async def test_row_9_two_stalled_readers_of_papers_hold_no_place_for_ever(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "PIECE_WITHIN_S", 1.0)
    press = TwoPlaces()
    app = app_of(rack, catalogue, callers=SEES_ALL, papers=press)
    async with running(app, tmp_path / "benchd.sock") as here:
        held = [await stalled(here) for _ in range(2)]
        assert press.running == 2
        async with here.over_tcp() as client:
            refused = await client.get(PAPERS)
            assert refused.status_code == 429
            with anyio.fail_after(PATIENCE_S):
                await press.free.wait()
            # Who reads gets all of it, in however many pieces.
            whole = await client.get(PAPERS)
        assert whole.content == PIECE * PIECES
        for one in held:
            await one.aclose()


STRANGERS = 192


ROUNDS = 6


BUSY = "while True: pass"


@contextmanager
def busy_neighbours(count: int) -> Generator[None]:
    """Other work on this machine."""
    neighbours = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for neighbour in neighbours:
            neighbour.kill()
            neighbour.wait()


def get(port: int, path: str, headers: str = "") -> bytes:
    """The first line of the answer to a connection of its own, which ends in good order."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as stream:
        stream.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n".encode()
        )
        told = b""
        while part := stream.recv(65536):
            told += part
    return told.partition(b"\r\n")[0]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["ask", "hold"])
@pytest.mark.parametrize(
    "neighbours",
    [
        0,
        pytest.param(10, marks=[pytest.mark.nightly, pytest.mark.timeout(600)]),
    ],
)
def test_rows_1_and_6_a_rack_at_work_lives_through_strangers(
    tmp_path: Path, what: str, neighbours: int
) -> None:
    with ExitStack() as stack:
        rack = stack.enter_context(side("-m", "tests.web.flooded_side", tmp_path))
        port = int(line_of(rack))
        stack.enter_context(busy_neighbours(neighbours))
        crowd = stack.enter_context(side(STRANGER, what, f"127.0.0.1:{port}", "A1", STRANGERS))
        assert line_of(crowd) == "there"
        asked(rack)
        for _ in range(ROUNDS):
            for path, headers in (
                ("/healthz", ""),
                ("/metrics", ""),
                ("/api/v1/slots", COOKIE),
                (f"/api/v1/jobs/{JOB}", COOKIE),
            ):
                assert get(port, path, headers) == b"HTTP/1.1 200 OK", path
        done = asked(rack)
        while done == "0":
            done = asked(rack)
        assert done.isdecimal(), done
