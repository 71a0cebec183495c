"""An adb server that somebody else starts, as systemd does: watched, never started or ended.

Its socket outlives it, so one connection tells which server process is there: the kernel closes it
when that process ends, before another can take its place. An answer that came before it was seen
open came from that process and from nobody else.
"""

from __future__ import annotations

import select
import socket
from pathlib import Path

import anyio
import structlog
from anyio.abc import TaskStatus

from benchd.devices.android.adb import AdbServerLost
from benchd.devices.android.server.adb_watchdog import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    until_unusable,
)
from benchd.devices.android.server.smart_socket import (
    SERVER_DEADLINE_S,
    RequestRefused,
    ServerPlace,
    SmartSocket,
    connect,
)
from benchd.domain.errors import DependencyMissing
from benchd.domain.wakeup import Wakeup

_log = structlog.get_logger()


class ExternalAdbServer:
    """The `AdbServerAccess` (see `transports`) of a server that isn't benchd's child."""

    def __init__(self, *, path: Path, start_within_s: float = 30.0) -> None:
        self.place = ServerPlace(path=path)
        self.generation = 0
        self._start_within_s = start_within_s
        self._held: socket.socket | None = None
        self._changed = Wakeup()

    @property
    def up(self) -> bool:
        """Whether the server was answering when it was last looked at."""
        return self._held is not None

    def serving(self, generation: int) -> bool:
        """Whether the server process of this generation is alive at this very moment."""
        return self._held is not None and generation == self.generation and _is_open(self._held)

    async def until_up(self) -> None:
        """Wait until the server answers."""
        await self._changed.until(lambda: self.up)

    async def until_over(self, generation: int) -> None:
        """Wait until the server of this generation is used no more, dead or only silent."""
        await self._changed.until(lambda: not self.up or generation != self.generation)

    async def changed(self) -> None:
        """Wait for the next time the server comes up or goes down."""
        await self._changed.wait()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Follow the server over all its lives; reports started once it answers.

        Raises DependencyMissing if it doesn't answer in time at first; later it is waited for.
        """
        told = False
        pause_s = FIRST_PAUSE_S
        broken_since: float | None = None
        give_up_at = anyio.current_time() + self._start_within_s
        while True:
            try:
                async with connect(self.place) as link:
                    await self._hold(link)
                    pause_s = FIRST_PAUSE_S
                    if broken_since is not None:
                        down_s = round(anyio.current_time() - broken_since, 3)
                        _log.info("adb_server_back", down_s=down_s)
                        broken_since = None
                    if not told:
                        task_status.started()
                        told = True
                    cause = await self._watch(link)
            except (AdbServerLost, RequestRefused, TimeoutError) as failure:
                cause = str(failure) or "it doesn't answer"
                if not told and anyio.current_time() >= give_up_at:
                    raise DependencyMissing(
                        f"no adb server answers on {self.place.path}: {cause}",
                        cure="start it (`systemctl start benchd-adb.socket`; see `journalctl -u"
                        ' benchd-adb`), or set adb.server = "own" in the configuration',
                    ) from failure
            finally:
                self._let_go()
            if told and broken_since is None:
                broken_since = anyio.current_time()
                _log.error("adb_server_down", cause=cause)
            await anyio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _hold(self, link: SmartSocket) -> None:
        # Counted first: whoever gets an answer from the new process sees that the ids of the
        # old one have lost their meaning.
        self.generation += 1
        with anyio.fail_after(SERVER_DEADLINE_S):
            # The one request that keeps its connection open for as long as the server lives.
            await link.request("host:track-devices")
        self._held = link.stream.raw_socket
        self._changed.fire()

    async def _watch(self, link: SmartSocket) -> str:
        """Return why the server is no longer to be used: it ended, or doesn't answer."""

        async def ended() -> str:
            try:
                while True:
                    await link.block()
            except AdbServerLost as end:
                return str(end)

        return await until_unusable(self.place, ended)

    def _let_go(self) -> None:
        if self._held is not None:
            self._held = None
            self._changed.fire()


def _is_open(held: socket.socket) -> bool:
    look = select.poll()
    # The end alone: unread data would hide from recv() that the other side has closed.
    look.register(held, 0)
    return not look.poll(0)
