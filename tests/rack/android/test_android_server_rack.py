"""benchd's own adb server: how it starts, dies, comes back, and what it does about left-overs."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import adbutils
import anyio
import pytest
from handset_rack import SOCKET, kill_now, running_rack, tcp_ports, until
from structlog.testing import capture_logs

from benchd.devices.android.server import adb_watchdog as server_watch
from benchd.devices.android.server import leftover
from benchd.devices.android.server.listener import find_listener
from benchd.devices.android.server.own_server import AdbServer
from benchd.domain.errors import DependencyMissing
from benchd.domain.port import Liveness

pytestmark = [pytest.mark.rack, pytest.mark.asyncio]

DAEMON = """
import shutil, sys, anyio, pathlib
from benchd.devices.android.server.own_server import AdbServer
if sys.argv[3] == "without":
    real = shutil.which
    shutil.which = lambda name, *rest: None if name == "setpriv" else real(name, *rest)
async def main():
    folder = pathlib.Path(sys.argv[1])
    server = AdbServer(
        path=pathlib.Path(sys.argv[2]), home=folder, log_path=folder / "log", usb=False
    )
    async with anyio.create_task_group() as tasks:
        await tasks.start(server.run)
        print("server", server.pid, flush=True)
anyio.run(main)
"""


def make_server(folder: Path, **changes: object) -> AdbServer:
    settings: dict[str, object] = {
        "path": folder / SOCKET,
        "home": folder,
        "log_path": folder / "adb.log",
        "usb": False,
        **changes,
    }
    return AdbServer(**settings)  # type: ignore[arg-type]


async def make_server_and_end_it(folder: Path) -> int | None:
    server, pids = make_server(folder), list[int | None]()
    async with anyio.create_task_group() as tasks:
        await tasks.start(server.run)
        pids.append(server.pid)
        tasks.cancel_scope.cancel()
    return pids[0]


def asked_directly(path: Path) -> bool:
    """Whether another process than this one listens there now."""
    found = find_listener(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        try:
            asking.connect(str(path))
        except OSError:
            return False
        kept = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 4)
    return found is not None and int.from_bytes(kept, sys.byteorder) != os.getpid()


@contextmanager
def foreign_server(folder: Path) -> Generator[subprocess.Popen[bytes]]:
    """An adb server that isn't benchd's."""
    with subprocess.Popen(
        ["adb", "-L", f"localfilesystem:{folder / SOCKET}", "nodaemon", "server"],
        env={"HOME": str(folder), "PATH": os.environ["PATH"], "ADB_USB": "0", "ADB_MDNS": "0"},
        stderr=subprocess.DEVNULL,
    ) as server:
        yield server
        server.kill()


@contextmanager
def running_daemon(
    folder: Path, setpriv: str = "with"
) -> Generator[tuple[subprocess.Popen[str], int], None, None]:
    """A benchd that has started its server; it's killed when the block is left."""
    with subprocess.Popen(
        [sys.executable, "-c", DAEMON, str(folder), str(folder / SOCKET), setpriv],
        stdout=subprocess.PIPE,
        text=True,
    ) as daemon:
        assert daemon.stdout is not None
        told = next(line for line in daemon.stdout if line.startswith("server "))
        yield daemon, int(told.split()[1])
        daemon.kill()


@pytest.mark.parametrize("adb", ["adb", str(Path(adbutils.__file__).parent / "binaries/adb")])
async def test_servers_of_both_kinds_tell_who_is_ready_where(tmp_path: Path, adb: str) -> None:
    """Debian's tells it in text; adbutils brings a newer one, which tells it in binary form."""
    async with running_rack(tmp_path, adb=adb) as rack:
        daemons = [await rack.plug() for _ in range(2)]
        for daemon in daemons:
            shell = await rack.shell(daemon)
            assert (await shell.run("echo here")).stdout == b"here\n"
        daemons[0].kill()
        await rack.until(daemons[0], Liveness.OFFLINE)
        binary = await rack.ask("host:track-devices-proto-binary")
        assert ("unknown host service" in binary) is (adb == "adb")


