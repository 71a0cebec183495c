"""Liveness of each slot from the adb server's list, whatever a handset writes into it.

A handset writes lines into the list; its neighbours stay who they are. The bytes are adb 34.0.5's:
`%-22s %s` with the serial as USB told it, then the path that the kernel told; the binary form is
that of adb 36.0.0.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import cast

import anyio
import pytest
from handset_fakes import FakeLink, FakeServer, Handler, fake_server, until
from hypothesis import given
from hypothesis import strategies as some
from structlog.testing import capture_logs

from benchd.devices.android.adb import AdbAddress, AdbServerLost
from benchd.devices.android.server.device_list import ListedTransport, read_device_list
from benchd.devices.android.server.device_list_stream import READ_BYTES, NewestList
from benchd.devices.android.server.device_message import read_device_message
from benchd.devices.android.server.loop_stream import LoopStream
from benchd.devices.android.server.smart_socket import SmartSocket
from benchd.devices.android.server.tracker import KEPT_CHANGES, LivenessStream, Tracker
from benchd.devices.android.server.transport_claims import Claims
from benchd.domain.port import Liveness

pytestmark = pytest.mark.asyncio

HERE, OTHER, LIAR = AdbAddress("usb:1-1"), AdbAddress("usb:2-2"), AdbAddress("usb:1-9")
FLAPS = 2000
NO_PERMISSION = (
    "no permissions (missing udev rules? user is in the plugdev group);"
    " see [http://developer.android.com/tools/device.html]"
)


def listed(state: str, number: int, address: str = HERE, serial: str = "serial") -> str:
    return f"{serial:<22} {state} {address} transport_id:{number}\n"


@pytest.mark.parametrize(
    ("line", "address", "liveness"),
    [
        ("0123456789ABCDEF       device usb:2-1 product:SO-51C", "usb:2-1", Liveness.READY),
        ("R58M1234567            device usb:1-1.4.2", "usb:1-1.4.2", Liveness.READY),
        ("R58M1234567            unauthorized usb:1-1", "usb:1-1", Liveness.UNAUTHORIZED),
        (f"????????????           {NO_PERMISSION} usb:1-2", "usb:1-2", Liveness.NO_PERMISSION),
        (f"(no serial number)     {NO_PERMISSION} usb:1-3", "usb:1-3", Liveness.NO_PERMISSION),
        ("127.0.0.1:16001        offline", "127.0.0.1:16001", Liveness.OFFLINE),
        ("127.0.0.1:2            recovery product:S 1 model:X", "127.0.0.1:2", Liveness.WRONG_MODE),
        ("x                      authorizing usb:4-1", "usb:4-1", Liveness.OFFLINE),
        ("two words              device usb:5-1 product:p q model:m", "usb:5-1", Liveness.READY),
    ],
)
async def test_a_line(line: str, address: str, liveness: Liveness) -> None:
    (found,) = read_device_list(f"{line} transport_id:12\n")
    told = (found.address, found.liveness, found.transport_id)
    assert told == (AdbAddress(address), liveness, 12)


async def test_equal_serials_are_told_apart_by_their_ports() -> None:
    found = read_device_list("".join(listed("device", n, f"usb:2-{n}") for n in range(1, 65)))
    assert len(found) == 64
    assert (found[-1].address, found[-1].transport_id) == ("usb:2-64", 64)


@pytest.mark.parametrize(
    ("text", "claimed"),
    [
        # An address that is claimed twice keeps both claims.
        (listed("device", 1) + listed("device", 2), [(HERE, 1), (HERE, 2)]),
        # A serial that reads like a state and a path doesn't hide the path that adb has written.
        (
            "x device usb:1-1 model: device usb:1-9 model:X transport_id:4\n",
            [(HERE, 4), (LIAR, 4)],
        ),
    ],
)
async def test_a_line_that_can_be_read_in_two_ways_claims_both(
    text: str, claimed: list[tuple[AdbAddress, int]]
) -> None:
    claims = read_device_list(text)
    assert [(claim.address, claim.transport_id) for claim in claims] == claimed
    assert {claim.liveness for claim in claims} == {Liveness.READY}


@pytest.mark.parametrize("break_", ["\r", "\x0b", "\x85", "\u2028"])
async def test_only_what_ends_a_line_for_adb_ends_one(break_: str) -> None:
    text = f"x{break_}y device usb:1-1 transport_id:9{break_}z device usb:1-9 transport_id:4\n"
    assert [claim.transport_id for claim in read_device_list(text)] == [4]


@given(text=some.text(max_size=300))
async def test_any_text_is_a_list_whose_lines_that_are_none_are_left_out(text: str) -> None:
    read_device_list(text)
    assert read_device_list("") == ()
    assert read_device_list("List of devices attached\n\nx device usb:1-1\n") == ()


@asynccontextmanager
async def tracking(
    track: Handler,
    paths: Mapping[int, str],
    states: Mapping[int, str] | None = None,
    *,
    service: str = "host:track-devices-l",
) -> AsyncGenerator[tuple[FakeServer, Tracker], None]:
    """A tracker that has read its first list, and the server that knows these transports."""
    async with fake_server() as server, anyio.create_task_group() as tasks:
        server.paths, server.states = dict(paths), dict(states or {})
        server.on(service, track)
        tracker = Tracker(server)
        await tasks.start(tracker.run)
        yield server, tracker
        tasks.cancel_scope.cancel()


def telling(*lists: str) -> Handler:
    """Tells these lists, and then waits."""

    async def track(link: FakeLink, text: str) -> None:
        await link.okay()
        for entry in lists:
            await link.block(entry)
        await link.until_closed()

    return track


def transport_id(tracker: Tracker, address: AdbAddress = HERE) -> int | None:
    transport = tracker.ready_transport(address)
    return None if transport is None else transport.transport_id


async def test_the_present_state_comes_first() -> None:
    async with tracking(telling(listed("device", 1)), {1: HERE}) as (_, tracker):
        for address, liveness in ((HERE, Liveness.READY), (OTHER, Liveness.ABSENT)):
            with anyio.fail_after(5):
                async with tracker.liveness(address) as states:
                    assert await anext(states) is liveness
        transport = tracker.ready_transport(HERE)
        assert transport is not None
        assert (transport.transport_id, transport.generation) == (1, 1)
        assert tracker.ready_transport(OTHER) is None


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        # A new transport was away in between; the same said again is no change.
        ((1, 2), [Liveness.READY, Liveness.ABSENT, Liveness.READY]),
        ((1, 1, 1), [Liveness.READY]),
    ],
)
async def test_a_new_transport_was_away_in_between(
    numbers: tuple[int, ...], told: list[Liveness]
) -> None:
    states = LivenessStream(Liveness.READY)
    tracker = Tracker(FakeServer())
    tracker._streams[HERE] = [states]
    for number in numbers:
        ready = ListedTransport(address=HERE, liveness=Liveness.READY, transport_id=number)
        tracker._take({HERE: ready}, 1)
    assert list(states._waiting) == told


async def test_a_reader_that_sleeps_misses_the_oldest_only() -> None:
    states = LivenessStream(Liveness.READY)
    for _ in range(KEPT_CHANGES):
        states.put(Liveness.OFFLINE)
        states.put(Liveness.UNAUTHORIZED)
    assert len(states._waiting) == KEPT_CHANGES
    assert states._waiting[-1] is Liveness.UNAUTHORIZED


async def test_the_servers_death_is_told_to_everybody_once_and_the_list_comes_back() -> None:
    ending = anyio.Event()

    async def track(link: FakeLink, text: str) -> None:
        await link.okay(listed("device", 1) + listed("device", 2, OTHER))
        if not ending.is_set():
            await ending.wait()
            server.alive = False
            await link.stream.aclose()
        await link.until_closed()

    async with tracking(track, {1: HERE, 2: OTHER}) as (server, tracker):
        with capture_logs() as logs, anyio.fail_after(5):
            async with tracker.liveness(HERE) as first, tracker.liveness(OTHER) as second:
                assert await anext(first) is await anext(second) is Liveness.READY
                ending.set()
                assert await anext(first) is await anext(second) is Liveness.SERVER_DOWN
                assert tracker.ready_transport(HERE) is None
                server.generation, server.alive = 2, True
                assert await anext(first) is await anext(second) is Liveness.READY
        transport = tracker.ready_transport(HERE)
        assert transport is not None
        assert transport.generation == 2
        assert [entry["event"] for entry in logs] == ["handset_list_lost"]
        assert tracker._streams == {}


async def test_the_list_is_asked_for_anew_after_a_silence_that_the_server_survived() -> None:
    """Given up for its silence, it may still live, and its old connection with it."""
    async with tracking(telling(listed("device", 1)), {1: HERE}) as (server, tracker):
        async with tracker.liveness(HERE) as states:
            with anyio.fail_after(5):
                assert await anext(states) is Liveness.READY
                server.alive = False
                assert await anext(states) is Liveness.SERVER_DOWN
                server.generation, server.alive = 2, True
                assert await anext(states) is Liveness.READY
        transport = tracker.ready_transport(HERE)
        assert transport is not None
        assert transport.generation == 2
        await until(lambda: server.open_links == 1)


async def test_a_long_list_in_small_pieces_is_read_whole() -> None:
    paths = {number: f"usb:1-{number}" for number in range(1, 100)}
    text = "".join(listed("device", number, path) for number, path in paths.items())
    assert len(text) > 4096

    async def track(link: FakeLink, request: str) -> None:
        data = b"OKAY" + f"{len(text):04x}".encode() + text.encode()
        for start in range(0, len(data), 97):
            await link.stream.send(data[start : start + 97])
        await link.until_closed()

    async with tracking(track, paths) as (_, tracker):
        for number in (1, 50, 99):
            assert tracker._of(AdbAddress(f"usb:1-{number}")) is Liveness.READY


async def test_a_list_from_a_server_that_is_gone_is_not_believed() -> None:
    async def track(link: FakeLink, text: str) -> None:
        server.generation += 1
        await link.okay(listed("device", 1))
        await link.until_closed()

    async with fake_server() as server, anyio.create_task_group() as tasks:
        server.on("host:track-devices-l", track)
        tracker = Tracker(server)
        tasks.start_soon(tracker.run)
        await anyio.sleep(0.2)
        assert tracker.ready_transport(HERE) is None
        assert not tracker.serving
        tasks.cancel_scope.cancel()


async def test_of_a_list_that_flaps_only_the_newest_is_looked_at() -> None:
    """All lists are there before the first is read: each that was read besides cost the rack."""
    told = anyio.Event()

    async def track(link: FakeLink, text: str) -> None:
        await link.okay("")
        await told.wait()
        lists = [listed("offline" if n % 2 else "device", n) for n in range(1, FLAPS + 1)]
        lists.append(listed("device", FLAPS + 1))
        await link.stream.send(b"".join(b"%04x" % len(one) + one.encode() for one in lists))
        await link.until_closed()

    paths = dict.fromkeys(range(1, FLAPS + 2), HERE)
    async with tracking(track, paths) as (server, tracker), tracker.liveness(HERE) as states:
        assert await anext(states) is Liveness.ABSENT
        told.set()
        with anyio.fail_after(20):
            async for _ in states:
                if transport_id(tracker) == FLAPS + 1:
                    break
        asked = [text for text in server.requests if text.endswith("get-devpath")]
        assert len(asked) < FLAPS / 10


class Pieces:
    """A stream of a server that sends these pieces and then nothing more."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    async def receive(self, max_bytes: int = 65536) -> bytes:
        if not self._pieces:
            await anyio.sleep_forever()
        assert len(self._pieces[0]) <= max_bytes
        return self._pieces.pop(0)


