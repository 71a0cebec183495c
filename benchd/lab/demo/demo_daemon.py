"""The daemon as the demo runs it: all parts but the plug events are the shipped ones."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

import anyio

from benchd.config import load_settings
from benchd.daemon.composition import run_daemon
from benchd.daemon.exit_codes import exit_on_error
from benchd.lab.simulator.plug_source import SimulatedHotplug
from benchd.observe.log_level_change import LogLevels
from benchd.observe.logs import configure_logs


def main() -> None:
    """`python -m benchd.lab.demo.demo_daemon CONFIG PLUG_SOCKET [DESCRIPTOR]`, inside the rack.

    The descriptor is a listening socket from outside of the rack's network namespace.
    """
    config, plug_socket = (Path(argument) for argument in sys.argv[1:3])
    listener = socket.socket(fileno=int(sys.argv[3])) if sys.argv[3:] else None
    settings = load_settings(config)
    levels = LogLevels(time.monotonic)
    words = configure_logs(levels)

    async def run() -> None:
        await run_daemon(
            settings,
            SimulatedHotplug(plug_socket),
            usb=False,
            # What is shown here is no machine's clock.
            was_synchronised=lambda: True,
            listener=listener,
            reread=lambda: load_settings(config),
            words=words,
            levels=levels,
        )

    with exit_on_error():
        anyio.run(run)


if __name__ == "__main__":
    main()
