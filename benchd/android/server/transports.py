"""Opens transports to handsets on the event loop, and asks about them with adbutils.

A job opens dozens of transports, and asks once: adbutils blocks, so that is done in threads of its
own that can always be woken.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import anyio
import anyio.to_thread

from benchd.android.server.adb_library import (
    AdbClient,
    AdbConnection,
    AdbDevice,
    AdbError,
    AdbTimeout,
)
from benchd.android.server.smart_socket import (
    HOST,
    SERVER_DEADLINE_S,
    RequestRefused,
    SmartSocket,
    connected,
    server_version,
)
from benchd.android.server.turns import Turns
from benchd.errors import AdbServerLost, HandsetGone

T = TypeVar("T")

CALLS_AT_ONCE: Final = 32
"""Fewer make the loop turn for each of them alone; more all get a little, and none is done."""
THREADS: Final = 8
BLAME_DEADLINE_S: Final = 2.0


class ServerDoor(Protocol):
    """What a user of the adb server has to know of it."""

    @property
    def port(self) -> int:
        """Where it listens on the loopback address."""
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

    def __init__(self, server: ServerDoor) -> None:
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
                link = await connected(self._server.port)
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
        wire = _Wire(self._server.port)
        answer = await self._in_thread(
            lambda: wire.device(transport.transport_id).get_features(), wire, transport
        )
        return frozenset(answer.split(","))

    async def device_path(self, transport: Transport) -> str:
        """The USB path as the server itself knows it; the handset has no say in this answer."""
        wire = _Wire(self._server.port)
        return await self._in_thread(
            lambda: wire.device(transport.transport_id).get_devpath(), wire, transport
        )

    async def serial(self, transport: Transport) -> str:
        """The serial of the transport; over TCP that is its host and port."""
        wire = _Wire(self._server.port)
        return await self._in_thread(
            lambda: wire.device(transport.transport_id).get_serialno(), wire, transport
        )

    async def blame(self, transport: Transport) -> AdbServerLost | HandsetGone:
        """Whose end it was when a connection broke off: the server's, or else the handset's."""
        lost = AdbServerLost("the adb server died")
        if not self._server.serving(transport.generation):
            return lost
        try:
            # A dying process closes its sockets a moment before it's seen to be dead.
            await server_version(self._server.port, BLAME_DEADLINE_S)
        except AdbServerLost as gone:
            return gone
        if not self._server.serving(transport.generation):
            return lost
        return HandsetGone("the transport to the handset ended")

    async def _in_thread(self, work: Callable[[], T], wire: _Wire, transport: Transport) -> T:
        # As in `open`: its time begins once there is a thread for it.
        async with self._turns_at_threads.turn(transport.transport_id):
            return await self._at_once(work, wire, transport)

    async def _at_once(self, work: Callable[[], T], wire: _Wire, transport: Transport) -> T:
        self._require_serving(transport)
        results: list[T] = []
        failures: list[Exception] = []
        done = anyio.Event()
        silent = False

        async def call() -> None:
            try:
                results.append(await anyio.to_thread.run_sync(work, limiter=self._threads))
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


class _Wire:
    """The one socket of a call in a thread, and the way to end that call from outside."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._cut = False
        self._socket: socket.socket | None = None

    def device(self, transport_id: int) -> AdbDevice:
        """The handset as adbutils sees it, over this wire."""
        return AdbDevice(_Client(self._port, self), transport_id=transport_id)

    def take(self, opened: socket.socket) -> None:
        """Remember the socket before it's used; refuse it when the wire was cut already."""
        with self._lock:
            if self._cut:
                opened.close()
                raise AdbTimeout("the call was given up")
            self._socket = opened

    def cut(self) -> None:
        """Make a thread that waits on the socket return at once."""
        with self._lock:
            self._cut = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back to the system."""
        with self._lock:
            self._cut = True
            if self._socket is not None:
                self._socket.close()


class _Connection(AdbConnection):
    """adbutils' connection without its habit of starting an adb server when there is none."""

    def __init__(self, port: int, wire: _Wire) -> None:
        self._address = (HOST, port)
        self._wire = wire
        super().__init__(HOST, port)

    def _safe_connect(self) -> socket.socket:
        opened = socket.socket()
        opened.settimeout(SERVER_DEADLINE_S)
        self._wire.take(opened)
        opened.connect(self._address)
        return opened

    def close(self) -> None:
        """Close without adbutils' pause of 10 ms."""
        self._wire.close()


class _Client(AdbClient):
    def __init__(self, port: int, wire: _Wire) -> None:
        super().__init__(HOST, port)
        self._wire_port = port
        self._wire = wire

    def make_connection(
        self,
        timeout: float | None = None,  # noqa: ARG002 - the wire has a deadline of its own
    ) -> AdbConnection:
        """A connection on the wire."""
        return _Connection(self._wire_port, self._wire)
