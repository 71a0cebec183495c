"""Where a virtual rack stands, seen from outside: starts it, lets programs in, clears it away."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from benchd.config.config_values import LONGEST_SOCKET_PATH
from benchd.domain.errors import DependencyMissing, UsageRefused
from benchd.lab.simulator.addresses import ADB_SOCKET, CONTROL_SOCKET, PLAN_FILE, PLUG_SOCKET
from benchd.lab.simulator.chips.pcscd import require_pcscd
from benchd.lab.simulator.chips.reader_addresses import ReaderAddress, reader_address
from benchd.lab.simulator.lines.child import RackBroken
from benchd.lab.simulator.plan import PLAN_JSON, RackPlan
from benchd.lab.simulator.rack_process import BROKEN_STATUS
from benchd.lab.simulator.system_image import require_programs
from benchd.lab.simulator.tool_service import ASK_SOCKET

START_DEADLINE_S: Final = 120.0
END_DEADLINE_S: Final = 10.0
LOG_TAIL_BYTES: Final = 2000
MAKE_WAY: Final = ("nice", "-n", "19", "chrt", "--idle", "0")
"""Nice alone isn't enough: the kernel gives 64 handsets at nice 19 as much as one other process.
Source: sched(7), SCHED_IDLE."""

# The last resort against leftovers is the kernel: setpriv ends unshare when this process dies,
# unshare ends the rack, and with the first process of its namespace end all the others.
_NAMESPACES: Final = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--user", "--map-root-user", "--mount", "--net", "--pid"),
    *("--fork", "--kill-child"),
)


class RackHouse:
    """`async with RackHouse(plan) as house:` has a running rack, and nothing is left afterwards."""

    def __init__(
        self, plan: RackPlan, *, directory: Path | None = None, makes_way: bool = False
    ) -> None:
        self.plan = plan
        self._makes_way = makes_way
        self._given_directory = directory
        self._directory = Path()
        self._process: Process | None = None
        self._pid = 0
        self._network = ""

    @property
    def plug_socket(self) -> Path:
        """Where plug events are told; for `SimulatedHotplug`."""
        return self._directory / PLUG_SOCKET

    @property
    def control_socket(self) -> Path:
        """Where hands reach in; for `RackHands`."""
        return self._directory / CONTROL_SOCKET

    @property
    def adb_socket(self) -> Path:
        """Where the rack's cables expect the adb server, which somebody else starts."""
        return self._directory / ADB_SOCKET

    @property
    def readers(self) -> dict[int, ReaderAddress]:
        """Where each slot's contactless reader is found."""
        slots = range(1, self.plan.readers + 1)
        return {slot: reader_address(self._directory, slot) for slot in slots}

    @property
    def log(self) -> Path:
        """What the rack and its parts wrote on stderr."""
        return self._directory / "rack.log"

    def command(self, *argv: str) -> list[str]:
        """The command that runs a program inside the rack's network and mounts.

        It keeps its standard streams, inherited descriptors, environment and working
        directory; its process number is one of the machine's.
        """
        enter = ["nsenter", "--preserve-credentials", "--user", "--net", "--mount"]
        return [*enter, "--target", str(self._pid), f"--wdns={Path.cwd()}", *argv]

    async def wait_ended(self) -> str:
        """Return, with the reason, when the rack has ended by itself."""
        if self._process is None:
            raise UsageRefused("the rack isn't running")
        status = await self._process.wait()
        return f"the virtual rack ended with {status}: {self._log_tail()}"

    async def __aenter__(self) -> Self:
        require_programs()
        if self.plan.readers:
            require_pcscd()
        self._directory = self._given_directory or Path(tempfile.mkdtemp(prefix="benchd-rack-"))
        try:
            _require_room_for_sockets(self._directory)
            (self._directory / PLAN_FILE).write_bytes(PLAN_JSON.dump_json(self.plan))
            await self._start()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._clear_away()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del kind, trace
        status, tail = None, ""
        with anyio.CancelScope(shield=True):
            status, tail = await self._clear_away()
        if status == BROKEN_STATUS and error is None:
            raise RackBroken(f"a virtual handset broke: {tail}")

    async def aclose(self) -> None:
        """End the rack and everything inside; raises RackBroken if a handset broke meanwhile."""
        await self.__aexit__(None, None, None)

    async def _start(self) -> None:
        command = list(MAKE_WAY) if self._makes_way else []
        command += [*_NAMESPACES, sys.executable, "-m", "benchd.lab.simulator.rack_process"]
        with self.log.open("ab") as log:
            self._process = await anyio.open_process(
                [*command, "--directory", str(self._directory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        if self._process.stdout is None:
            raise RackBroken("the virtual rack has no stdout")
        try:
            with anyio.fail_after(START_DEADLINE_S):
                lines = BufferedByteReceiveStream(self._process.stdout)
                ready = json.loads(await lines.receive_until(b"\n", 4096))
        except (anyio.EndOfStream, anyio.IncompleteRead) as ended:
            raise self._start_failure() from ended
        except TimeoutError as late:
            raise RackBroken(f"the virtual rack doesn't get ready: {self._log_tail()}") from late
        self._pid = int(ready["pid"])
        self._network = _network_of(Path(f"/proc/{self._pid}"))

    def _start_failure(self) -> Exception:
        tail = self._log_tail()
        if "unshare" in tail and "Operation not permitted" in tail:
            return DependencyMissing(
                f"the virtual rack needs user namespaces: {tail}",
                cure="as root: sysctl kernel.unprivileged_userns_clone=1, and on Ubuntu"
                " kernel.apparmor_restrict_unprivileged_userns=0; or run it as root",
            )
        return RackBroken(f"the virtual rack didn't start: {tail}")

    async def _clear_away(self) -> tuple[int | None, str]:
        status, tail = None, ""
        process = self._process
        if process is not None:
            self._process = None
            if process.stdin is not None:
                await process.stdin.aclose()
            with anyio.move_on_after(END_DEADLINE_S):
                await process.wait()
            if process.returncode is None:
                process.kill()
            await process.wait()
            status, tail = process.returncode, self._log_tail()
            await process.aclose()
        if self._network:
            await _end_all_in(self._network)
        if self._given_directory is None and self._directory != Path():
            shutil.rmtree(self._directory, ignore_errors=True)
        return status, tail

    def _log_tail(self) -> str:
        with suppress(OSError):
            return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace").strip()
        return ""


def _require_room_for_sockets(directory: Path) -> None:
    longest = directory / "handsets" / "999" / "state" / ASK_SOCKET
    if len(os.fsencode(longest)) > LONGEST_SOCKET_PATH:
        raise UsageRefused(f"too long for the names of sockets in it: {directory}")


def _network_of(process: Path) -> str:
    return str((process / "ns" / "net").readlink())


async def _end_all_in(network: str) -> None:
    """End what was brought into the rack and is still there, such as an adb server."""
    for folder in [entry for entry in os.scandir("/proc") if entry.name.isdigit()]:
        with suppress(OSError):
            descriptor = os.pidfd_open(int(folder.name))
            try:
                # Looked at after it was opened: the number can't have changed hands in between.
                if _network_of(Path(folder.path)) == network:
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                    with anyio.move_on_after(END_DEADLINE_S):
                        await anyio.wait_readable(descriptor)
            finally:
                os.close(descriptor)
