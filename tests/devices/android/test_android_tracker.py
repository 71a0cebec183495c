"""Liveness of each slot, from one list."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

import anyio
import pytest
from handset_fakes import FakeLink, FakeServer, fake_server, until
from structlog.testing import capture_logs

from benchd.devices.android.adb import AdbAddress
from benchd.devices.android.server.device_list import ListedTransport
from benchd.devices.android.server.device_list_stream import READ_BYTES, NewestList
from benchd.devices.android.server.loop_stream import LoopStream
from benchd.devices.android.server.smart_socket import SmartSocket
from benchd.devices.android.server.tracker import KEPT_CHANGES, LivenessStream, Tracker
from benchd.domain.port import Liveness

pytestmark = pytest.mark.asyncio

HERE = AdbAddress("usb:1-1")
FLAPS = 2000


def listed(state: str, number: int, address: str = HERE) -> str:
    return f"serial                 {state} {address} transport_id:{number}\n"


@asynccontextmanager
async def tracking(*lists: str) -> AsyncGenerator[tuple[FakeServer, Tracker], None]:
    """A tracker whose server has told these lists and then waits."""

    async def track(link: FakeLink, text: str) -> None:
        await link.okay()
        for entry in lists:
            await link.block(entry)
        await link.until_closed()

    async with fake_server() as server, anyio.create_task_group() as tasks:
        server.paths = {1: HERE}
        server.on("host:track-devices-l", track)
        tracker = Tracker(server)
        await tasks.start(tracker.run)
        yield server, tracker
        tasks.cancel_scope.cancel()


async def seen_until(
    tracker: Tracker, last: Liveness, address: AdbAddress = HERE
) -> list[Liveness]:
    found: list[Liveness] = []
    with anyio.fail_after(5):
        async with tracker.liveness(address) as states:
            async for liveness in states:
                found.append(liveness)
                if liveness is last:
                    break
    return found


async def test_the_present_state_comes_first() -> None:
    async with tracking(listed("device", 1)) as (_, tracker):
        assert await seen_until(tracker, Liveness.READY) == [Liveness.READY]
        assert await seen_until(tracker, Liveness.ABSENT, AdbAddress("usb:7-7")) == [
            Liveness.ABSENT
        ]
        transport = tracker.ready_transport(HERE)
        assert transport is not None
        assert (transport.transport_id, transport.generation) == (1, 1)
        assert tracker.ready_transport(AdbAddress("usb:7-7")) is None


async def test_a_new_transport_was_away_in_between() -> None:
    states = LivenessStream(Liveness.READY)
    server = FakeServer()
    tracker = Tracker(server)
    tracker._streams[HERE] = [states]
    for number in (1, 2):
        ready = ListedTransport(address=HERE, liveness=Liveness.READY, transport_id=number)
        tracker._take({HERE: ready}, 1)
    assert list(states._waiting) == [Liveness.READY, Liveness.ABSENT, Liveness.READY]


async def test_the_same_said_again_is_no_change() -> None:
    states = LivenessStream(Liveness.READY)
    tracker = Tracker(FakeServer())
    tracker._streams[HERE] = [states]
    ready = ListedTransport(address=HERE, liveness=Liveness.READY, transport_id=1)
    for _ in range(3):
        tracker._take({HERE: ready}, 1)
    assert list(states._waiting) == [Liveness.READY]


async def test_a_reader_that_sleeps_misses_the_oldest_only() -> None:
    states = LivenessStream(Liveness.READY)
    for _ in range(KEPT_CHANGES):
        states.put(Liveness.OFFLINE)
        states.put(Liveness.UNAUTHORIZED)
    assert len(states._waiting) == KEPT_CHANGES
    assert states._waiting[-1] is Liveness.UNAUTHORIZED


async def test_the_servers_death_is_told_to_everybody_once_and_the_list_comes_back() -> None:
    async with fake_server() as server, anyio.create_task_group() as tasks:
        ending = anyio.Event()

        async def track(link: FakeLink, text: str) -> None:
            await link.okay(listed("device", 1) + listed("device", 2, "usb:2-2"))
            if not ending.is_set():
                await ending.wait()
                server.alive = False
                await link.stream.aclose()
            await link.until_closed()

        server.paths = {1: HERE, 2: "usb:2-2"}
        server.on("host:track-devices-l", track)
        tracker = Tracker(server)
        await tasks.start(tracker.run)
        with capture_logs() as logs, anyio.fail_after(5):
            async with (
                tracker.liveness(HERE) as first,
                tracker.liveness(AdbAddress("usb:2-2")) as second,
            ):
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
        tasks.cancel_scope.cancel()


async def test_the_list_is_asked_for_anew_after_a_silence_that_the_server_survived() -> None:
    """Given up for its silence, it may still live, and its old connection with it."""
    async with tracking(listed("device", 1)) as (server, tracker):
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
    text = "".join(listed("device", number, f"usb:1-{number}") for number in range(1, 100))
    assert len(text) > 4096

    async def track(link: FakeLink, request: str) -> None:
        data = b"OKAY" + f"{len(text):04x}".encode() + text.encode()
        for start in range(0, len(data), 97):
            await link.stream.send(data[start : start + 97])
        await link.until_closed()

    async with fake_server() as server, anyio.create_task_group() as tasks:
        server.paths = {number: f"usb:1-{number}" for number in range(1, 100)}
        server.on("host:track-devices-l", track)
        tracker = Tracker(server)
        await tasks.start(tracker.run)
        for number in (1, 50, 99):
            assert tracker._of(AdbAddress(f"usb:1-{number}")) is Liveness.READY
        tasks.cancel_scope.cancel()


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

    async with fake_server() as server, anyio.create_task_group() as tasks:
        server.paths = dict.fromkeys(range(1, FLAPS + 2), HERE)
        server.on("host:track-devices-l", track)
        tracker = Tracker(server)
        await tasks.start(tracker.run)
        async with tracker.liveness(HERE) as states:
            assert await anext(states) is Liveness.ABSENT
            told.set()
            with anyio.fail_after(20):
                async for _ in states:
                    transport = tracker.ready_transport(HERE)
                    if transport is not None and transport.transport_id == FLAPS + 1:
                        break
        asked = [text for text in server.requests if text.endswith("get-devpath")]
        assert len(asked) < FLAPS / 10
        tasks.cancel_scope.cancel()


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
    "pieces",
    [
        pytest.param([block(READ_BYTES // 2 - 4) * 2], id="a full read that ends with a list"),
        pytest.param([block(9) + block(8)[:5]], id="the next has only begun"),
        pytest.param([block(9)[:2], block(9)[2:6], block(9)[6:]], id="in pieces"),
    ],
)
async def test_the_newest_list_is_told_though_no_other_follows(pieces: list[bytes]) -> None:
    newest = NewestList(SmartSocket(cast("LoopStream", Pieces(*pieces))))
    with anyio.fail_after(5):
        assert set(await newest.wait()) == {ord("x")}


async def test_that_the_last_handset_has_left_is_told() -> None:
    newest = NewestList(SmartSocket(cast("LoopStream", Pieces(block(9) + block(0)))))
    with anyio.fail_after(5):
        assert await newest.wait() == b""
    newest = NewestList(SmartSocket(cast("LoopStream", Pieces(block(0)))))
    with anyio.fail_after(5):
        assert await newest.wait() == b""
