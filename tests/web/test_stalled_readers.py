"""Row 9: whoever reads nothing of an answer holds no place that others wait for."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path

import anyio
import anyio.abc
import pytest

from benchd.domain.errors import TriedTooOften
from benchd.domain.lot_papers import AskedPapers
from benchd.texts.catalogue import Catalogue
from benchd.web import middleware
from tests.patience import PATIENCE_S
from tests.web.fake_sessions import WORKER, screen_of
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack
from tests.web.web_running import SEES_ALL, Running, running

pytestmark = pytest.mark.asyncio

PIECE = b"x" * 300_000
PIECES = 40
ASKED = "".join(
    f"{line}\r\n"
    for line in (
        "GET /api/v1/papers.zip?lot=L-1 HTTP/1.1",
        "Host: localhost",
        *(f"{name}: {value}" for name, value in screen_of(WORKER).items()),
        "",
    )
).encode()


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
    raw.setblocking(False)
    await anyio.to_thread.run_sync(partial(connect, raw, here.port))
    stream = await anyio.abc.SocketStream.from_socket(raw)
    await stream.send(ASKED)
    assert (await stream.receive(12)) == b"HTTP/1.1 200"
    return stream


def connect(raw: socket.socket, port: int) -> None:
    raw.setblocking(True)
    raw.connect(("127.0.0.1", port))
    raw.setblocking(False)


async def test_row_9_two_stalled_readers_of_papers_hold_no_place_for_ever(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "PIECE_WITHIN_S", 1.0)
    press = TwoPlaces()
    app = app_of(
        rack,
        catalogue,
        callers=SEES_ALL,
        papers=press,
    )
    async with running(app, tmp_path / "benchd.sock") as here:
        held = [await stalled(here) for _ in range(2)]
        assert press.running == 2
        async with here.over_tcp() as client:
            refused = await client.get("/api/v1/papers.zip?lot=L-1")
            assert refused.status_code == 429
            with anyio.fail_after(PATIENCE_S):
                await press.free.wait()
            # Who reads gets all of it, in however many pieces.
            whole = await client.get("/api/v1/papers.zip?lot=L-1")
        assert whole.content == PIECE * PIECES
        for one in held:
            await one.aclose()
