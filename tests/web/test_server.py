from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from benchd.domain.ids import PortPath, SlotName
from benchd.domain.job import Gate
from benchd.domain.people import Actor
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel
from benchd.web.callers import Callers
from benchd.web.middleware import Leaving
from benchd.web.server import serve
from benchd.web.sockets import tcp_listener
from tests.patience import PATIENCE_S
from tests.people.somebody import somebody
from tests.web.fake_sessions import screen_of
from tests.web.served import app_of
from tests.web.web_fakes import JOB, FakeRack, identity, port, running_view
from tests.web.web_running import Running, Server, running

pytestmark = pytest.mark.asyncio

DECISIONS = f"/api/v1/jobs/{JOB}/decisions"
ANSWER = {"gate": "consent", "approved": True}
EVENTS = "/api/v1/events"
QUICK_S = 0.5


async def events_of(response: httpx2.Response) -> AsyncGenerator[tuple[str, Any]]:
    """Each event with its data, comments left out."""
    name = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


@asynccontextmanager
async def watching(server: Server) -> AsyncGenerator[AsyncGenerator[tuple[str, Any]]]:
    """The events that a page over the Unix socket is told."""
    async with (
        server() as here,
        here.over_unix() as client,
        client.stream("GET", EVENTS) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        told = events_of(response)
        yield told
        await told.aclose()


async def test_each_socket_knows_who_comes_by_it(rack: FakeRack, server: Server) -> None:
    by_unix = {"transport": "unix", "uid": str(os.getuid())}
    async with server() as here, here.over_unix() as unix, here.over_tcp() as tcp:
        async with rack.asking(Gate.CONSENT):
            answer = await unix.post(DECISIONS, json=ANSWER)
        assert (answer.status_code, answer.json()["via"]) == (200, by_unix)
        [kept] = rack.ledger.of(EntryKind.DECISION)
        assert kept.data["via"] == by_unix
        async with rack.asking(Gate.CONSENT):
            headers = {"x-forwarded-for": "192.0.2.1"}
            answer = await tcp.post(DECISIONS, json=ANSWER, headers=headers)
        assert answer.json()["via"] == {"transport": "tcp"}
        foreign = {"host": "evil.example"}
        assert (await unix.get("/healthz", headers=foreign)).status_code == 200
        assert (await tcp.get("/healthz", headers=foreign)).status_code == 403
        assert (await tcp.get("/healthz")).status_code == 200


async def test_streamed_body_is_bounded(server: Server) -> None:
    async def endless() -> AsyncGenerator[bytes]:
        for _ in range(100):
            yield b" " * 1024

    async with server() as here, here.over_unix() as client:
        answer = await client.post(
            DECISIONS, content=endless(), headers={"content-type": "application/json"}
        )
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "body_too_large"


async def test_events_tell_everything_then_each_change(rack: FakeRack, server: Server) -> None:
    rack.board.show(running_view(0.25))
    async with watching(server) as told:
        name, slot = await anext(told)
        assert (name, slot["slot"], slot["progress"]) == ("slot", "A1", 0.25)
        assert await anext(told) == ("unknown_ports", [])
        name, queue = await anext(told)
        assert (name, queue["errands"]) == ("queue", [])
        assert await anext(told) == ("alive", {"slots": ["A1"]})

        rack.board.show(running_view(0.5))
        name, slot = await anext(told)
        assert (name, slot["progress"]) == ("slot", 0.5)

        rack.board.show_unknown_port(PortPath(port(9)), attached=True)
        name, ports = await anext(told)
        assert (name, ports[0]["port_path"]) == ("unknown_ports", port(9))
        name, queue = await anext(told)
        assert (name, [errand["kind"] for errand in queue["errands"]]) == ("queue", ["port"])


async def test_notices_are_told_when_there_are_any(rack: FakeRack, server: Server) -> None:
    async with watching(server) as events:
        # What it makes of the queue is another test's.
        told = ((name, data) async for name, data in events if name != "queue")
        assert await anext(told) == ("unknown_ports", [])
        assert await anext(told) == ("alive", {"slots": []})
        rack.board.show_notice(ProblemView(code=ProblemCode.LEDGER_BROKEN))
        name, notices = await anext(told)
        assert (name, notices[0]["code"]) == ("notices", "ledger_broken")
        rack.board.withdraw_notice(ProblemCode.LEDGER_BROKEN)
        assert await anext(told) == ("notices", [])
        await told.aclose()


async def test_a_screen_that_was_locked_is_told_nothing_more(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    """Not even the next change: whoever stands there now hasn't signed in."""
    here: list[Actor] = [somebody("Sato")]
    callers = Callers([lambda _: here[0] if here else None], anonymous=AccessLevel.WALL)
    rack.board.show(running_view(0.25))
    async with (
        running(app_of(rack, catalogue, callers=callers), tmp_path / "socket") as server,
        server.over_tcp() as client,
        client.stream("GET", EVENTS) as response,
    ):
        told = events_of(response)
        async for name, _ in told:
            if name == "alive":
                break
        here.clear()
        rack.board.show(replace(running_view(0.5), identity=identity(serial="NEXT-ONE")))
        with anyio.fail_after(10):
            assert [event async for event in told] == []


async def test_whoever_leaves_in_mid_word_is_no_fault(rack: FakeRack, app: FastAPI) -> None:
    """Else the server logs a traceback for each page that is closed, and anybody fills it."""
    for number in range(8):
        rack.board.show(replace(running_view(), slot=SlotName(f"S{number}")))
    begun: list[str] = []

    async def leave() -> Message:
        if not begun:
            begun.append("request")
            return {"type": "http.request", "body": b""}
        await anyio.wait_all_tasks_blocked()
        return {"type": "http.disconnect"}

    async def told(message: Message) -> None:
        begun.append(message["type"])
        if message["type"] == "http.response.body":
            await anyio.sleep_forever()

    with anyio.fail_after(10):
        await app(
            {
                "type": "http",
                "asgi": {"version": "3.0", "spec_version": "2.3"},
                "http_version": "1.1",
                "method": "GET",
                "scheme": "http",
                "path": EVENTS,
                "raw_path": EVENTS.encode(),
                "root_path": "",
                "query_string": b"",
                "headers": [(b"host", b"localhost")],
                "client": ("127.0.0.1", 1),
                "server": ("127.0.0.1", 2),
            },
            leave,
            told,
        )
    assert begun == ["request", "http.response.start", "http.response.body"]


async def test_a_fault_after_the_begin_of_an_answer_is_still_one() -> None:
    async def begins_and_fails(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ExceptionGroup("two", [anyio.BrokenResourceError(), ValueError("a fault")])

    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise anyio.BrokenResourceError

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    async def drop(message: Message) -> None:
        pass

    for faulty, fault in ((begins_and_fails, ValueError), (fails, anyio.BrokenResourceError)):
        with pytest.RaisesGroup(fault):
            await Leaving(faulty)({"type": "http"}, nothing, drop)


async def test_burst_is_told_by_its_last_state(rack: FakeRack, server: Server) -> None:
    rack.board.show(running_view(0.0))
    async with watching(server) as told:
        await anext(told)
        await anext(told)
        seen: list[float] = []
        for step in range(1, 101):
            rack.board.show(running_view(step / 100))
            await anyio.lowlevel.checkpoint()
        async for name, slot in told:
            if name != "slot":
                continue
            seen.append(slot["progress"])
            if slot["progress"] == 1.0:
                break
        assert len(seen) <= 3


async def test_open_streams_and_stuck_clients_do_not_hold_up_the_end(
    rack: FakeRack, server: Server
) -> None:
    rack.board.show(running_view())
    async with server() as here:
        silent = await anyio.connect_tcp("127.0.0.1", here.port)
        halfway = await anyio.connect_tcp("127.0.0.1", here.port)
        head = f"POST {DECISIONS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
        await halfway.send(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
        async with here.over_tcp() as client, client.stream("GET", EVENTS) as response:
            assert (await client.get("/healthz")).status_code == 200
            lines = response.aiter_lines()
            await anext(lines)
            began = time.monotonic()
            here.stop.set()
            async for _ in lines:
                pass  # it ends in good order, else this raises
            await here.ended.wait()
            assert time.monotonic() - began < QUICK_S
        await silent.aclose()
        await halfway.aclose()


async def test_cancelled_server_ends_quickly_too(app: FastAPI) -> None:
    began = 0.0
    with tcp_listener("127.0.0.1", 0) as tcp:
        address = f"http://127.0.0.1:{tcp.getsockname()[1]}"
        async with (
            httpx2.AsyncClient(base_url=address, trust_env=False, timeout=PATIENCE_S) as client,
            anyio.create_task_group() as group,
        ):
            await group.start(partial(serve, app, sockets=[tcp], stop=anyio.Event()))
            async with client.stream("GET", EVENTS) as response:
                lines = response.aiter_lines()
                await anext(lines)
                began = time.monotonic()
                group.cancel_scope.cancel()
        assert time.monotonic() - began < QUICK_S


async def test_signals_stay_with_the_daemon_and_the_socket_is_there_with_its_mode_then_gone(
    app: FastAPI, tmp_path: Path
) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    path = tmp_path / "benchd.sock"
    async with running(app, path):
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
        assert path.stat().st_mode & 0o777 == 0o660
        assert [file.name for file in tmp_path.iterdir()] == ["benchd.sock"]
    assert list(tmp_path.iterdir()) == []


async def test_two_clients_deciding_at_once_one_wins(rack: FakeRack, server: Server) -> None:
    codes: list[int] = []

    async def answer_as(here: Running, operator: str) -> None:
        async with here.over_unix() as client:
            response = await client.post(DECISIONS, json=ANSWER, headers=screen_of(operator))
            codes.append(response.status_code)

    async with server() as here, anyio.create_task_group() as asking:
        asking.start_soon(rack.ask, Gate.CONSENT)
        await anyio.wait_all_tasks_blocked()
        async with anyio.create_task_group() as answering:
            answering.start_soon(answer_as, here, "佐藤")
            answering.start_soon(answer_as, here, "鈴木")
    assert sorted(codes) in ([200, 404], [200, 409])
    assert len(rack.ledger.of(EntryKind.DECISION)) == 1


async def test_requests_before_start_are_served_after(app: FastAPI) -> None:
    with tcp_listener("127.0.0.1", 0) as tcp, socket.create_connection(tcp.getsockname()) as early:
        early.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        stop = anyio.Event()
        async with anyio.create_task_group() as group:
            await group.start(partial(serve, app, sockets=[tcp], stop=stop))
            answer = await anyio.to_thread.run_sync(early.recv, 64)
            stop.set()
            assert answer.startswith(b"HTTP/1.1 200")