def block(size_bytes: int) -> bytes:
    return b"%04x" % size_bytes + b"x" * size_bytes


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        ([block(READ_BYTES // 2 - 4) * 2], {ord("x")}),
        ([block(9) + block(8)[:5]], {ord("x")}),
        ([block(9)[:2], block(9)[2:6], block(9)[6:]], {ord("x")}),
        ([block(9) + block(0)], set()),
        ([block(0)], set()),
    ],
    ids=["a full read", "the next has only begun", "in pieces", "the last has left", "nobody"],
)
async def test_the_newest_list_is_told_though_no_other_follows(
    pieces: list[bytes], told: set[int]
) -> None:
    newest = NewestList(SmartSocket(cast("LoopStream", Pieces(*pieces))))
    with anyio.fail_after(5):
        assert set(await newest.wait()) == told


HOSTILE = (
    "X\nB device usb:1-1 transport_id:9\nC",
    "X\nB device usb:1-1 transport_id:77\nC",
    "X\nB offline usb:1-1 transport_id:2\nC",
    "X\nB unauthorized usb:1-1 transport_id:2\nC device usb:1-1",
    "A device usb:1-1 model:",
    "no permissions usb:1-1 model:",
)


@pytest.mark.parametrize("serial", HOSTILE)
@pytest.mark.parametrize(
    ("liar", "neighbour"),
    [("device", "device"), ("unauthorized", "device"), ("device", "unauthorized")],
)
async def test_a_hostile_serial_takes_no_neighbours_address_nor_makes_it_ready(
    serial: str, liar: str, neighbour: str
) -> None:
    """Also of one that never speaks adb; a neighbour that waits for its tap isn't ready."""
    text = listed(liar, 9, LIAR, serial) + listed(neighbour, 2, serial="honest")
    states = {9: liar, 2: neighbour}
    shown = {"device": Liveness.READY, "unauthorized": Liveness.UNAUTHORIZED}
    async with tracking(telling(text), {2: HERE, 9: LIAR}, states) as (_, tracker):
        assert tracker._of(HERE) is shown[neighbour]
        assert tracker._of(LIAR) is shown[liar]
        assert transport_id(tracker) == (2 if neighbour == "device" else None)


async def test_a_handset_without_adb_gets_none_from_its_neighbours_serial() -> None:
    """After its last reset adb has to be gone, whatever a neighbour writes."""
    for serial in HOSTILE[:2]:
        text = listed("device", 9, LIAR, serial)
        async with tracking(telling(text), {9: LIAR}) as (_, tracker):
            assert tracker._of(HERE) is Liveness.ABSENT


async def test_a_path_is_asked_for_once() -> None:
    text = listed("device", 2) + listed("device", 9, LIAR)
    lists = ("", text, text, text + listed("offline", 12, OTHER))
    async with tracking(telling(*lists), {2: HERE, 9: LIAR}) as (server, tracker):
        async with tracker.liveness(OTHER) as states:
            with anyio.fail_after(5):
                while await anext(states) is not Liveness.OFFLINE:
                    pass
        asked = [text for text in server.requests if text.endswith("get-devpath")]
        assert sorted(asked) == [f"host-transport-id:{one}:get-devpath" for one in (2, 9)]


def device(*, serial: bytes, state: int, path: bytes, number: int) -> bytes:
    body = b"\x0a" + bytes([len(serial)]) + serial + b"\x10" + bytes([state])
    body += b"\x1a" + bytes([len(path)]) + path + b"\x38\x01\x40\xe0\x03P" + bytes([number])
    return b"\x0a" + bytes([len(body)]) + body


async def test_the_binary_list_needs_no_question() -> None:
    data = device(serial=HOSTILE[0].encode(), state=8, path=b"usb:1-9", number=9)
    data += device(serial=b"\xff", state=3, path=b"usb:1-1", number=2)
    service = "host:track-devices-proto-binary"

    async def track(link: FakeLink, text: str) -> None:
        await link.okay()
        await link.stream.send(f"{len(data):04x}".encode() + data)
        await link.until_closed()

    async with tracking(track, {}, service=service) as (server, tracker):
        assert tracker._of(LIAR) is Liveness.READY
        assert tracker._of(HERE) is Liveness.UNAUTHORIZED
        assert server.requests == [service]


async def test_the_later_of_two_transports_at_one_path_is_there() -> None:
    old = device(serial=b"a", state=6, path=b"usb:1-1", number=2)
    new = device(serial=b"a", state=8, path=b"usb:1-1", number=3)
    for data in (old + new, new + old):
        assert read_device_message(data)[HERE].transport_id == 3


@pytest.mark.parametrize("data", [b"\x0a\x7f", b"\x0a", b"\xff" * 11, b"\x0b", b"\x0a\x02\x10\xff"])
async def test_a_garbled_message_is_no_list(data: bytes) -> None:
    with pytest.raises(AdbServerLost):
        read_device_message(data)


async def test_what_was_told_of_a_transport_is_forgotten_with_it() -> None:
    """A handset that comes and goes gets a new id each time, for as long as the daemon lives."""
    async with fake_server() as server:
        server.paths = dict.fromkeys(range(1, 4), HERE)
        claims = Claims(server.place)
        for number in range(1, 4):
            await claims.resolve(read_device_list(listed("device", number)))
        assert list(claims._told) == [(3, "get-devpath")]
