"""The daemon of a crowd: all its parts are the shipped ones, but plug events and reader worker.

`python -m benchd.lab.benchmarks.crowd.crowd_daemon CONFIG PLUG_SOCKET FOLDER [--profile]
[--listen HOST:PORT]`. Beside it two tasks note how late the loop comes back to them, in FOLDER,
each second anew: a daemon that is killed has told as well. With `--profile` the profile is there at
the end. `--listen` is an address of a network that nobody else is in, instead of the
configuration's.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import struct
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

from benchd.config import load_settings
from benchd.daemon.composition import run_daemon
from benchd.daemon.exit_codes import exit_on_error
from benchd.domain.errors import BenchdError
from benchd.lab.benchmarks.crowd.crowd_folder import LAUNCHER
from benchd.lab.benchmarks.crowd.sampling import Sampler
from benchd.lab.simulator.plug_source import SimulatedHotplug
from benchd.observe.log_level_change import LogLevels
from benchd.observe.logs import configure_logs
from benchd.web.sockets import tcp_listener

LOOK_EVERY_S: Final = 0.01
SAMPLE_FROM_NOW: Final = signal.SIGUSR1
LOOKS_A_LINE: Final = 100
LAGS_FILE: Final = "lags.jsonl"
TIMER_LAGS_FILE: Final = "timer-lags.jsonl"
PROFILE_FILE: Final = "profile.json"
TICK: Final = struct.Struct("d")
TICKER: Final = """
import os, struct, sys, time
others = set(range(os.cpu_count())) - os.sched_getaffinity(0)
if others:
    os.sched_setaffinity(0, others)
while True:
    time.sleep(float(sys.argv[1]))
    os.write(1, struct.pack("d", time.monotonic()))
"""
"""Writes when it is, by the clock that both read, from beside the daemon's processor."""


class CrowdTickerBroken(BenchdError):
    """Raised when the process by which the loop's lag is measured can't be read."""


def main() -> None:
    """Run it until it is told to end."""
    config, plug_socket, folder = (Path(argument) for argument in sys.argv[1:4])
    settings = load_settings(config)
    python = sys.executable
    # What the daemon starts with this is found in the launcher: its readers' worker is the crowd's.
    sys.executable = str(config.parent / LAUNCHER)
    levels = LogLevels(time.monotonic)
    words = configure_logs(levels)
    elsewhere = _elsewhere(sys.argv[4:])
    sampler = Sampler() if "--profile" in sys.argv else None

    async def run() -> None:
        with ExitStack() as stack:
            listener = stack.enter_context(tcp_listener(*elsewhere)) if elsewhere else None
            await run_beside(listener)

    async def run_beside(listener: socket.socket | None) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_note_lag, python, folder / LAGS_FILE)
            tasks.start_soon(_note_timer_lag, folder / TIMER_LAGS_FILE)
            if sampler is not None:
                # Whoever measures says when: the start isn't part of any job.
                asyncio.get_running_loop().add_signal_handler(SAMPLE_FROM_NOW, sampler.start)
            await run_daemon(
                settings,
                SimulatedHotplug(plug_socket),
                usb=False,
                listener=listener,
                # What is shown here is no machine's clock.
                was_synchronised=lambda: True,
                reread=lambda: load_settings(config),
                words=words,
                levels=levels,
            )
            tasks.cancel_scope.cancel()

    try:
        with exit_on_error():
            anyio.run(run)
    finally:
        if sampler is not None:
            (folder / PROFILE_FILE).write_text(json.dumps(sampler.told()), encoding="utf-8")


def _elsewhere(arguments: Sequence[str]) -> tuple[str, int] | None:
    if "--listen" not in arguments:
        return None
    host, _, port = arguments[arguments.index("--listen") + 1].rpartition(":")
    return host, int(port)


async def _note_lag(python: str, file: Path) -> None:
    """For how many seconds another process' word has waited for the loop, each time."""
    command = [python, "-c", TICKER, str(LOOK_EVERY_S)]
    async with await anyio.open_process(command, stdin=None, stderr=None) as ticker:
        if ticker.stdout is None:
            raise CrowdTickerBroken("the process that ticks has no output")
        ticks = BufferedByteReceiveStream(ticker.stdout)

        async def waited_s() -> float:
            (written,) = TICK.unpack(await ticks.receive_exactly(TICK.size))
            return time.monotonic() - written

        await _note(waited_s, file)


async def _note_timer_lag(file: Path) -> None:
    """By how many seconds a sleep was too long, each time.

    Of a loop with little to do too: asyncio rounds a sleep up to the millisecond that epoll counts
    in, each time that something else wakes it.
    """

    async def overslept_s() -> float:
        due = time.monotonic() + LOOK_EVERY_S
        await anyio.sleep(LOOK_EVERY_S)
        return max(0.0, time.monotonic() - due)

    await _note(overslept_s, file)


async def _note(late_s: Callable[[], Awaitable[float]], file: Path) -> None:
    """Wall time and what was late by then, again and again."""
    with file.open("a", encoding="ascii") as out:
        while True:
            lags: list[tuple[float, float]] = []
            for _ in range(LOOKS_A_LINE):
                late = await late_s()
                lags.append((round(time.time(), 3), round(late, 6)))
            out.write(json.dumps(lags) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
