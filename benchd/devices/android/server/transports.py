"""Opens transports to handsets on the event loop, and asks about them with adbutils.

A job opens dozens of transports, and asks once: adbutils blocks, so that is done in threads of its
own that can always be woken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import anyio
import anyio.to_thread

from benchd.devices.android.adb import AdbServerLost
from benchd.devices.android.server.adb_library import AdbDevice, AdbError, AdbTimeout, Wire
from benchd.devices.android.server.adb_turns import Turns
from benchd.devices.android.server.smart_socket import (
    SERVER_DEADLINE_S,
    RequestRefused,
    ServerPlace,
    SmartSocket,
    connected,
    opened_socket,
    server_version,
)
from benchd.domain.errors import HandsetGone

T = TypeVar("T")

CALLS_AT_ONCE: Final = 32
"""Fewer make the loop turn for each of them alone; more all get a little, and none is done."""
THREADS: Final = 8
BLAME_DEADLINE_S: Final = 2.0


class AdbServerAccess(Protocol):
    """What a user of the adb server has to know of it."""

    @property
    def place(self) -> ServerPlace:
        """Where it is reached."""
        ...

    @property
    def generation(self) -> int:
        """Which server process it is."""
        ...

    def serving(self, generation: int) -> bool:
        """Whether the server process of this generation is alive at this very moment."""
        ...

    async def until_up(self) -> None:
        """Wait until the server answers."""
        ...

    async def until_over(self, generation: int) -> None:
        """Wait until the server of this generation is used no more, dead or only silent."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """One connection between the adb server and a handset, from plug to unplug."""

    transport_id: int
    generation: int
    """The server process that gave the id; with another process it names another handset."""


class TransportOpener:
    """Opens transports; cancelling a call leaves neither a thread nor a socket behind."""

    def __init__(self, server: AdbServerAccess) -> None:
        self._server = server
        self._threads = anyio.CapacityLimiter(THREADS)
        self._turns = Turns(CALLS_AT_ONCE)
        self._turns_at_threads = Turns(THREADS)
        """No more than there are threads: whoever has a turn waits for the server alone."""

    async def open(self, transport: Transport) -> SmartSocket:
        """A connection to the handset's daemon, ready for the name of a service."""
        # Waiting for one's turn says nothing of the server: its time begins after it.
        async with self._turns.turn(transport.transport_id):
            return await self._opened(transport)

    async def _opened(self, transport: Transport) -> SmartSocket:
        self._require_serving(transport)
        try:
            with anyio.fail_after(SERVER_DEADLINE_S):
                link = await connected(self._server.place)
                try:
                    await link.request(f"host:transport-id:{transport.transport_id}")
                    self._require_serving(transport)
                except BaseException:
                    link.stream.close()
                    raise
        except TimeoutError as late:
            raise AdbServerLost("the adb server doesn't answer") from late
        except (RequestRefused, AdbServerLost) as refused:
            raise await self.blame(transport) from refused
        return link

    def _require_serving(self, transport: Transport) -> None:
        """With another server process the same id names another handset."""
        if not self._server.serving(transport.generation):
            raise AdbServerLost("the adb server that opened this transport is gone")

    async def features(self, transport: Transport) -> frozenset[str]:
        """What the handset's adb daemon can do."""
        answer = await self._in_thread(lambda device: device.get_features(), transport)
        return frozenset(answer.split(","))

    async def device_path(self, transport: Transport) -> str:
        """The USB path as the server itself knows it; the handset has no say in this answer."""
        return await self._in_thread(lambda device: device.get_devpath(), transport)

    async def serial(self, transport: Transport) -> str:
        """The serial of the transport; over TCP that is its host and port."""
        return await self._in_thread(lambda device: device.get_serialno(), transport)

    async def blame(self, transport: Transport) -> AdbServerLost | HandsetGone:
        """Whose end it was when a connection broke off: the server's, or else the handset's."""
        lost = AdbServerLost("the adb server died")
        if not self._server.serving(transport.generation):
            return lost
        try:
            # A dying process closes its sockets a moment before it's seen to be dead.
            await server_version(self._server.place, BLAME_DEADLINE_S)
        except AdbServerLost as gone:
            return gone
        if not self._server.serving(transport.generation):
            return lost
        return HandsetGone("the transport to the handset ended")

    async def _in_thread(self, ask: Callable[[AdbDevice], T], transport: Transport) -> T:
        # As in `open`: its time begins once there is a thread for it.
        async with self._turns_at_threads.turn(transport.transport_id):
            self._require_serving(transport)
            try:
                opened = await opened_socket(self._server.place)
            except AdbServerLost as refused:
                raise await self.blame(transport) from refused
            return await self._at_once(ask, Wire(opened, SERVER_DEADLINE_S), transport)

    async def _at_once(self, ask: Callable[[AdbDevice], T], wire: Wire, transport: Transport) -> T:
        device = wire.device(transport.transport_id)
        results: list[T] = []
        failures: list[Exception] = []
        done = anyio.Event()
        silent = False

        async def call() -> None:
            try:
                results.append(await anyio.to_thread.run_sync(ask, device, limiter=self._threads))
            except (AdbError, OSError, EOFError, ValueError) as failure:
                failures.append(failure)
            finally:
                done.set()

        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call)
                try:
                    with anyio.move_on_after(SERVER_DEADLINE_S):
                        await done.wait()
                    silent = not done.is_set()
                finally:
                    # Ends the thread's wait at once: closing the socket wouldn't.
                    if not done.is_set():
                        wire.cut()
        except BaseException:
            wire.close()
            raise
        if not results:
            wire.close()
            cause = failures[0] if failures else None
            if silent or isinstance(cause, AdbTimeout):
                raise AdbServerLost("the adb server doesn't answer") from cause
            raise await self.blame(transport) from cause
        if not self._server.serving(transport.generation):
            wire.close()
            raise AdbServerLost("the adb server died while the transport was opened")
        return results[0]
