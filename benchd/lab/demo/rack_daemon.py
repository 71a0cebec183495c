"""The daemon of a virtual rack: a process that is started, watched, killed and asked to end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import Process

from benchd.domain.errors import BenchdError
from benchd.lab.demo.demo_folder import DemoFolder
from benchd.lab.demo.demo_operators import RackWatch, over_socket

LOG_TAIL_BYTES = 3000
AS_THE_UNIT: Final = {"MALLOC_ARENA_MAX": "1"}
"""What systemd/benchd.service sets that changes how much memory a daemon takes."""


class DaemonDied(BenchdError):
    """Raised when a virtual rack's daemon ended although nobody asked it to."""


class RackDaemon:
    """The daemon of one folder; it may be started, killed and stopped again and again."""

    start_within_s = 60.0
    stop_within_s = 30.0

    def __init__(self, folder: DemoFolder) -> None:
        self.folder = folder
        self.daemon: Process | None = None
        self.watch = RackWatch(partial(over_socket, folder.socket))

    async def begin(self, command: Sequence[str], *, descriptors: Sequence[int] = ()) -> None:
        """Start this command, which runs a daemon, and wait until its API answers."""
        with self.folder.log.open("ab") as log:
            self.daemon = await anyio.open_process(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **AS_THE_UNIT},
                pass_fds=descriptors,
            )
        async with anyio.create_task_group() as group:
            group.start_soon(self.must_live)
            with anyio.fail_after(self.start_within_s):
                await self.watch.until_there()
            group.cancel_scope.cancel()

    async def must_live(self) -> None:
        """Raise DaemonDied as soon as the daemon has ended."""
        if self.daemon is not None:
            code = await self.daemon.wait()
            message = f"the daemon ended with {code}:\n{tail_of(self.folder.log)}"
            raise DaemonDied(message)

    async def kill_daemon(self) -> None:
        """End the daemon as a power cut would."""
        if self.daemon is not None:
            self.daemon.kill()
            await self.daemon.wait()
            await self.daemon.aclose()
            self.daemon = None

    async def stop_daemon(self) -> int:
        """Ask the daemon to end, and return its exit code."""
        daemon = self.daemon
        if daemon is None:
            return 0
        with suppress(ProcessLookupError):
            daemon.send_signal(signal.SIGTERM)
        with anyio.move_on_after(self.stop_within_s):
            await daemon.wait()
        if daemon.returncode is None:
            daemon.kill()
        code = await daemon.wait()
        await daemon.aclose()
        self.daemon = None
        return code


def tail_of(log: Path) -> str:
    """What a log says last."""
    return log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
