"""A real adb server and Debian's adbd as handsets, for tests in a network of their own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from benchd.devices.android.adb import AdbAddress
from benchd.devices.android.filler import Program
from benchd.devices.android.handset_access import AdbAccess, AdbHandset
from benchd.devices.android.server.own_server import AdbServer
from benchd.devices.android.server.smart_socket import ServerPlace, connect
from benchd.devices.android.shell.commands import AdbShell
from benchd.domain.port import Liveness
from tests.hang_up import hang_ups_reach_children

ADBD = "/usr/sbin/adbd"
FEATURES = "features=shell_v2,cmd,stat_v2,ls_v2"
FIRST_DAEMON_PORT = 16001
SOCKET = "adb.sock"


@dataclass
class Daemon:
    """One adbd as a handset on TCP; killing it is what an unplug does."""

    folder: Path
    port: int
    banner: str = f"device::ro.product.model=Fake Phone;{FEATURES}"
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> AdbAddress:
        return AdbAddress(f"127.0.0.1:{self.port}")

    def command(self) -> list[str]:
        return [ADBD, "--device_banner", self.banner]

    def start(self) -> None:
        environment = {
            "ADBD_PORT": str(self.port),
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
            "HOME": str(self.folder),
        }
        with (self.folder / "adbd.log").open("ab") as log, hang_ups_reach_children():
            self.process = subprocess.Popen(
                self.command(),
                env=environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def send(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def install_tool(self, name: str, script: str) -> None:
        """A program that the handset's shells find first."""
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


@dataclass
class Rack:
    """A server, its access and the handsets plugged into it."""

    server: AdbServer
    access: AdbAccess
    folder: Path
    daemons: list[Daemon] = field(default_factory=list)

    async def plug(self, daemon: Daemon | None = None) -> Daemon:
        """Start a daemon, connect it and wait until it is ready."""
        if daemon is None:
            number = len(self.daemons)
            folder = self.folder / f"handset{number}"
            folder.mkdir()
            daemon = Daemon(folder, FIRST_DAEMON_PORT + number)
            self.daemons.append(daemon)
        daemon.start()
        await self.connect(daemon)
        await self.until(daemon, Liveness.READY)
        return daemon

    async def connect(self, daemon: Daemon) -> None:
        """Tell the server where the daemon listens, as soon as it does."""
        await self.ask(f"host:disconnect:{daemon.address}")
        await until(lambda: daemon.port in tcp_ports())
        answer = await self.ask(f"host:connect:{daemon.address}")
        assert "connected to" in answer, answer

    async def ask(self, text: str) -> str:
        """What the adb server answers."""
        return await host_service(self.server.place, text)

    async def until(self, daemon: Daemon, wanted: Liveness) -> None:
        with anyio.fail_after(10):
            async with self.access.liveness(daemon.address) as states:
                async for liveness in states:
                    if liveness is wanted:
                        return

    async def handset(self, daemon: Daemon) -> AdbHandset:
        handset = await self.access.open(daemon.address)
        assert isinstance(handset, AdbHandset)
        return handset

    async def shell(self, daemon: Daemon) -> AdbShell:
        shell = (await self.handset(daemon))._shell
        assert isinstance(shell, AdbShell)
        return shell


async def until(condition: Callable[[], bool], within_s: float = 30) -> None:
    """Wait for what another process or the kernel brings about: it gives no sign to wait on."""
    with anyio.fail_after(within_s):
        while not condition():  # noqa: ASYNC110 - there is no event, see above
            await anyio.sleep(0.002)


async def host_service(place: ServerPlace, text: str) -> str:
    try:
        async with connect(place) as link:
            await link.request(text)
            return await link.block()
    except Exception as failure:  # noqa: BLE001 - the answer is only looked at
        return repr(failure)


def tcp_ports() -> set[int]:
    """Where somebody listens in this network, by the kernel's own table (proc_net(5))."""
    tables = [Path("/proc/self/net", name).read_text("ascii") for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    return {int(row[1].partition(":")[2], 16) for row in rows if row[3] == "0A"}


@asynccontextmanager
async def running_rack(
    folder: Path, programs: Mapping[Program, Path] | None = None, adb: str = "adb"
) -> AsyncGenerator[Rack, None]:
    found = programs or dict.fromkeys(Program, Path("/bin/true"))
    server = AdbServer(
        path=folder / SOCKET,
        home=folder / "home",
        log_path=folder / "adb.log",
        usb=False,
        adb_path=adb,
    )
    access = AdbAccess(server=server, program_path=lambda _abi, program: found[program])
    rack = Rack(server, access, folder)
    async with anyio.create_task_group() as tasks:
        await tasks.start(server.run)
        await tasks.start(access.run)
        try:
            yield rack
        finally:
            for daemon in rack.daemons:
                if daemon.process is not None:
                    daemon.kill()
            tasks.cancel_scope.cancel()


def open_sockets() -> int:
    """How many sockets this process holds."""
    return sum(
        1
        for descriptor in Path("/proc/self/fd").iterdir()
        if descriptor.is_symlink() and str(descriptor.readlink()).startswith("socket:")
    )


def kill_now(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
