"""The commands' client: what it reads, how it decides, and how each refusal comes back."""

from __future__ import annotations

import gc
import os
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import pytest

from benchd.cli import client
from benchd.cli.client import BenchdClient, socket_path
from benchd.domain.errors import (
    BenchdError,
    DependencyMissing,
    LedgerFault,
    NotFound,
    NotSignedIn,
    UsageRefused,
)
from benchd.domain.job import Gate
from tests.outbound.hooks.http_receiver import answer
from tests.web.web_fakes import JOB, FakeRack, running_view
from tests.web.web_running import Server

_Result = TypeVar("_Result")


async def ask(path: Path, what: Callable[[BenchdClient], _Result]) -> _Result:
    """As a command does it, in a thread beside the daemon's loop."""

    def run() -> _Result:
        with BenchdClient(path) as client:
            return what(client)

    return await anyio.to_thread.run_sync(run)


@pytest.mark.asyncio
async def test_reads(rack: FakeRack, server: Server) -> None:
    rack.board.show(running_view())
    envelope = '{"payload":"eyJ9"}'
    rack.ledger.keep_job(
        outcome="passed", disposition="sellable", reason=None, certificate=envelope
    )
    async with server() as here:
        slots = await ask(here.path, lambda client: client.slots())
        slot = await ask(here.path, lambda client: client.slot("A1"))
        jobs = await ask(here.path, lambda client: client.jobs(1))
        job = await ask(here.path, lambda client: client.job(JOB))
        certificate = await ask(here.path, lambda client: client.certificate(JOB))
    assert slots["slots"] == [slot]
    assert slot["state"] == "running"
    assert isinstance(jobs["jobs"], list)
    assert len(jobs["jobs"]) == 1
    assert job["certificate"] is True
    assert certificate == envelope.encode()


@pytest.mark.asyncio
async def test_decides_as_the_user_of_the_process(rack: FakeRack, server: Server) -> None:
    async with server() as here, anyio.create_task_group() as group:
        group.start_soon(rack.ask, Gate.CONSENT)
        await anyio.wait_all_tasks_blocked()
        kept = await ask(
            here.path,
            lambda client: client.decide(
                JOB, "consent", approved=False, operator="佐藤", note="書類なし"
            ),
        )
        assert kept["approved"] is False
        assert kept["note"] == "書類なし"
        assert kept["via"] == {"transport": "unix", "uid": str(os.getuid())}


CONFIRM = partial(BenchdClient.decide, job=JOB, approved=True)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("what", "error", "message"),
    [
        (lambda client: client.slot("Z9"), NotFound, "no slot Z9"),
        (lambda client: client.job("no/../such job"), NotFound, "nothing at this address"),
        (lambda client: client.job(""), NotFound, "nothing is called ''"),
        (lambda client: client.job(".."), NotFound, "nothing is called '..'"),
        (lambda client: client.job("\ud800"), NotFound, "no job"),
        (lambda client: client.certificate("x"), NotFound, "no job x"),
        (lambda client: client.jobs(0), UsageRefused, "query.limit"),
        (partial(CONFIRM, gate="confirm"), NotFound, "no open question confirm"),
        (partial(CONFIRM, gate="reset"), UsageRefused, "body.gate"),
        (partial(CONFIRM, gate="confirm", operator="\ud800"), UsageRefused, "body.operator"),
    ],
)
async def test_refusals_come_back_as_errors(
    server: Server, what: Callable[[BenchdClient], object], error: type[BenchdError], message: str
) -> None:
    async with server() as here:
        with pytest.raises(error, match=message):
            await ask(here.path, what)


@pytest.mark.asyncio
async def test_refused_decision_and_faulty_ledger(rack: FakeRack, server: Server) -> None:
    async with server() as here, anyio.create_task_group() as group:
        group.start_soon(rack.ask, Gate.CONSENT)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(NotSignedIn, match="who is signed in here, not x"):
            await ask(
                here.path,
                lambda client: client.decide(JOB, "consent", approved=True, operator="x"),
            )
        rack.ledger.broken = True
        with pytest.raises(LedgerFault, match="hangs") as fault:
            await ask(here.path, lambda client: client.jobs())
        assert fault.value.exit_code == 4
        group.cancel_scope.cancel()


