"""A handset writes lines into the adb server's list; its neighbours stay who they are.

The bytes are adb 34.0.5's: `%-22s %s` with the serial as USB told it, then the path that the
kernel told; the binary form is that of adb 36.0.0.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest
from handset_fakes import FakeLink, FakeServer, fake_server

from benchd.devices.android.adb import AdbAddress, AdbServerLost
from benchd.devices.android.server.device_list import read_device_list
from benchd.devices.android.server.device_message import read_device_message
from benchd.devices.android.server.tracker import Tracker
from benchd.devices.android.server.transport_claims import Claims
from benchd.domain.port import Liveness

pytestmark = pytest.mark.asyncio

NEIGHBOUR = AdbAddress("usb:1-2")
LIAR = AdbAddress("usb:1-9")


def line(serial: str, state: str, address: str, number: int) -> str:
    return f"{serial:<22} {state} {address} transport_id:{number}\n"


@asynccontextmanager
async def told(
    text: str, states: dict[int, str], paths: dict[int, str] | None = None
) -> AsyncGenerator[tuple[FakeServer, Tracker], None]:
    """A tracker that has read this list; the server knows these transports."""

    async def track(link: FakeLink, service: str) -> None:
        await link.okay(text)
        await link.until_closed()

    async with fake_server() as server, anyio.create_task_group() as tasks:
        server.paths = {2: NEIGHBOUR, 9: LIAR} if paths is None else paths
        server.states = states
        server.on("host:track-devices-l", track)
        tracker = Tracker(server)
        await tasks.start(tracker.run)
        yield server, tracker
        tasks.cancel_scope.cancel()


HOSTILE = (
    "X\nB device usb:1-2 transport_id:9\nC",
    "X\nB device usb:1-2 transport_id:77\nC",
    "X\nB offline usb:1-2 transport_id:2\nC",
    "X\nB unauthorized usb:1-2 transport_id:2\nC device usb:1-2",
    "A device usb:1-2 model:",
    "no permissions usb:1-2 model:",
)


@pytest.mark.parametrize("serial", HOSTILE)
async def test_a_hostile_serial_takes_no_neighbours_address(serial: str) -> None:
    text = line(serial, "device", LIAR, 9) + line("honest", "device", NEIGHBOUR, 2)
    async with told(text, {}) as (_, tracker):
        assert tracker._of(NEIGHBOUR) is tracker._of(LIAR) is Liveness.READY
        transport = tracker.ready_transport(NEIGHBOUR)
        assert transport is not None
        assert transport.transport_id == 2


@pytest.mark.parametrize("serial", HOSTILE)
async def test_a_hostile_serial_that_never_speaks_adb_takes_none_either(serial: str) -> None:
    text = line(serial, "unauthorized", LIAR, 9) + line("honest", "device", NEIGHBOUR, 2)
    async with told(text, {9: "unauthorized"}) as (_, tracker):
        assert tracker._of(NEIGHBOUR) is Liveness.READY
        assert tracker._of(LIAR) is Liveness.UNAUTHORIZED


@pytest.mark.parametrize("serial", HOSTILE)
async def test_a_neighbour_that_waits_for_its_tap_is_never_shown_as_ready(serial: str) -> None:
    text = line(serial, "device", LIAR, 9) + line("honest", "unauthorized", NEIGHBOUR, 2)
    async with told(text, {2: "unauthorized"}) as (_, tracker):
        assert tracker._of(NEIGHBOUR) is Liveness.UNAUTHORIZED
        assert tracker.ready_transport(NEIGHBOUR) is None


@pytest.mark.parametrize("serial", HOSTILE[:2])
async def test_a_handset_without_adb_gets_none_from_its_neighbours_serial(serial: str) -> None:
    """After its last reset adb has to be gone, whatever a neighbour writes."""
    text = line(serial, "device", LIAR, 9)
    async with told(text, {}, {9: LIAR}) as (_, tracker):
        assert tracker._of(NEIGHBOUR) is Liveness.ABSENT


async def test_a_path_is_asked_for_once() -> None:
    text = line("a", "device", NEIGHBOUR, 2) + line("b", "device", LIAR, 9)
    again = anyio.Event()

    async def track(link: FakeLink, service: str) -> None:
        for each in ("", text, text, text + line("c", "offline", "usb:1-3", 12)):
            await (link.block(each) if again.is_set() else link.okay(each))
            again.set()
        await link.until_closed()

    async with fake_server() as server, anyio.create_task_group() as tasks:
        server.paths = {2: NEIGHBOUR, 9: LIAR}
        server.on("host:track-devices-l", track)
        tracker = Tracker(server)
        await tasks.start(tracker.run)
        async with tracker.liveness(AdbAddress("usb:1-3")) as states:
            with anyio.fail_after(5):
                while await anext(states) is not Liveness.OFFLINE:
                    pass
        asked = [text for text in server.requests if text.endswith("get-devpath")]
        assert sorted(asked) == [f"host-transport-id:{one}:get-devpath" for one in (2, 9)]
        tasks.cancel_scope.cancel()


def device(*, serial: bytes, state: int, path: bytes, number: int) -> bytes:
    body = b"\x0a" + bytes([len(serial)]) + serial + b"\x10" + bytes([state])
    body += b"\x1a" + bytes([len(path)]) + path + b"\x38\x01\x40\xe0\x03P" + bytes([number])
    return b"\x0a" + bytes([len(body)]) + body


async def test_the_binary_list_needs_no_question() -> None:
    data = device(serial=HOSTILE[0].encode(), state=8, path=b"usb:1-9", number=9)
    data += device(serial=b"\xff", state=3, path=b"usb:1-2", number=2)

    async def track(link: FakeLink, service: str) -> None:
        await link.okay()
        await link.stream.send(f"{len(data):04x}".encode() + data)
        await link.until_closed()

    async with fake_server() as server, anyio.create_task_group() as tasks:
        server.on("host:track-devices-proto-binary", track)
        tracker = Tracker(server)
        await tasks.start(tracker.run)
        assert tracker._of(LIAR) is Liveness.READY
        assert tracker._of(NEIGHBOUR) is Liveness.UNAUTHORIZED
        assert server.requests == ["host:track-devices-proto-binary"]
        tasks.cancel_scope.cancel()


async def test_the_later_of_two_transports_at_one_path_is_there() -> None:
    old = device(serial=b"a", state=6, path=b"usb:1-2", number=2)
    new = device(serial=b"a", state=8, path=b"usb:1-2", number=3)
    for data in (old + new, new + old):
        assert read_device_message(data)[NEIGHBOUR].transport_id == 3


@pytest.mark.parametrize("data", [b"\x0a\x7f", b"\x0a", b"\xff" * 11, b"\x0b", b"\x0a\x02\x10\xff"])
async def test_a_garbled_message_is_no_list(data: bytes) -> None:
    with pytest.raises(AdbServerLost):
        read_device_message(data)


async def test_what_was_told_of_a_transport_is_forgotten_with_it() -> None:
    """A handset that comes and goes gets a new id each time, for as long as the daemon lives."""
    async with fake_server() as server:
        server.paths = dict.fromkeys(range(1, 4), NEIGHBOUR)
        claims = Claims(server.place)
        for number in range(1, 4):
            await claims.resolve(read_device_list(line("a", "device", NEIGHBOUR, number)))
        assert list(claims._told) == [(3, "get-devpath")]
