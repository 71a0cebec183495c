"""The guest's rack: keeps handsets alive and lets hands reach them by one socket."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Final

import anyio
import structlog

from benchd.lab.simulator.chips.pcscd import reader_entries
from benchd.lab.simulator.chips.shelf import ReaderShelf
from benchd.lab.simulator.system_image import SystemImage

from .command import SOCKET
from .control import RackControl
from .handset import Shared
from .plan import READER_SLOTS, SLOTS
from .tools import call

_log = structlog.get_logger()

RUN: Final = Path(SOCKET).parent
LOG: Final = Path("/results/handsets.txt")
CHIPS_BYTES: Final = 3 << 30
READERS: Final = Path("/etc/reader.conf.d/rack-vm")
"""Where pcscd, which systemd starts when somebody wants a reader, is told of those of the rack."""
SESSION_NICENESS: Final = Path("/proc/self/autogroup")
HANDS_FIRST: Final = "-15"
"""Hands aren't slowed by what handsets compute: those are sessions of their own, at 0."""


async def main() -> None:
    """Serve until the machine ends."""
    SESSION_NICENESS.write_text(HANDS_FIRST)
    chips, states = RUN / "chips", RUN / "states"
    RUN.mkdir()
    # One of its own: /run is mounted noexec, and a handset's programs lie here.
    await call("mount", "-t", "tmpfs", "-o", f"size={CHIPS_BYTES},mode=0755", "rack-vm", str(RUN))
    for folder in (chips, states):
        folder.mkdir()
    image = SystemImage(RUN)
    image.make()
    # For everybody: the tool that clears chips is run by benchd, as benchd's user.
    listener = await anyio.create_unix_listener(SOCKET, mode=0o666)
    drivers = RUN / "drivers"
    drivers.mkdir()
    READERS.write_text(reader_entries(READER_SLOTS, drivers, seen_at=drivers))
    shelf = ReaderShelf(READER_SLOTS)
    async with anyio.create_task_group() as alive:
        await shelf.start(alive)
        shared = Shared(image=image, chips=chips, states=states, shelf=shelf, log=LOG)
        control = RackControl(shared, alive)
        alive.start_soon(control.keep_cables_in)
        notify_ready()
        _log.info("rack_up", slots=SLOTS)
        await listener.serve(control.serve)


def notify_ready() -> None:
    """READY=1 to whoever started this, if anybody wants to know (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service_manager:
            service_manager.sendto(b"READY=1", address.replace("@", "\0", 1))


if __name__ == "__main__":
    anyio.run(main)