def test_nobody_at_the_socket_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "benchd.sock"
    for _ in ("no daemon", "a dead one's socket"):
        with pytest.raises(DependencyMissing, match="benchd isn't running") as refused:
            BenchdClient(path)
        assert "systemctl start benchd" in refused.value.cure
        assert refused.value.exit_code == 3
        if not path.exists():
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(str(path))

    # The superuser is refused nothing, so the refusal itself is what is given.
    def refuse(*arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(DependencyMissing, match="you may not use") as refused:
        BenchdClient(path)
    assert "usermod -aG benchd" in refused.value.cure


@contextmanager
def crowded(path: Path) -> Generator[tuple[socket.socket, int]]:
    """A socket whose queue that many others have filled, and nobody takes them in."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(path))
        listener.listen(1)
        for others in range(100):
            one = stack.enter_context(socket.socket(socket.AF_UNIX))
            one.setblocking(False)
            try:
                one.connect(str(path))
            except BlockingIOError:
                yield listener, others
                return


@pytest.mark.parametrize("crowded_after_the_probe", [False, True])
def test_a_crowded_socket_is_waited_for(
    crowded_after_the_probe: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others that crowd it are no reason to tell that benchd doesn't run."""
    if crowded_after_the_probe:
        monkeypatch.setattr(client, "_refuse_unless_reachable", lambda _: None)

    def answer(listener: socket.socket, others: int) -> None:
        for _ in range(others):
            listener.accept()[0].close()
        while True:
            connection, _ = listener.accept()
            with connection:
                # Whoever only looks whether somebody is there says nothing.
                if connection.recv(4096):
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n")
                    connection.sendall(b'{"slots": []}')
                    return

    path = tmp_path / "benchd.sock"
    with crowded(path) as crowd:
        room = threading.Timer(0.3, answer, crowd)
        room.start()
        with BenchdClient(path) as here:
            assert here.slots() == {"slots": []}
        room.join()
    # A socket that failed to connect and was left open would be warned of here.
    gc.collect()


def test_a_socket_that_stays_crowded_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "CONNECT_TIMEOUT_S", 1)
    with (
        crowded(tmp_path / "benchd.sock"),
        pytest.raises(DependencyMissing, match="others crowd its socket"),
    ):
        BenchdClient(tmp_path / "benchd.sock")


@contextmanager
def answering(path: Path, answer: bytes) -> Generator[None]:
    """Something that isn't benchd, or is on its way out."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve_once() -> None:
            probe, _ = listener.accept()
            probe.close()
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve_once)
        thread.start()
        yield
        thread.join()


def failing(code: str) -> bytes:
    return answer("503 Unavailable", b'{"error":{"code":"%b","message":"why"}}' % code.encode())


@pytest.mark.parametrize(
    ("said", "error", "message", "exit_code"),
    [
        (b"", DependencyMissing, "stopped answering", 3),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
            *(DependencyMissing, "stopped answering", 3),
        ),
        (answer("200 OK", b"[]"), BenchdError, "isn't benchd", 1),
        (answer("200 OK", b"<"), BenchdError, "isn't benchd", 1),
        (answer("502 No", b"<"), BenchdError, "answered 502", 1),
        (answer("404 No", b'{"error":3}'), BenchdError, "answered 404", 1),
        # Only a fault of the ledger exits with its code.
        (failing("ledger_fault"), BenchdError, "why", 4),
        (failing("ledger_busy"), BenchdError, "why", 1),
        (failing("too_many_connections"), BenchdError, "why", 1),
    ],
)
def test_answers_that_are_none(
    tmp_path: Path, said: bytes, error: type[BenchdError], message: str, exit_code: int
) -> None:
    path = tmp_path / "x.sock"
    with (
        answering(path, said),
        BenchdClient(path) as client,
        pytest.raises(error, match=message) as refused,
    ):
        client.slots()
    assert refused.value.exit_code == exit_code


def test_lost_answer_to_a_decision_says_where_to_look(tmp_path: Path) -> None:
    path = tmp_path / "x.sock"
    with (
        answering(path, b""),
        BenchdClient(path) as client,
        pytest.raises(DependencyMissing) as refused,
    ):
        client.decide(JOB, "confirm", approved=True)
    assert "benchd job JOB" in refused.value.cure


def test_socket_comes_from_the_environment() -> None:
    assert socket_path({}) == Path("/run/benchd/benchd.sock")
    assert socket_path({"BENCHD_SOCKET": ""}) == Path("/run/benchd/benchd.sock")
    assert socket_path({"BENCHD_SOCKET": "/tmp/x"}) == Path("/tmp/x")  # noqa: S108 - not opened