async def test_it_listens_on_its_socket_only_and_refuses_to_be_ended(tmp_path: Path) -> None:
    async with running_rack(tmp_path) as rack:
        assert rack.server.up
        assert tcp_ports() == set()
        found = find_listener(tmp_path / SOCKET)
        assert found is not None
        assert found.pid == rack.server.pid
        assert stat.S_IMODE((tmp_path / SOCKET).stat().st_mode) == 0o600
        assert "rejected" in await rack.ask("host:kill")
        assert await rack.ask("host:version") == "0029"
    assert find_listener(tmp_path / SOCKET) is None


async def test_it_comes_back_after_each_death_and_says_so_once(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with running_rack(tmp_path) as rack:
            for round_number in range(1, 4):
                pid = rack.server.pid
                kill_now(pid)
                with anyio.fail_after(10):
                    while rack.server.generation == round_number or not rack.server.up:
                        await rack.server.changed()
                assert rack.server.pid != pid
                assert not rack.server.serving(round_number)
                assert rack.server.serving(round_number + 1)
    told = [entry["event"] for entry in logs if entry["event"].startswith("adb_server")]
    assert told == ["adb_server_down", "adb_server_back"] * 3


async def test_it_is_started_anew_when_it_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_watch, "PROBE_EVERY_S", 0.05)
    monkeypatch.setattr(server_watch, "PROBE_DEADLINE_S", 0.1)
    async with running_rack(tmp_path) as rack:
        pid = rack.server.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        with anyio.fail_after(10):
            while not rack.server.up or rack.server.pid == pid:
                await rack.server.changed()


async def test_what_keeps_it_from_starting_is_told_with_its_cure_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(told: str, **changes: object) -> str:
        with pytest.raises(DependencyMissing, match=told) as refusal:
            await make_server(tmp_path, **changes).run()
        return refusal.value.cure

    assert "install" in await refused("no-such-adb", adb_path="no-such-adb")
    folder = tmp_path / "none"
    assert str(folder) in await refused("No such file", path=folder / SOCKET)
    broken = tmp_path / "adb"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    await refused("ended at once", adb_path=str(broken))
    (tmp_path / SOCKET).unlink()
    # A file in the socket's place.
    (tmp_path / SOCKET).write_text("somebody's")
    await refused("isn't a socket")
    assert (tmp_path / SOCKET).read_text() == "somebody's"
    (tmp_path / SOCKET).unlink()
    # Somebody else's socket.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(tmp_path / SOCKET))
        other.listen()
        await refused(f"process {os.getpid()}")
        # As if another user's, or one of another network, which procfs doesn't show.
        with monkeypatch.context() as patched:
            patched.setattr(leftover, "find_listener", lambda path: None)
            await refused("another user's program")
    await make_server_and_end_it(tmp_path)
    # Somebody else's adb server.
    with foreign_server(tmp_path) as foreign:
        await until(lambda: find_listener(tmp_path / SOCKET) is not None)
        await refused(f"process {foreign.pid}")
        assert foreign.poll() is None


async def test_whoever_takes_the_sockets_place_is_not_believed(tmp_path: Path) -> None:
    """An adb client that finds no server of its version unlinks the socket and starts one."""
    async with running_rack(tmp_path) as rack:
        with foreign_server(tmp_path) as taken:
            await until(lambda: (tmp_path / SOCKET).exists() and asked_directly(tmp_path / SOCKET))
            assert f"process {taken.pid}" in await rack.ask("host:version")


@pytest.mark.parametrize("setpriv", ["with", "without"])
async def test_what_a_killed_daemon_leaves_is_replaced(tmp_path: Path, setpriv: str) -> None:
    server_pid = 0
    for _ in range(3):
        with running_daemon(tmp_path, setpriv) as (_, found_pid):
            server_pid = found_pid
        if setpriv == "without":
            found = find_listener(tmp_path / SOCKET)
            assert found is not None
            assert found.pid == server_pid
        else:
            await until(lambda: find_listener(tmp_path / SOCKET) is None)
    with capture_logs() as logs:
        assert await make_server_and_end_it(tmp_path) != server_pid
    ended = [entry["pid"] for entry in logs if entry["event"] == "leftover_adb_server_ended"]
    assert ended == ([server_pid] if setpriv == "without" else [])


async def test_a_living_daemons_server_is_left_alone(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as (daemon, server_pid):
        with pytest.raises(DependencyMissing, match=f"another benchd .process {daemon.pid}"):
            await make_server(tmp_path).run()
        found = find_listener(tmp_path / SOCKET)
        assert found is not None
        assert found.pid == server_pid
