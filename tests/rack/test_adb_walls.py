"""Who else is on the machine doesn't reach a handset through benchd's adb server."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import pytest

from benchd.devices.android.adb import AdbServerLost
from benchd.devices.android.server.own_server import AdbServer
from benchd.devices.android.server.smart_socket import ServerPlace, server_version

pytestmark = [
    pytest.mark.rack,
    pytest.mark.as_root,
    pytest.mark.asyncio,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may act as another user"),
]

STRANGER = "nobody"
LISTENS = """
import socket, sys
with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(sys.argv[1])
    listener.listen()
    print("listens", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def anybodys() -> Generator[Path]:
    """A folder that lets everybody in, so that nothing but the socket's own mode keeps them out."""
    with tempfile.TemporaryDirectory(prefix="benchd-walls-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@asynccontextmanager
async def serving(anybodys: Path) -> AsyncGenerator[AdbServer]:
    """A real one, off the machine's USB ports."""
    home = anybodys / "home"
    server = AdbServer(
        path=anybodys / "adb.sock", home=home, log_path=anybodys / "adb.log", usb=False
    )
    async with anyio.create_task_group() as tasks:
        await tasks.start(server.run)
        yield server
        tasks.cancel_scope.cancel()


def as_user(user: str, *command: str) -> subprocess.CompletedProcess[str]:
    """A command of somebody's, who has a home of their own for what adb wants to keep."""
    with tempfile.TemporaryDirectory(prefix="benchd-home-") as home:
        Path(home).chmod(0o777)
        environment = {"PATH": os.environ["PATH"], "HOME": home, "TMPDIR": home}
        environment |= {"ADB_USB": "0", "ADB_MDNS": "0", "ADB_EMU": "0"}
        environment["ANDROID_ADB_LOG_PATH"] = f"{home}/adb.log"
        switch = [] if user == "root" else ["runuser", "-u", user, "--"]
        return subprocess.run(
            [*switch, *command],
            env=environment,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )


async def test_the_daemons_user_reaches_the_server_and_nobody_else(anybodys: Path) -> None:
    async with serving(anybodys) as server:
        devices = ("adb", "-L", f"localfilesystem:{server.place.path}", "devices")
        own = await anyio.to_thread.run_sync(as_user, "root", *devices)
        assert (own.returncode, own.stdout) == (0, "List of devices attached\n\n")
        stranger = await anyio.to_thread.run_sync(as_user, STRANGER, *devices)
        assert stranger.returncode != 0
        assert "List of devices" not in stranger.stdout
        # And the attempt has harmed nothing: it is the same server, on the same socket.
        assert server.generation == 1
        assert server.serving(1)
        assert await server_version(server.place) == 41


async def test_there_is_no_way_over_tcp(anybodys: Path) -> None:
    async with serving(anybodys) as server:
        listening = await anyio.run_process(["ss", "-ltnpH"])
        assert f"pid={server.pid}," not in listening.stdout.decode()


@contextmanager
def listening_as(user: str, path: Path) -> Generator[None]:
    """Somebody who makes a socket of their own there."""
    command = ["runuser", "-u", user, "--", "/usr/bin/python3", "-c", LISTENS, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as listener:
        assert listener.stdout is not None
        assert listener.stdout.readline() == b"listens\n"
        yield
        assert listener.stdin is not None
        listener.stdin.close()


async def test_a_socket_of_anybody_elses_is_not_believed(anybodys: Path) -> None:
    shared = anybodys / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    place = ServerPlace(path=shared / "adb.sock")
    with (
        listening_as(STRANGER, place.path),
        pytest.raises(AdbServerLost, match="who isn't trusted"),
    ):
        await server_version(place)
