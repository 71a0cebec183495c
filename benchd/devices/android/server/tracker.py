"""Follows the adb server's list of transports and tells each slot what became of its handset."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import anyio
import structlog
from anyio.abc import TaskStatus

from benchd.devices.android.adb import AdbAddress, AdbServerLost
from benchd.devices.android.server.device_list import ListedTransport
from benchd.devices.android.server.device_list_stream import open_list
from benchd.devices.android.server.smart_socket import RequestRefused
from benchd.devices.android.server.transports import AdbServerAccess, Transport
from benchd.domain.port import Liveness
from benchd.domain.wakeup import Wakeup

_log = structlog.get_logger()

RECONNECT_PAUSE_S: Final = 0.05
KEPT_CHANGES: Final = 64


class LivenessStream:
    """The present liveness, then each change; a reader that lags far behind misses the oldest."""

    def __init__(self, first: Liveness) -> None:
        self._last = first
        self._waiting: deque[Liveness] = deque([first], maxlen=KEPT_CHANGES)
        self._arrived = Wakeup()

    def put(self, liveness: Liveness) -> None:
        """Add a change; saying the same again is none."""
        if liveness is not self._last:
            self._last = liveness
            self._waiting.append(liveness)
            self._arrived.fire()

    def __aiter__(self) -> AsyncIterator[Liveness]:
        return self

    async def __anext__(self) -> Liveness:
        while not self._waiting:
            await self._arrived.wait()
        return self._waiting.popleft()


class Tracker:
    """One stream of lists for all slots; the server's death is one event for all of them."""

    def __init__(self, server: AdbServerAccess) -> None:
        self._server = server
        self._started = False
        self._generation: int | None = None
        """The server process whose list is held; None while there is none."""
        self._listed: dict[AdbAddress, ListedTransport] = {}
        self._streams: dict[AdbAddress, list[LivenessStream]] = {}

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Follow the server over all its lives; reports started once it reads the first list."""
        while True:
            await self._server.until_up()
            self._lose(await self._follow(self._server.generation, task_status))
            await anyio.sleep(RECONNECT_PAUSE_S)

    async def _follow(self, generation: int, task_status: TaskStatus[None]) -> str:
        """Take each list of this server; returns why there is none any more.

        A server that was given up for its silence may live on, and the connection to it.
        """
        cause = "the server was given up"
        async with anyio.create_task_group() as tasks:

            async def until_over() -> None:
                await self._server.until_over(generation)
                tasks.cancel_scope.cancel()

            tasks.start_soon(until_over)
            try:
                async with open_list(self._server.place) as lists:
                    async for listed in lists:
                        self._take(listed, generation)
                        if not self._started:
                            task_status.started()
                            self._started = True
            except (AdbServerLost, RequestRefused, TimeoutError) as end:
                cause = str(end)
            tasks.cancel_scope.cancel()
        return cause

    @asynccontextmanager
    async def liveness(self, address: AdbAddress) -> AsyncGenerator[LivenessStream, None]:
        """What the server says of this address, for as long as the block lasts."""
        stream = LivenessStream(self._of(address))
        self._streams.setdefault(address, []).append(stream)
        try:
            yield stream
        finally:
            streams = self._streams[address]
            streams.remove(stream)
            if not streams:
                del self._streams[address]

    def ready_transport(self, address: AdbAddress) -> Transport | None:
        """The transport of the handset that is READY at this address; None if there is none."""
        listed = self._listed.get(address)
        if listed is None or listed.liveness is not Liveness.READY or self._generation is None:
            return None
        return Transport(transport_id=listed.transport_id, generation=self._generation)

    @property
    def serving(self) -> bool:
        """Whether there is a server whose list is known."""
        return self._generation is not None

    def _of(self, address: AdbAddress) -> Liveness:
        if self._generation is None:
            return Liveness.SERVER_DOWN
        listed = self._listed.get(address)
        return Liveness.ABSENT if listed is None else listed.liveness

    def _take(self, listed: dict[AdbAddress, ListedTransport], generation: int) -> None:
        if not self._server.serving(generation):
            raise AdbServerLost("the list is from a server that is gone")
        before, self._listed = self._listed, listed
        self._generation = generation
        for address, streams in self._streams.items():
            earlier, now = before.get(address), self._listed.get(address)
            # A new transport means that the handset was away, however short the list's gap was.
            was_away = (
                earlier is not None and now is not None and earlier.transport_id != now.transport_id
            )
            for stream in streams:
                if was_away:
                    stream.put(Liveness.ABSENT)
                stream.put(self._of(address))

    def _lose(self, cause: str) -> None:
        if self._generation is None:
            return
        _log.warning("handset_list_lost", cause=cause)
        self._generation = None
        self._listed = {}
        for streams in self._streams.values():
            for stream in streams:
                stream.put(Liveness.SERVER_DOWN)
