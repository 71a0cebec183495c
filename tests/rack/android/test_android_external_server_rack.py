"""An adb server that benchd doesn't start: as a socket-activated unit runs it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Generator
from pathlib import Path

import anyio
import pytest
from handset_rack import SOCKET, Rack
from structlog.testing import capture_logs

from benchd.devices.android.handset_access import AdbAccess
from benchd.devices.android.server import adb_watchdog as server_watch
from benchd.devices.android.server import external_server, smart_socket
from benchd.devices.android.server.external_server import ExternalAdbServer
from benchd.devices.android.server.smart_socket import ServerPlace
from benchd.domain.errors import DependencyMissing
from benchd.domain.port import Liveness

pytestmark = [pytest.mark.rack, pytest.mark.asyncio]


class SocketUnit:
    """A fake of systemd: holds the socket and hands it to each adb server as descriptor 3."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / SOCKET
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(str(self.path))
        self.path.chmod(0o600)
        self.socket.listen()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {
            "HOME": str(self._folder),
            "PATH": os.environ["PATH"],
            "ANDROID_ADB_LOG_PATH": str(self._folder / "adb.log"),
            "ADB_USB": "0",
            "ADB_MDNS": "0",
            "ADB_EMU": "0",
            "ADB_REJECT_KILL_SERVER": "1",
        }
        command = f"exec adb -L acceptfd:3 server nodaemon 3<&{self.socket.fileno()}"
        with (self._folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", command],
                env=environment,
                pass_fds=(self.socket.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def unit(tmp_path: Path) -> Generator[SocketUnit]:
    unit = SocketUnit(tmp_path)
    yield unit
    unit.kill()
    unit.socket.close()


async def test_it_is_watched_over_its_lives_and_works(unit: SocketUnit, tmp_path: Path) -> None:
    server = ExternalAdbServer(path=unit.path)
    access = AdbAccess(server=server, program_path=lambda _abi, _program: Path("/bin/true"))
    rack = Rack(server, access, tmp_path)  # type: ignore[arg-type]
    with capture_logs() as logs:
        async with anyio.create_task_group() as tasks:
            unit.start()
            await tasks.start(server.run)
            await tasks.start(access.run)
            daemon = await rack.plug()
            shell = await rack.shell(daemon)
            assert (await shell.run("echo hello")).stdout == b"hello\n"
            for life in (1, 2):
                assert server.serving(life)
                unit.kill()
                # Known at once, before anything on the loop has run.
                assert not server.serving(life)
                with anyio.fail_after(30):
                    while server.up:
                        await server.changed()
                unit.start()
                with anyio.fail_after(30):
                    await server.until_up()
                assert not server.serving(life)
                assert server.serving(server.generation)
            await rack.connect(daemon)
            await rack.until(daemon, Liveness.READY)
            shell = await rack.shell(daemon)
            assert (await shell.run("echo again")).stdout == b"again\n"
            daemon.kill()
            tasks.cancel_scope.cancel()
    told = [line["event"] for line in logs if line["event"].startswith("adb_server")]
    assert told == ["adb_server_down", "adb_server_back"] * 2


async def test_a_silent_server_counts_as_down(
    unit: SocketUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_watch, "PROBE_EVERY_S", 0.05)
    monkeypatch.setattr(server_watch, "PROBE_DEADLINE_S", 0.1)
    monkeypatch.setattr(external_server, "SERVER_DEADLINE_S", 0.2)
    server = ExternalAdbServer(path=unit.path)
    async with anyio.create_task_group() as tasks:
        unit.start()
        await tasks.start(server.run)
        assert unit.process is not None
        unit.process.send_signal(signal.SIGSTOP)
        with anyio.fail_after(30):
            while server.up:
                await server.changed()
        unit.process.send_signal(signal.SIGCONT)
        with anyio.fail_after(30):
            await server.until_up()
        tasks.cancel_scope.cancel()


async def test_a_server_that_never_answers_is_told_with_its_cure(tmp_path: Path) -> None:
    server = ExternalAdbServer(path=tmp_path / SOCKET, start_within_s=0.3)
    with pytest.raises(DependencyMissing, match=f"answers on {tmp_path / SOCKET}") as refusal:
        await server.run()
    assert "benchd-adb" in refusal.value.cure


async def test_a_strangers_server_is_not_believed(
    unit: SocketUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit.start()
    # Whoever isn't root sees the socket under a user that is neither root nor benchd.
    believed = smart_socket._CREDENTIALS.pack(1, 4711, 4711)
    monkeypatch.setattr(socket.socket, "getsockopt", lambda *_: believed)
    server = ExternalAdbServer(path=unit.path, start_within_s=0.3)
    with pytest.raises(DependencyMissing, match="user 4711"):
        await server.run()
    # Unless the folder is theirs, which the configuration names.
    folder = os.stat_result((0o40700, 0, 0, 1, 4711, 4711, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda *_args, **_named: folder)
    (await smart_socket.opened_socket(ServerPlace(path=unit.path))).close()
