"""The machine of a storm itself: threads and sockets in virtual time, and what is drawn."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import cast

import anyio
import pytest

from benchd.lab.storm.client import Browser
from benchd.lab.storm.ends import BUFFER_BYTES, HIGH_BYTES
from benchd.lab.storm.loop import StormLoop
from benchd.lab.storm.sockets import VirtualListener
from benchd.lab.storm.storm_schedule import Kind, Storm, draw
from benchd.lab.storm.storm_search import shrunk
from benchd.lab.storm.threads import WouldHoldTheLoopError

CLIENT = ("10.0.0.7", 4000)


def in_storm(work: Callable[[StormLoop], Awaitable[None]]) -> None:
    async def run() -> None:
        await work(cast("StormLoop", asyncio.get_running_loop()))

    anyio.run(run, backend_options={"loop_factory": StormLoop})


class Echo(asyncio.Protocol):
    """Answers each piece with as many bytes as it's told to."""

    def __init__(self, answer_bytes: int) -> None:
        self.answer_bytes = answer_bytes
        self.paused = 0
        self.lost = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(b"x" * self.answer_bytes)

    def pause_writing(self) -> None:
        self.paused += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost += 1


def test_threads_sleep_in_virtual_time_and_in_order() -> None:
    woken: list[tuple[str, float]] = []

    async def work(loop: StormLoop) -> None:
        for name, seconds in (("late", 900.0), ("soon", 2.0)):

            def sleeper(name: str = name, seconds: float = seconds) -> None:
                loop.threads.sleep(seconds)
                woken.append((name, round(loop.time())))

            loop.threads.start(sleeper, name)
        await anyio.sleep(1000)
        assert not loop.threads.alive

    in_storm(work)
    assert woken == [("soon", 2), ("late", 900)]


def test_a_lock_that_is_held_is_given_up_in_time_by_a_thread_and_never_waited_for_by_the_loop() -> (
    None
):
    told: list[bool] = []

    async def work(loop: StormLoop) -> None:
        lock = loop.threads.lock_class()()
        assert lock.acquire()
        loop.threads.start(lambda: told.append(lock.acquire(timeout=5)), "waits")
        await anyio.sleep(10)
        with pytest.raises(WouldHoldTheLoopError):
            lock.acquire()

    in_storm(work)
    assert told == [False]


async def echo_behind(loop: StormLoop, answer_bytes: int) -> tuple[VirtualListener, list[Echo]]:
    listener, made = VirtualListener(socket.AF_INET, ("127.0.0.1", 1)), list[Echo]()

    def make() -> Echo:
        made.append(Echo(answer_bytes))
        return made[-1]

    await loop.create_server(make, sock=listener, backlog=4)
    return listener, made


def test_who_reads_slowly_makes_the_daemon_wait_with_what_it_sends() -> None:
    async def work(loop: StormLoop) -> None:
        size = BUFFER_BYTES + 2 * HIGH_BYTES
        listener, made = await echo_behind(loop, size)
        end = listener.connect(CLIENT)
        await end.send(b"?")
        await anyio.sleep(1)
        assert made[0].paused == 1
        got = 0
        while got < size:
            got += len(await end.receive(1000))
        end.close()
        await anyio.sleep(1)
        assert made[0].lost == 1
        assert loop.open_connections == 0

    in_storm(work)


def test_without_a_descriptor_nobody_is_let_in_until_there_is_one() -> None:
    async def work(loop: StormLoop) -> None:
        listener, made = await echo_behind(loop, 1)
        loop.descriptors = 0
        end = listener.connect(CLIENT)
        await end.send(b"?")
        await anyio.sleep(5)
        assert not made
        loop.descriptors = 1
        assert await end.receive() == b"x"

    in_storm(work)


def test_a_signal_that_nobody_hears_kills() -> None:
    async def work(loop: StormLoop) -> None:
        heard: list[signal.Signals] = []

        def hear(number: signal.Signals) -> bool:
            heard.append(number)
            return True

        with loop.hear(hear):
            loop.deliver(signal.SIGTERM)
            await anyio.sleep(1)
        assert heard == [signal.SIGTERM]
        assert loop.killed_by is None
        loop.deliver(signal.SIGTERM)
        assert loop.killed_by is signal.SIGTERM

    in_storm(work)


def test_a_browser_refuses_a_connection_that_nobody_serves() -> None:
    async def work(_loop: StormLoop) -> None:
        browser = Browser(VirtualListener(socket.AF_INET, ("127.0.0.1", 1)), CLIENT)
        with pytest.raises(ConnectionRefusedError):
            await browser.get("/")

    in_storm(work)


def test_a_seed_draws_the_same_storm_and_all_kinds_are_drawn() -> None:
    assert draw(7) == draw(7)
    drawn = {strike.kind for seed in range(300) for strike in draw(seed).strikes}
    assert drawn == set(Kind)


def test_a_storm_is_made_short_to_what_fails() -> None:
    long = next(s for s in map(draw, range(300)) if s.has(Kind.LOCK) and len(s.strikes) > 3)

    def fails(storm: Storm) -> bool:
        return storm.has(Kind.LOCK)

    short = shrunk(long, fails)
    assert [strike.kind for strike in short.strikes] == [Kind.LOCK]
    assert len(short.bays) == 1
    assert not short.unanswered
