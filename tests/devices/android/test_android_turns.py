"""Turns and shares: a handset that hangs or floods gets its own, and its neighbours get theirs."""

from __future__ import annotations

import asyncio
import random
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import anyio
import pytest
from anyio.lowlevel import checkpoint

from benchd.devices.android.adb import AdbAddress
from benchd.devices.android.fill.bus_turns import LONGEST_TURN_S, BusTurns
from benchd.devices.android.server.adb_turns import FOR_THE_LONGEST_WAITING, Turns
from benchd.devices.android.server.loop_stream import LoopStream
from benchd.devices.android.server.smart_socket import SmartSocket
from benchd.devices.android.shell.commands import AdbCommandStream, complete
from benchd.devices.android.shell.flow import (
    BYTES_PER_PACKET,
    TOKENS_AT_ONCE,
    TOKENS_PER_READ,
    TOKENS_PER_S,
    Flow,
    Flows,
)
from benchd.domain.errors import AnswerNotRecognised, HandsetGone, HandsetStalled
from benchd.domain.token_bucket import TokenBucket

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def waits(turns: Turns, order: int, called: list[int]) -> None:
    async with turns.turn(order):
        called.append(order)


async def test_the_first_go_first_and_each_fourth_turn_is_of_who_has_waited_longest() -> None:
    turns, called = Turns(1), list[int]()
    async with anyio.create_task_group() as tasks, turns.turn(0):
        for order in (9, 8, 7, 6, 5, 4, 3, 2):
            tasks.start_soon(waits, turns, order, called)
            await checkpoint()
    assert called == [2, 3, 4, 9, 5, 6, 7, 8]


async def test_nobody_waits_for_ever_behind_those_who_come_again_and_again() -> None:
    turns, called = Turns(2), list[int]()

    async def comes_again(order: int) -> None:
        while True:
            async with turns.turn(order):
                await anyio.sleep(1)

    async with anyio.create_task_group() as tasks:
        for order in range(6):
            tasks.start_soon(comes_again, order)
        await anyio.sleep(0.5)
        with anyio.fail_after(6 * FOR_THE_LONGEST_WAITING):
            await waits(turns, 1000, called)
        tasks.cancel_scope.cancel()
    assert called == [1000]


async def test_who_needs_no_turn_of_others_waits_for_nobody() -> None:
    turns = Turns(2)
    began = anyio.current_time()
    async with turns.turn(2), turns.turn(1):
        assert anyio.current_time() == began


@pytest.mark.parametrize("seed", range(20))
async def test_whoever_leaves_takes_no_turn_along(seed: int) -> None:
    drawn, turns = random.Random(seed), Turns(3)
    at_work = most = 0

    async def works(order: int) -> None:
        nonlocal at_work, most
        with anyio.move_on_after(drawn.choice((0, 1, 2, 3, 100))):
            async with turns.turn(order):
                at_work += 1
                most = max(most, at_work)
                try:
                    await anyio.sleep(drawn.choice((0, 1, 2)))
                finally:
                    at_work -= 1

    async with anyio.create_task_group() as tasks:
        for _ in range(200):
            tasks.start_soon(works, drawn.randrange(50))
            await anyio.sleep(drawn.choice((0, 0, 0.5)))
    assert (at_work, most) == (0, 3)
    async with turns.turn(1), turns.turn(1), turns.turn(1):
        with anyio.move_on_after(1) as late:
            await waits(turns, 0, [])
        assert late.cancelled_caught


async def test_a_turn_that_came_in_the_moment_of_leaving_goes_to_the_next() -> None:
    turns, called = Turns(1), list[int]()
    # Nothing of it has run before the first turn is taken.
    leaves = asyncio.create_task(waits(turns, 1, called))
    async with anyio.create_task_group() as tasks:
        async with turns.turn(0):
            await checkpoint()
            tasks.start_soon(waits, turns, 2, called)
            await checkpoint()
        # Called just now, and gone before it has run.
        leaves.cancel()
    assert leaves.cancelled()
    assert called == [2]


