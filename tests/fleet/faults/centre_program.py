"""The centre as a process whose clock a file puts forward or back.

`python -m tests.fleet.faults.centre_program DATABASE KEY HOST PORT CLOCK_FILE`. All but the clock
is what `benchd fleet run` serves; TLS, which that demands beyond loopback, isn't tried here.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import anyio
import uvicorn

from benchd.fleet.centre_server import open_centre, server_config
from benchd.fleet.fleet_database import open_database
from benchd.observe.logs import configure_logs
from benchd.signing.private_key import load_key


async def run(database: str, key: str, host: str, port: str, clock: str) -> None:
    def now() -> datetime:
        return datetime.now(UTC) + timedelta(hours=int(Path(clock).read_text()))

    configure_logs()
    async with open_database(database) as opened:
        app = await open_centre(opened, load_key(Path(key)), now)
        await uvicorn.Server(server_config(app, host, int(port), None)).serve()


if __name__ == "__main__":
    anyio.run(partial(run, *sys.argv[1:]))
