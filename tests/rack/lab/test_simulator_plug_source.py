"""The plug source when its rack's socket drops: it tells what leads from then to now."""

import json
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketStream

from benchd.domain.ids import PortPath
from benchd.domain.port import Attached, Detached, PlugEvent
from benchd.lab.simulator.plug_source import SimulatedHotplug

pytestmark = pytest.mark.asyncio


def attached(port: int, attachment: str) -> dict[str, object]:
    return {
        "event": "attached",
        "port_path": f"p:{port}",
        "kind": "android",
        "address": f"127.0.0.1:{16000 + port}",
        "attachment": attachment,
        "interfaces": ["ff4201"],
        "usb_serial": None,
        "vendor_id": "04dd",
        "product_id": "9c9b",
        "at_s": 5.0,
    }


READY = {"event": "ready", "at_s": 9.0}


def seen(event: PlugEvent) -> str:
    return f"+{event.attachment}" if isinstance(event, Attached) else f"-{event.port_path}"


async def test_what_changed_while_nobody_told_is_told(tmp_path: Path) -> None:
    lives = [
        [attached(1, "a1"), attached(2, "b1"), READY, attached(3, "c1")],
        [attached(2, "b1"), attached(3, "c2"), attached(4, "d1"), READY],
        [READY],
    ]
    expected = ["+a1", "+b1", "+c1", "-p:1", "-p:3", "+c2", "+d1", "-p:2", "-p:3", "-p:4"]

    async def tell(stream: SocketStream) -> None:
        async with stream:
            for line in lives.pop(0) if lives else []:
                await stream.send(json.dumps(line).encode() + b"\n")

    path = tmp_path / "plug.sock"
    told: list[PlugEvent] = []
    async with anyio.create_task_group() as tasks:
        # It waits for a rack that isn't there yet.

        async def listen() -> None:
            async with SimulatedHotplug(path).events() as events:
                async for event in events:
                    told.append(event)
                    if len(told) == len(expected):
                        return

        tasks.start_soon(listen)
        listener = await anyio.create_unix_listener(path)
        async with listener, anyio.create_task_group() as serving:
            serving.start_soon(listener.serve, tell)
            with anyio.fail_after(10):
                while len(told) < len(expected):  # noqa: ASYNC110 - nothing else to wait for
                    await anyio.sleep(0.01)
            serving.cancel_scope.cancel()
    assert [seen(event) for event in told] == expected
    assert told[3] == Detached(port_path=PortPath("p:1"), at_s=9.0)
    assert {event.at_s for event in told if isinstance(event, Detached)} == {9.0}