async def test_one_bus_takes_so_many_at_once_and_each_in_its_order() -> None:
    turns = BusTurns(at_once=2)
    at_work: set[int] = set()
    most = 0
    order: list[int] = []

    async def piece(number: int) -> None:
        nonlocal most
        async with turns.of(AdbAddress(f"usb:1-1.{number}")):
            at_work.add(number)
            order.append(number)
            most = max(most, len(at_work))
            await anyio.sleep(LONGEST_TURN_S / 2)
            at_work.remove(number)

    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(piece, number)
    assert most == 2
    assert order == list(range(6))


async def test_another_bus_doesnt_wait_and_whoever_is_cancelled_gives_the_turn_back() -> None:
    turns = BusTurns(at_once=1)
    turn = turns.of(AdbAddress("usb:1-1"))
    with anyio.move_on_after(LONGEST_TURN_S / 4):
        async with turn:
            await anyio.sleep_forever()
    begun = anyio.current_time()
    async with turn, turns.of(AdbAddress("usb:2-1")):
        assert anyio.current_time() == begun


async def test_who_hangs_keeps_no_turn_and_gives_none_back_twice() -> None:
    turns = BusTurns(at_once=1)
    mine, other = turns.of(AdbAddress("usb:1-1")), turns.of(AdbAddress("usb:1-2"))
    begun = anyio.current_time()
    async with anyio.create_task_group() as group:

        async def hang() -> None:
            async with mine:
                await anyio.sleep(60)

        group.start_soon(hang)
        await anyio.wait_all_tasks_blocked()
        async with other:
            assert anyio.current_time() - begun == pytest.approx(LONGEST_TURN_S, abs=0.1)
    async with mine:
        with anyio.move_on_after(LONGEST_TURN_S / 2) as waited:
            async with other:
                pass
        assert waited.cancelled_caught


PACED_DD = Path(__file__).parent / "reads" / "paced_dd.txt"
READ_BYTES = 64 << 10
SECONDS = 10
EMPTY = struct.pack("<BI", 1, 0)
ONE_BYTE = struct.pack("<BI", 1, 1) + b"x"
ONE_BYTE_OF_EACH = ONE_BYTE + struct.pack("<BI", 2, 1) + b"x"
HALF_A_KIB = struct.pack("<BI", 1, 507) + b"x" * 507
PACKET_OF_A_PAGE = struct.pack("<BI", 1, 4096) + b"x" * 4096


class NeverHeldUp(AssertionError):
    """More was read of a flood than the loop can bear."""


