"""A whole daemon on an empty folder with nothing plugged; as a program, it tells what is loaded.

`python -m tests.daemon.started_daemon FOLDER`
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from benchd.certificate import create_key
from benchd.config import Settings, load_settings
from benchd.daemon.composition import run_daemon
from tests.devices.android.handset_fakes import FakeLink, fake_server
from tests.free_port import free_port
from tests.nothing_plugged import NothingPlugged

CONFIG = """\
[site]
name = "light"
{site}
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


async def nothing_plugged(link: FakeLink, _request: str) -> None:
    await link.okay()
    await link.block("")
    await link.until_closed()


@asynccontextmanager
async def started(folder: Path, *, site: str = "") -> AsyncGenerator[Settings]:
    """Work until the API has answered and the block is over; errors of the daemon's are its end.

    `site` is what the configuration says of it beside its name.
    """
    recipes = Path(__file__).parents[2] / "configs" / "recipes"
    if not (folder / "key.pem").exists():
        create_key(folder / "key.pem")
    async with fake_server() as server:
        for request in ("host:track-devices", "host:track-devices-l"):
            server.on(request, nothing_plugged)
        places = {"recipes": recipes, "adb": server.place.path, "http": free_port()}
        config = CONFIG.format(site=site, **places)
        (folder / "benchd.toml").write_text(config, encoding="utf-8")
        settings = load_settings(folder / "benchd.toml")
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(run_daemon, settings, NothingPlugged())
                await answered(settings.http.socket)
                yield settings
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


async def tell_of_start(folder: Path) -> None:
    """Print each loaded module and end."""
    async with started(folder):
        sys.stdout.write("\n".join(sys.modules))


if __name__ == "__main__":
    anyio.run(tell_of_start, Path(sys.argv[1]))
