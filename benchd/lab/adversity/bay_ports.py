"""The core's ports for plugs and handsets over the bays of a virtual rack."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from math import inf
from typing import Final

import anyio
from anyio.abc import TaskStatus

from benchd.devices.android.adb import AdbServerLost
from benchd.domain.errors import HandsetGone
from benchd.domain.ids import DeviceAddress, SlotName
from benchd.domain.port import Liveness, PlugEvent
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.drawn_hands import Hands
from benchd.lab.adversity.drawn_handset import Server, SimulatedHandset
from benchd.lab.adversity.points import Points
from benchd.pipelines.ports import Handset

OPEN_S: Final = 0.05


class BayAccess:
    """Implements `benchd.domain.ports.DeviceAccess` over the bays."""

    def __init__(
        self, bays: Mapping[SlotName, Bay], server: Server, points: Points, hands: Hands
    ) -> None:
        self._at = {bay.address: bay for bay in bays.values()}
        self._server = server
        self._points = points
        self._hands = hands

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        """Nothing has to be followed."""
        task_status.started()

    @asynccontextmanager
    async def liveness(
        self, address: DeviceAddress
    ) -> AsyncGenerator[AsyncIterator[Liveness], None]:
        """What adb says of a bay, as it changes."""
        yield self._states(self._at[address])

    async def _states(self, bay: Bay) -> AsyncIterator[Liveness]:
        last: Liveness | None = None
        while True:
            now = bay.liveness(server_up=self._server.up)
            if now is last:
                await bay.changed.wait()
            else:
                last = now
                yield now

    async def open(self, address: DeviceAddress) -> Handset:
        """The handset that is there."""
        bay = self._at[address]
        await anyio.sleep(OPEN_S)
        match bay.liveness(server_up=self._server.up):
            case Liveness.READY:
                return SimulatedHandset(bay, self._server, self._points, self._hands)
            case Liveness.SERVER_DOWN:
                raise AdbServerLost(address)
            case _:
                raise HandsetGone(address)


class BayHotplug:
    """Implements `benchd.domain.ports.HotplugSource`: what is there first, then each change."""

    def __init__(self, bays: Mapping[SlotName, Bay]) -> None:
        self._bays = bays

    @asynccontextmanager
    async def events(self) -> AsyncGenerator[AsyncIterator[PlugEvent], None]:
        """Events until nobody listens any more."""
        send, receive = anyio.create_memory_object_stream[PlugEvent](inf)
        for bay in self._bays.values():
            if bay.attached:
                send.send_nowait(bay.event())
            bay.listen(send.send_nowait)
        try:
            with receive:
                yield receive
        finally:
            for bay in self._bays.values():
                bay.listen(lambda _event: None)
            send.close()
