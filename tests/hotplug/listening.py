"""How the tests listen to plug events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import anyio

from benchd.domain.ids import PortPath
from benchd.domain.port import Attached, Detached, PlugEvent

from .usb_testbed import UsbTestbed, id_path

Watch = Callable[[], AbstractAsyncContextManager[AsyncIterator[PlugEvent]]]


async def told(events: AsyncIterator[PlugEvent], count: int) -> list[PlugEvent]:
    with anyio.fail_after(5):
        return [await anext(events) for _ in range(count)]


async def attached(events: AsyncIterator[PlugEvent]) -> Attached:
    (event,) = await told(events, 1)
    assert isinstance(event, Attached)
    return event


async def nothing_more(events: AsyncIterator[PlugEvent], testbed: UsbTestbed) -> None:
    """The next thing told is what is plugged in now."""
    testbed.plug("1-1.99")
    assert (await attached(events)).port_path == id_path("1-1.99")


def left(port: str) -> Detached:
    return Detached(port_path=PortPath(id_path(port)), at_s=0.0)
