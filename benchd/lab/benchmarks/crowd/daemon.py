"""The daemon of a crowd: all its parts are the shipped ones, but plug events and reader worker.

`python -m benchd.lab.benchmarks.crowd.daemon CONFIG PLUG_SOCKET FIGURES [--profile]`. Beside it
a task notes how late the loop comes back to it; at the end FIGURES has what was noted.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Final

import anyio

from benchd.config import load_settings
from benchd.daemon.app import run_daemon
from benchd.daemon.exit_codes import exit_on_error
from benchd.lab.benchmarks.crowd.folder import LAUNCHER
from benchd.lab.benchmarks.crowd.sampling import Sampler
from benchd.lab.simulator.plug_source import SimulatedHotplug
from benchd.observe.log_level import LogLevels
from benchd.observe.logs import configure_logs

LOOK_EVERY_S: Final = 0.01


def main() -> None:
    """Run it until it is told to end."""
    config, plug_socket, figures = (Path(argument) for argument in sys.argv[1:4])
    settings = load_settings(config)
    # What the daemon starts with this is found in the launcher: its readers' worker is the crowd's.
    sys.executable = str(config.parent / LAUNCHER)
    levels = LogLevels(time.monotonic)
    words = configure_logs(levels)
    sampler = Sampler() if "--profile" in sys.argv else None
    lags: list[tuple[float, float]] = []

    async def run() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_note_lag, lags)
            if sampler is not None:
                sampler.start()
            await run_daemon(
                settings,
                SimulatedHotplug(plug_socket),
                usb=False,
                reread=lambda: load_settings(config),
                words=words,
                levels=levels,
            )
            tasks.cancel_scope.cancel()

    try:
        with exit_on_error():
            anyio.run(run)
    finally:
        told = {"lags": lags, "profile": sampler.told() if sampler else None, "pid": os.getpid()}
        figures.write_text(json.dumps(told), encoding="utf-8")


async def _note_lag(lags: list[tuple[float, float]]) -> None:
    """Wall time and how many seconds too late it was woken, again and again."""
    while True:
        due = time.monotonic() + LOOK_EVERY_S
        await anyio.sleep(LOOK_EVERY_S)
        lags.append((round(time.time(), 3), round(max(0.0, time.monotonic() - due), 6)))


if __name__ == "__main__":
    main()
