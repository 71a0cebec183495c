"""The centre as the demo runs it: the shipped one, which listens in each rack's network as well."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import anyio
import httpx2

from benchd.daemon.exit_codes import exit_on_error
from benchd.domain.errors import BenchdError
from benchd.fleet.centre_server import CentreSettings, run_centre
from benchd.lab.demo.rack_daemon import tail_of
from benchd.observe.logs import configure_logs

STARTS_WITHIN_S: Final = 60.0
ENDS_WITHIN_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.1


class CentreDied(BenchdError):
    """Raised when the demo's centre ended although nobody asked it to."""


@asynccontextmanager
async def running_centre(
    database: str, key: Path, listeners: Sequence[socket.socket], pages: int | None, log: Path
) -> AsyncGenerator[int]:
    """The centre on these sockets, of which the first is this machine's own; its process.

    Its pages are at a port, or nowhere.
    """
    descriptors = [listener.fileno() for listener in listeners]
    command = ["setpriv", "--pdeathsig", "TERM", sys.executable]
    command += ["-m", "benchd.lab.demo.fleet_centre", database, str(key)]
    command += [] if pages is None else [f"--pages={pages}"]
    command += map(str, descriptors)
    with log.open("ab") as said:
        process = await anyio.open_process(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            pass_fds=descriptors,
            # It outlives the racks, which send it their last records.
            start_new_session=True,
        )

    async def must_live() -> None:
        status = await process.wait()
        raise CentreDied(f"the centre ended with {status}:\n{tail_of(log)}")

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(must_live)
            with anyio.fail_after(STARTS_WITHIN_S):
                await _until_it_answers(f"{listeners[0].getsockname()[1]}/healthz")
                if pages is not None:
                    await _until_it_answers(f"{pages}/verify")
            yield process.pid
            group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            with anyio.move_on_after(ENDS_WITHIN_S):
                await process.wait()
            if process.returncode is None:
                process.kill()
            await process.wait()
            await process.aclose()


async def _until_it_answers(place: str) -> None:
    async with httpx2.AsyncClient(timeout=STARTS_WITHIN_S) as client:
        while True:
            with suppress(httpx2.TransportError):
                answer = await client.get(f"http://127.0.0.1:{place}")
                if answer.is_success:
                    return
            await anyio.sleep(_LOOK_EVERY_S)


def main() -> None:
    """`python -m benchd.lab.demo.fleet_centre DATABASE KEY [--pages=PORT] DESCRIPTOR…`."""
    parser = ArgumentParser()
    parser.add_argument("database")
    parser.add_argument("key", type=Path)
    parser.add_argument("--pages", type=int)
    parser.add_argument("listeners", type=int, nargs="+")
    told = parser.parse_args()
    listeners = [socket.socket(fileno=descriptor) for descriptor in told.listeners]
    host, port = listeners[0].getsockname()
    configure_logs()
    settings = CentreSettings(
        database=told.database,
        key=told.key,
        host=host,
        port=port,
        tls=None,
        pages=None if told.pages is None else (host, told.pages),
    )
    with exit_on_error():
        anyio.run(run_centre, settings, listeners)


if __name__ == "__main__":
    main()
