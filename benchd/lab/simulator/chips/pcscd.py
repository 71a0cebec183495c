"""One pcscd of the rack's own: in a sandbox without rights, with copies of vpcd as its drivers."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import anyio
import structlog
from anyio.abc import Process

from benchd.domain.errors import DependencyMissing, UsageRefused
from benchd.domain.wakeup import Bell
from benchd.lab.simulator.chips.reader_addresses import (
    SLOTS_OF_DRIVER,
    friendly_name,
    pcscd_directory,
    pcscd_socket,
    vpcd_port,
)
from benchd.lab.simulator.lines.child import RackBroken

_log = structlog.get_logger()

DRIVER: Final = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
PROGRAM: Final = Path("/usr/sbin/pcscd")
START_DEADLINE_S: Final = 30.0
LOOK_EVERY_S: Final = 0.02
_INSIDE: Final = Path("/pcscd")
"""Where a pcscd of the rack's own sees its directory."""

_ENTRY: Final = """\
FRIENDLYNAME "{name}"
DEVICENAME /dev/null:{port}
LIBPATH {library}
CHANNELID {port}

"""


def reader_entries(slots: Sequence[int], drivers: Path, *, seen_at: Path) -> str:
    """What a pcscd's configuration says of the readers of these slots, an even number of them.

    Their drivers are copied into a folder, which that pcscd sees at `seen_at`.
    """
    entries = ""
    for slot in slots[::SLOTS_OF_DRIVER]:
        port = vpcd_port(slot)
        name = f"vpcd-{port}.so"
        # The library keeps its state per file: a link would be the same file again.
        shutil.copyfile(DRIVER, drivers / name)
        entries += _ENTRY.format(name=friendly_name(slot), port=port, library=seen_at / name)
    return entries


class Pcscd:
    """May be killed and started again at will; its readers come back under the same names."""

    def __init__(self, *, number: int, directory: Path, slots: Sequence[int], log: Path) -> None:
        self.number = number
        self.directory = pcscd_directory(directory, number)
        self.socket = pcscd_socket(directory, number)
        self._slots = slots
        self._log = log
        self._process: Process | None = None
        self._started = Bell()

    @property
    def running(self) -> bool:
        """Whether it was started and not killed."""
        return self._process is not None and self._process.returncode is None

    def prepare(self) -> None:
        """Write its configuration and copy the drivers."""
        configuration, drivers = self.directory / "conf", self.directory / "drivers"
        for folder in (configuration, drivers, self.socket.parent):
            folder.mkdir(parents=True)
        entries = reader_entries(self._slots, drivers, seen_at=_INSIDE / "drivers")
        (configuration / "readers").write_text(entries)

    async def start(self) -> None:
        """Start it; returns when clients can connect, which is after it has opened its readers."""
        if self.running:
            raise UsageRefused(f"pcscd {self.number} is running already")
        for leftover in self.socket.parent.iterdir():
            leftover.unlink()
        with self._log.open("ab") as log:
            self._process = await anyio.open_process(
                _command(self.directory),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            with anyio.fail_after(START_DEADLINE_S):
                while not await self._listens():
                    if self._process.returncode is not None:
                        raise RackBroken(
                            f"pcscd {self.number} ended with {self._process.returncode}"
                        )
                    await anyio.sleep(LOOK_EVERY_S)
        except TimeoutError as late:
            raise RackBroken(f"pcscd {self.number} doesn't get ready") from late
        self._started.ring()

    async def watch(self) -> None:
        """Say in the rack's log when it ends although nobody has killed it."""
        while True:
            await self._started.wait()
            process = self._process
            if process is not None:
                status = await process.wait()
                if process is self._process:
                    _log.error("virtual_pcscd_ended", number=self.number, status=status)

    async def kill(self) -> None:
        """End it as a crash would, and wait for its end."""
        process = self._process
        if process is None:
            return
        self._process = None
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()

    async def _listens(self) -> bool:
        try:
            async with await anyio.connect_unix(self.socket):
                return True
        except OSError:
            return False


def require_pcscd() -> None:
    """Raise DependencyMissing if a rack with readers can't be made here."""
    missing = [
        package
        for path, package in ((PROGRAM, "pcscd"), (DRIVER, "vsmartcard-vpcd"))
        if not path.exists()
    ]
    if missing:
        raise DependencyMissing(
            "the virtual readers need programs that aren't there",
            cure=f"install the packages: {' '.join(missing)}",
        )


def _command(directory: Path) -> list[str]:
    return [
        # For /proc see the sandbox of a handset.
        *("unshare", "--mount", "--mount-proc", "bwrap"),
        *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"),
        *("--die-with-parent", "--new-session", "--clearenv"),
        *("--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin"),
        *("--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"),
        *("--ro-bind", "/etc", "/etc", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"),  # noqa: S108
        *("--tmpfs", "/run", "--bind", str(directory / "run"), "/run/pcscd"),
        *("--ro-bind", str(directory), str(_INSIDE)),
        *(str(PROGRAM), "--foreground", "--disable-polkit", "--config", str(_INSIDE / "conf")),
    ]
