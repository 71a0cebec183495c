"""benchd's own adb server: a child process on benchd's own socket, started anew when it dies.

Whoever may connect may do with each handset what benchd does. The socket is made here, for this
user alone before it has a name, and handed to the child; each child gets a new one, so that nobody
who asked a dead one is answered by the next.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL
from typing import Final

import anyio
import structlog
from anyio.abc import Process, TaskStatus

from benchd.devices.android.adb import AdbServerLost
from benchd.devices.android.server.adb_watchdog import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    until_unusable,
)
from benchd.devices.android.server.leftover import clear_place, marks
from benchd.devices.android.server.smart_socket import ServerPlace, server_version
from benchd.domain.errors import DependencyMissing
from benchd.domain.wakeup import Wakeup

_log = structlog.get_logger()

STEADY_AFTER_S: Final = 30.0
KILL_DEADLINE_S: Final = 5.0
MAXIMUM_LOG_BYTES: Final = 16 << 20
SOCKET_MODE: Final = 0o600
BACKLOG: Final = 1024
"""A slot asks often, and all slots at once after a restart."""


class AdbServer:
    """Runs `adb` as a server on a Unix socket; nothing but this object starts or ends it.

    `generation` counts the server processes: transport ids begin anew with each, so an id
    means something only together with the generation it comes from.
    """

    def __init__(
        self,
        *,
        path: Path,
        home: Path,
        log_path: Path,
        adb_path: str = "adb",
        usb: bool = True,
        start_within_s: float = 30.0,
    ) -> None:
        self.place = ServerPlace(path=path.absolute(), made_by=os.getpid())
        self.generation = 0
        self.pid: int | None = None
        self._home = home
        self._log_path = log_path
        self._adb_path = adb_path
        self._usb = usb
        self._start_within_s = start_within_s
        self._up = False
        self._changed = Wakeup()

    @property
    def up(self) -> bool:
        """Whether the server process was answering when it was last looked at."""
        return self._up

    def serving(self, generation: int) -> bool:
        """Whether the server process of this generation is alive at this very moment.

        It alone holds the socket as long as it lives, so an answer received before this call
        said yes came from it and from nobody else.
        """
        return self._up and generation == self.generation and _alive(self.pid)

    async def until_up(self) -> None:
        """Wait until the server answers."""
        await self._changed.until(lambda: self._up)

    async def until_over(self, generation: int) -> None:
        """Wait until the server of this generation is used no more, dead or only silent."""
        await self._changed.until(lambda: not self._up or generation != self.generation)

    async def changed(self) -> None:
        """Wait for the next time the server comes up or goes down."""
        await self._changed.wait()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Start the server, report started once it answers, and keep it up until cancelled.

        Raises DependencyMissing when adb is missing, the socket is somebody else's or the first
        start fails; later failures are retried for ever.
        """
        if shutil.which(self._adb_path) is None:
            raise DependencyMissing(
                f"the program {self._adb_path} isn't there",
                cure="install the package adb, or set the path of adb in the configuration",
            )
        await clear_place(self.place.path, self._home)
        told = False
        broken_since: float | None = None
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                async with self._process() as process:
                    started_at = anyio.current_time()
                    self._set_up(process.pid)
                    if broken_since is not None:
                        down_s = round(started_at - broken_since, 3)
                        _log.info("adb_server_back", pid=process.pid, down_s=down_s)
                        broken_since = None
                    if not told:
                        task_status.started()
                        told = True
                    cause = await self._watch(process)
                if anyio.current_time() - started_at >= STEADY_AFTER_S:
                    pause_s = FIRST_PAUSE_S
            except (AdbServerLost, OSError) as failure:
                if not told:
                    raise DependencyMissing(
                        f"the adb server doesn't start on {self.place.path}: {failure}",
                        cure=f"look into {self._log_path}; benchd has to be able to write into the"
                        f" folder {self.place.path.parent}, or set another adb.socket",
                    ) from failure
                cause = str(failure)
            if broken_since is None:
                broken_since = anyio.current_time()
                _log.error("adb_server_down", cause=cause)
            await anyio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _set_up(self, pid: int) -> None:
        self.pid = pid
        self._up = True
        self._changed.fire()

    def _set_down(self) -> None:
        self.pid = None
        self._up = False
        self._changed.fire()

    @asynccontextmanager
    async def _process(self) -> AsyncGenerator[Process, None]:
        """A server process that answers; it's dead when the block is left."""
        # Counted before the new process exists: whoever gets an answer from it can already see
        # that the ids of the old one have lost their meaning.
        self.generation += 1
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        ready, ready_end = os.pipe()
        try:
            try:
                with (
                    listen_privately(self.place.path) as listener,
                    self._log_path.open("ab") as log,
                ):
                    process = await anyio.open_process(
                        self._command(listener.fileno(), ready_end),
                        stdin=DEVNULL,
                        stdout=log,
                        stderr=log,
                        env=self._environment(),
                        start_new_session=True,
                        pass_fds=(listener.fileno(), ready_end),
                    )
            finally:
                os.close(ready_end)
            try:
                await self._until_ready(ready)
                yield process
            finally:
                self._set_down()
                await _end(process)
        finally:
            os.close(ready)

    def _command(self, listener_fd: int, ready_fd: int) -> list[str]:
        # `fork-server` runs in the foreground like `nodaemon`, but reports on a pipe once the
        # USB scan is over and it takes requests, so that readiness is an event.
        command = [self._adb_path, "-L", f"acceptfd:{listener_fd}", "fork-server", "server"]
        command += ["--reply-fd", str(ready_fd)]
        if shutil.which("setpriv") is None:
            return command
        # Ends the server when the daemon is killed; where that comes too late, the next
        # daemon finds it by its marks.
        return ["setpriv", "--pdeathsig", "KILL", *command]

    def _environment(self) -> Mapping[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._home),
            "ANDROID_ADB_LOG_PATH": str(self._log_path),
            "ADB_MDNS": "0",
            "ADB_EMU": "0",
            "ADB_REJECT_KILL_SERVER": "1",
            **({} if self._usb else {"ADB_USB": "0"}),
            **marks(self.place.path, self._home),
        }

    async def _until_ready(self, ready: int) -> None:
        try:
            with anyio.fail_after(self._start_within_s):
                await anyio.wait_readable(ready)
                # An end without a word means that it died.
                if not os.read(ready, 16).startswith(b"OK"):
                    raise AdbServerLost("it ended at once")
                await server_version(self.place)
        except TimeoutError as late:
            raise AdbServerLost(f"no answer within {self._start_within_s:.0f} s") from late

    async def _watch(self, process: Process) -> str:
        """Return why the server is no longer to be used: it ended, or doesn't answer."""

        async def ended() -> str:
            return f"it ended with {await process.wait()}"

        cause = await until_unusable(self.place, ended, after_probe=self._keep_log_short)
        self._set_down()
        return cause

    def _keep_log_short(self) -> None:
        with suppress(OSError):
            if self._log_path.stat().st_size > MAXIMUM_LOG_BYTES:
                os.truncate(self._log_path, 0)


def listen_privately(path: Path) -> socket.socket:
    """A socket that listens here for this user alone, and takes the place of a dead one."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Before it has a name, so that there is no moment at which others come in (unix(7)).
        os.fchmod(listener.fileno(), SOCKET_MODE)
        path.unlink(missing_ok=True)
        listener.bind(os.fspath(path))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _alive(pid: int | None) -> bool:
    if pid is None:
        return False
    try:
        # Looks without reaping: the exit status stays for the one who waits for it.
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False


async def _end(process: Process) -> None:
    with anyio.move_on_after(KILL_DEADLINE_S, shield=True):
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.wait()