@dataclass
class Flood:
    """A socket that always has something."""

    packet: bytes
    most_reads: int
    reads: int = 0
    read_bytes: int = READ_BYTES

    async def send(self, data: bytes) -> None:
        """Nothing is read of it."""

    async def receive(self, max_bytes: int = READ_BYTES) -> bytes:
        await anyio.lowlevel.checkpoint()
        self.reads += 1
        if self.reads > self.most_reads:
            raise NeverHeldUp
        return self.packet * (min(max_bytes, self.read_bytes) // len(self.packet))


async def gone() -> HandsetGone:
    return HandsetGone("gone")


def stream_of(flood: Flood, flow: Flow) -> AdbCommandStream:
    return AdbCommandStream(SmartSocket(cast("LoopStream", flood)), gone, flow)


@pytest.mark.parametrize(
    ("packet", "unpaid"),
    [
        (EMPTY, READ_BYTES // len(EMPTY) - 64),
        (ONE_BYTE, READ_BYTES // len(ONE_BYTE) - 64),
        (ONE_BYTE_OF_EACH, 2 * (READ_BYTES // len(ONE_BYTE_OF_EACH)) - 64),
        # Many bytes don't pay for many small packets.
        (HALF_A_KIB, READ_BYTES // len(HALF_A_KIB) - READ_BYTES // BYTES_PER_PACKET),
    ],
)
async def test_a_flood_of_small_packets_is_read_no_faster_than_its_share(
    packet: bytes, unpaid: int
) -> None:
    share = int((TOKENS_AT_ONCE + SECONDS * TOKENS_PER_S) / unpaid) + 1
    running = stream_of(Flood(packet, most_reads=share), Flow())
    with anyio.move_on_after(SECONDS):
        await complete(running, b"", 1 << 30)
    assert isinstance(await running.stalled("no answer"), AnswerNotRecognised)


# An old adbd's packets hold 4,091 bytes at the most, and dd writes 4,096 at a time.
CUT_IN_TWO = struct.pack("<BI", 1, 4091) + b"x" * 4091 + struct.pack("<BI", 1, 5) + b"x" * 5


@pytest.mark.parametrize(
    ("packets", "reads", "read_bytes"),
    [
        (CUT_IN_TWO, 30_000, len(CUT_IN_TWO)),
        (PACKET_OF_A_PAGE, 2_000, READ_BYTES),
        (PACKET_OF_A_PAGE, 100_000, len(PACKET_OF_A_PAGE)),
    ],
    ids=["blocks that an old adbd cuts in two", "bulk data", "a page in each read, as a small dd"],
)
async def test_what_a_handset_sends_of_its_blocks_is_not_held_up(
    packets: bytes, reads: int, read_bytes: int
) -> None:
    running = stream_of(Flood(packets, most_reads=reads, read_bytes=read_bytes), Flow())
    began = anyio.current_time()
    for _ in range(reads):
        await running.receive()
    assert anyio.current_time() == began
    assert isinstance(await running.stalled("no answer"), HandsetStalled)


async def test_what_a_real_adbd_passes_on_of_a_paced_dd_is_not_held_up() -> None:
    recorded = PACED_DD.read_text("ascii").partition("\n---\n")[2]
    reads = [
        (int(packets), int(size_bytes))
        for packets, size_bytes in map(str.split, recorded.splitlines())
    ]
    assert len(reads) == 2000
    flow = Flow()
    for _ in range(20):
        for packets, size_bytes in reads:
            assert not await flow.pay(packets=packets, size_bytes=size_bytes)
            await anyio.sleep(size_bytes / 40e6)


async def test_a_large_read_pays_for_the_next_one_and_for_no_other() -> None:
    flow = Flow()
    # The two that are left unpaid cost twice what there is at once.
    held_up = [
        await flow.pay(packets=0, size_bytes=size_bytes)
        for _ in range(int(TOKENS_AT_ONCE / TOKENS_PER_READ))
        for size_bytes in (READ_BYTES, 1, 1, 1)
    ]
    assert any(held_up)


async def test_two_commands_of_one_handset_have_one_share() -> None:
    flows = Flows()
    floods = [Flood(EMPTY, most_reads=5) for _ in range(2)]
    with anyio.move_on_after(SECONDS):
        async with anyio.create_task_group() as tasks:
            for flood in floods:
                flow = flows.of(AdbAddress("usb:1-1"))
                tasks.start_soon(complete, stream_of(flood, flow), b"", 1 << 30)
    assert sum(flood.reads for flood in floods) <= 5


async def test_a_neighbours_packets_wait_for_no_flood() -> None:
    flows = Flows()
    flood = stream_of(Flood(EMPTY, most_reads=100), flows.of(AdbAddress("usb:1-1")))
    packet = struct.pack("<BI", 1, 1019) + b"x" * 1019
    running = stream_of(Flood(packet, most_reads=10_000), flows.of(AdbAddress("usb:1-2")))
    began = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(complete, flood, b"", 1 << 30)
        for _ in range(1000):
            await running.receive()
        tasks.cancel_scope.cancel()
    assert anyio.current_time() == began
    assert isinstance(await running.stalled("no answer"), HandsetStalled)


async def test_a_bucket_gives_at_once_what_it_holds_and_then_by_the_second() -> None:
    bucket = TokenBucket(per_s=2, at_once=10)
    began = anyio.current_time()
    assert not await bucket.take(10)
    assert await bucket.take(6)
    assert anyio.current_time() - began == pytest.approx(3)
    await anyio.sleep(100)
    assert not await bucket.take(10)
