"""The cables: keeps benchd's adb server connected to exactly the handsets that are plugged in.

On USB the server finds handsets by itself; a virtual handset speaks adb over TCP, where
somebody has to tell it. The server may start late, die and come back: this never starts one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import anyio
import structlog
from anyio.abc import TaskGroup

from benchd.devices.android.adb import AdbAddress, AdbServerLost
from benchd.devices.android.server.smart_socket import (
    RequestRefused,
    ServerPlace,
    SmartSocket,
    connect,
)
from benchd.domain.wakeup import Bell

_log = structlog.get_logger()

SERVER_PAUSE_S: Final = 0.1
LOOK_AGAIN_S: Final = 0.05
OFFLINE_PATIENCE_S: Final = 0.5
REQUEST_DEADLINE_S: Final = 5.0
ADDRESS_PREFIX: Final = "127.0.0.1:"

_LOST = (AdbServerLost, RequestRefused)


class Cable:
    """One task per rack; `hold` and `release` say what is plugged in."""

    def __init__(self, adb_socket: Path) -> None:
        self._adb_server = ServerPlace(path=adb_socket)
        self._held: set[AdbAddress] = set()
        self._silent: set[AdbAddress] = set()
        self._seen: Mapping[AdbAddress, str] = {}
        self._offline_since: dict[AdbAddress, float] = {}
        self._busy: set[AdbAddress] = set()
        self._changed = Bell()

    def hold(self, address: AdbAddress) -> None:
        """A handset that speaks adb is plugged in here."""
        self._held.add(address)
        self._changed.ring()

    def release(self, address: AdbAddress) -> None:
        """It is not any more."""
        self._held.discard(address)
        self._silent.discard(address)
        self._changed.ring()

    def silence(self, address: AdbAddress, *, silent: bool) -> None:
        """It is there but hangs: that its entry is offline is nothing to put right."""
        if silent:
            self._silent.add(address)
        else:
            self._silent.discard(address)
        self._changed.ring()

    async def run(self) -> None:
        """Follow the server's list and put right what differs, for as long as the rack runs."""
        while True:
            with suppress(*_LOST):
                async with connect(self._adb_server) as server:
                    await server.request("host:track-devices")
                    await self._serve(server)
            self._seen = {}
            self._offline_since.clear()
            await anyio.sleep(SERVER_PAUSE_S)

    async def _serve(self, server: SmartSocket) -> None:
        async with anyio.create_task_group() as tasks:

            async def follow() -> None:
                with suppress(*_LOST):
                    await self._follow(server)
                tasks.cancel_scope.cancel()

            tasks.start_soon(follow)
            while True:
                done = self._put_right(tasks)
                with anyio.move_on_after(math.inf if done else LOOK_AGAIN_S):
                    await self._changed.wait()

    async def _follow(self, server: SmartSocket) -> None:
        while True:
            entries = (line.split("\t") for line in (await server.block()).splitlines())
            self._seen = {
                AdbAddress(entry[0]): entry[1]
                for entry in entries
                if len(entry) >= 2 and entry[0].startswith(ADDRESS_PREFIX)
            }
            self._changed.ring()

    def _put_right(self, tasks: TaskGroup) -> bool:
        """Ask for what is missing; whether nothing is."""
        now_s = anyio.current_time()
        offline = {address for address, state in self._seen.items() if state == "offline"}
        self._offline_since = {
            address: self._offline_since.get(address, now_s) for address in offline
        }
        wrong = (self._held ^ set(self._seen)) | (offline - self._silent)
        for address in wrong - self._busy:
            if address not in self._held:
                self._do(tasks, address, "host:disconnect:")
            elif address not in self._seen:
                self._do(tasks, address, "host:connect:")
            elif now_s - self._offline_since.get(address, now_s) > OFFLINE_PATIENCE_S:
                # The server says "already connected" of an entry that is dead for good.
                self._do(tasks, address, "host:disconnect:")
        return not wrong

    def _do(self, tasks: TaskGroup, address: AdbAddress, request: str) -> None:
        self._busy.add(address)
        tasks.start_soon(self._request, address, request)

    async def _request(self, address: AdbAddress, request: str) -> None:
        try:
            with suppress(*_LOST), anyio.move_on_after(REQUEST_DEADLINE_S):
                async with connect(self._adb_server) as server:
                    await server.request(request + address)
                    # Success or not, it answers OKAY and tells in words: the list is what counts.
                    await server.block()
        finally:
            self._busy.discard(address)
