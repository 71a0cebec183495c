"""Both sides of a crowded door, as processes of their own.

`daemon DIR LIMIT`: the API over a real ledger with so many descriptors; prints its port, and for
each line that it reads appends a record and prints its number, or the fault.
`crowd PORT COUNT`: opens that many connections, says nothing on them, prints that it has, and
keeps them until its input ends.
"""

from __future__ import annotations

import resource
import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import anyio

from benchd.certificate import create_key
from benchd.domain.errors import LedgerFault
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import SqliteLedger, open_ledger
from benchd.texts.catalogue import Catalogue
from benchd.web.server import serve
from benchd.web.sockets import tcp_listener, unix_listener
from tests.web.served import app_of
from tests.web.web_fakes import BEGAN, FakeRack


@dataclass
class RackOnDisk(FakeRack):
    """A rack whose ledger is a real one."""

    ledger: SqliteLedger = field(kw_only=True)  # type: ignore[assignment]


async def daemon(directory: Path, limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    key = create_key(directory / "key.pem")
    async with open_ledger(directory / "ledger.db", head_key=key) as ledger:
        app = app_of(RackOnDisk(ledger=ledger), Catalogue.load())
        with unix_listener(directory / "benchd.sock") as unix, tcp_listener("127.0.0.1", 0) as tcp:
            stop = anyio.Event()
            async with anyio.create_task_group() as group:
                await group.start(partial(serve, app, sockets=[unix, tcp], stop=stop))
                say(tcp.getsockname()[1])
                while await anyio.to_thread.run_sync(sys.stdin.readline):
                    await append(ledger)
                stop.set()


async def append(ledger: SqliteLedger) -> None:
    entry = replace(Entry(kind=EntryKind.DAEMON_STARTED, at=BEGAN))
    try:
        say((await ledger.append(entry)).sequence)
    except LedgerFault as fault:
        say(f"fault: {fault}")


def crowd(port: int, count: int) -> None:
    soft = count + 100
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, soft))
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        say("all there")
        sys.stdin.read()


def say(what: object) -> None:
    print(what, flush=True)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    if sys.argv[1] == "daemon":
        anyio.run(daemon, Path(sys.argv[2]), int(sys.argv[3]))
    else:
        crowd(int(sys.argv[2]), int(sys.argv[3]))
