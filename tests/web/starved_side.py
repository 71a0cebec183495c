"""The API in a process without a descriptor left: `python -m tests.web.starved_side DIR plain|tls`.

Prints its port once none is left, lets go of some at the next line that it reads, and ends with its
input. What it logs goes to standard error, as benchd's own.
"""

from __future__ import annotations

import os
import resource
import sys
from functools import partial
from pathlib import Path

import anyio

from benchd.observe.logs import configure_logs
from benchd.signing.tls import Tls, TlsFiles
from benchd.texts.catalogue import Catalogue
from benchd.web.server import serve
from benchd.web.sockets import tcp_listener, unix_listener
from tests.web.certificates import Authority
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack

DESCRIPTORS = 128


async def starved(directory: Path, *, encrypted: bool) -> None:
    pair = Authority(directory, "authority").issue("rack")
    tls = Tls(TlsFiles(certificate=pair.certificate, key=pair.key))
    app, stop = app_of(FakeRack(), Catalogue.load()), anyio.Event()
    # What is imported or opened only by the first request has to be there before.
    with unix_listener(directory / "benchd.sock") as unix, tcp_listener("127.0.0.1", 0) as tcp:
        plain, over_tls = ([unix], {tcp: tls}) if encrypted else ([unix, tcp], {})
        async with anyio.create_task_group() as group:
            await group.start(partial(serve, app, sockets=plain, encrypted=over_tls, stop=stop))
            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))
            held = _all_that_are_left()
            say(tcp.getsockname()[1])
            await anyio.to_thread.run_sync(sys.stdin.readline)
            for each in held:
                os.close(each)
            await anyio.to_thread.run_sync(sys.stdin.readline)
            stop.set()


def _all_that_are_left() -> list[int]:
    held: list[int] = []
    while True:
        try:
            held.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            return held


def say(what: object) -> None:
    print(what, flush=True)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    configure_logs()
    anyio.run(partial(starved, Path(sys.argv[1]), encrypted=sys.argv[2] == "tls"))
