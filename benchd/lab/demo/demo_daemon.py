"""The daemon as the demo runs it: all parts but the plug events are the shipped ones."""

from __future__ import annotations

import socket
import time
from argparse import ArgumentParser
from pathlib import Path

import anyio

from benchd.config import load_settings
from benchd.daemon.composition import run_daemon
from benchd.daemon.exit_codes import exit_on_error
from benchd.lab.demo.plug_panel import plug_panel
from benchd.lab.simulator.addresses import slot_number
from benchd.lab.simulator.plug_source import SimulatedHotplug
from benchd.observe.log_level_change import LogLevels
from benchd.observe.logs import configure_logs


def main() -> None:
    """`python -m benchd.lab.demo.demo_daemon CONFIG PLUG_SOCKET [options]`, inside the rack."""
    parser = ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("plug_socket", type=Path)
    parser.add_argument(
        "--listener", type=int, help="a listening socket from outside of the rack's own network"
    )
    parser.add_argument("--hands", type=Path, help="the control socket, for a panel on the wall")
    told = parser.parse_args()
    config: Path = told.config
    listener = None if told.listener is None else socket.socket(fileno=told.listener)
    settings = load_settings(config)
    slots = {n: slot_number(place.port_path) for n, place in settings.topology.places.items()}
    addition = None if told.hands is None else plug_panel(told.hands, slots)
    levels = LogLevels(time.monotonic)
    words = configure_logs(levels)

    async def run() -> None:
        await run_daemon(
            settings,
            SimulatedHotplug(told.plug_socket),
            usb=False,
            # What is shown here is no machine's clock.
            was_synchronised=lambda: True,
            listener=listener,
            reread=lambda: load_settings(config),
            words=words,
            levels=levels,
            addition=addition,
        )

    with exit_on_error():
        anyio.run(run)


if __name__ == "__main__":
    main()
