"""`python -m tests.daemon.started_daemon FOLDER ADB_SOCKET HTTP_PORT`: what a daemon has loaded."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio

from benchd.certificate import create_key
from benchd.config import load_settings
from benchd.daemon.composition import run_daemon
from tests.nothing_plugged import NothingPlugged

RECIPES = Path(__file__).parents[2] / "configs" / "recipes"
CONFIG = """\
[site]
name = "light"
[adb]
server = "external"
socket = "{adb}"
home = "adb"
[recipes]
directory = "{recipes}"
[ledger]
path = "ledger.sqlite"
[certificate]
key = "key.pem"
directory = "certificates"
[dossiers]
directory = "dossiers"
[models]
fresh_pictures = "fresh"
[http]
socket = "benchd.sock"
listen = "127.0.0.1:{http}"
[slots.A1]
port = "pci-0000:03:00.0-usb-0:1.1"
"""


async def tell_of_start(folder: Path, adb: Path, http: int) -> None:
    """Start on this empty folder; once the API has answered, print each loaded module and end."""
    (folder / "benchd.toml").write_text(
        CONFIG.format(recipes=RECIPES, adb=adb, http=http), encoding="utf-8"
    )
    create_key(folder / "key.pem")
    settings = load_settings(folder / "benchd.toml")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run_daemon, settings, NothingPlugged())
        await answered(settings.http.socket)
        sys.stdout.write("\n".join(sys.modules))
        tasks.cancel_scope.cancel()


async def answered(socket: Path) -> None:
    """Wait until it has answered what every rack is asked for."""
    for path in (b"/healthz", b"/api/v1/slots", b"/metrics"):
        stream = None
        while stream is None:
            try:
                stream = await anyio.connect_unix(socket)
            except OSError:
                await anyio.sleep(0.02)
        async with stream:
            request = b"GET %b HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
            await stream.send(request % path)
            answer = await stream.receive()
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(answer.decode())


if __name__ == "__main__":
    anyio.run(tell_of_start, Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
