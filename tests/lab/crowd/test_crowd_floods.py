"""One handset of a crowd floods as it is told to, and its neighbours are certified beside it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import fields
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketStream

from benchd.devices.android.fill.fill_messages import event_name, read_line
from benchd.devices.android.shell.packets import Exit, Output, PacketReader, stdin_packets
from benchd.lab.benchmarks.crowd.crowd import Crowd
from benchd.lab.benchmarks.crowd.crowd_pace import CrowdPace
from benchd.lab.benchmarks.crowd.crowd_socket import HOST
from benchd.lab.benchmarks.crowd.flood_bench import Neighbours, compared, lines_of, neighbours_of
from benchd.lab.benchmarks.crowd.floods import ANSWER_BYTES, Flood
from benchd.lab.benchmarks.crowd.places import plan_of

pytestmark = pytest.mark.asyncio

QUICK = CrowdPace(fill_s=0.5, check_s=0.1, away_s=0.2)
FILL = "exec /data/local/tmp/benchd-fill fill"
SCRIPT = '(getprop)\nstatus=$?\necho\necho "0123456789abcdef 0 $status"'


@asynccontextmanager
async def flooding(kind: Flood) -> AsyncGenerator[Crowd]:
    crowd = Crowd(plan_of(1, QUICK).handsets, QUICK)
    await crowd.door.open()
    await crowd.plug([1], 0.0)
    crowd.flood(1, kind)
    try:
        yield crowd
    finally:
        await crowd.door.die()


@asynccontextmanager
async def asked(crowd: Crowd, *requests: str) -> AsyncGenerator[SocketStream]:
    async with await anyio.connect_tcp(HOST, crowd.door.port) as stream:
        for request in requests:
            await stream.send(b"%04x" % len(request) + request.encode())
            assert await stream.receive(4) == b"OKAY"
        yield stream


async def fill_output(kind: Flood, at_least: int) -> tuple[PacketReader, bytes]:
    """What a flooding fill program writes, up to so many bytes of it."""
    reader, taken, received = PacketReader(), bytearray(), 0
    async with (
        flooding(kind) as crowd,
        asked(crowd, "host:transport-id:1", f"shell,v2,raw:{FILL}") as stream,
    ):
        await stream.send(stdin_packets(b"{}\n"))
        while received < at_least:
            data = await stream.receive()
            received += len(data)
            for event in reader.feed(data):
                assert isinstance(event, Output)
                taken += event.data
    return reader, bytes(taken)


async def test_each_flood_of_the_fill_program_is_what_it_is_called() -> None:
    _, taken = await fill_output(Flood.LINES, 200_000)
    lines = taken.split(b"\n")[:-1]
    assert len(lines) > 2000
    assert {event_name(read_line(line)) for line in set(lines)} == {"progress"}, "its own lines"
    _, taken = await fill_output(Flood.ENDLESS, 500_000)
    assert set(taken) == {ord("x")}, "a line without end"
    reader, taken = await fill_output(Flood.PACKETS, 100_000)
    assert (taken, reader.packets >= 20_000) == (b"", True)


async def test_a_flood_of_answers_is_a_megabyte_more_than_was_asked_for() -> None:
    reader, size_bytes = PacketReader(), 0
    async with (
        flooding(Flood.ANSWERS) as crowd,
        asked(crowd, "host:transport-id:1", f"shell,v2,raw:{SCRIPT}") as stream,
    ):
        while True:
            events = reader.feed(await stream.receive())
            size_bytes += sum(len(one.data) for one in events if isinstance(one, Output))
            if Exit(0) in events:
                break
    assert size_bytes > ANSWER_BYTES


async def test_a_list_that_flaps_is_told_anew_again_and_again() -> None:
    async with (
        flooding(Flood.FLAPS) as crowd,
        asked(crowd, "host:track-devices-l") as stream,
    ):
        received = bytearray()
        while received.count(b"0000") < 10:
            received += await stream.receive()
    assert received.count(b" device product:") >= 10


def figures(times: float, floods: int) -> Neighbours:
    numbers = dict.fromkeys((each.name for each in fields(Neighbours)), 1.0)
    told = {**numbers, "job_p50": 3.0 * times, "lag_p50": 0.0, "floods": floods}
    return Neighbours(**told)  # type: ignore[arg-type]


async def test_what_is_told_are_medians_with_the_flood_by_those_without() -> None:
    quiet = [figures(1, 1), figures(1, 1), figures(100, 1)]
    told = compared(quiet, [figures(2, 3), figures(2, 4), figures(2, 5)])
    assert told["job_p50"] == {"without": 3.0, "with": 6.0, "ratio": 2.0}
    assert told["lag_p50"] == {"without": 0.0, "with": 0.0, "ratio": None}
    assert told["plugged"] == 12
    [line] = lines_of({"lines": dict(told)})
    assert "job_p50 2.0" in line.beside


@pytest.mark.nightly
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", Flood)
async def test_all_neighbours_of_a_flood_are_certified(kind: Flood) -> None:
    # `neighbours_of` raises for any of them that ends otherwise.
    with tempfile.TemporaryDirectory(prefix="bf-") as folder:
        told = await neighbours_of(plan_of(4, QUICK), Path(folder) / "r", kind)
    assert told.floods >= 1
