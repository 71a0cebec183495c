"""The guest's rack: keeps handsets alive and lets hands reach them by one socket."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import anyio
import structlog

from benchd.lab.simulator.system_image import SystemImage

from .command import SOCKET
from .control import RackControl
from .handset import Shared
from .notify import notify_ready
from .plan import SLOTS
from .readers import shelf_of_readers
from .tools import call

_log = structlog.get_logger()

RUN: Final = Path(SOCKET).parent
LOG: Final = Path("/results/handsets.txt")
CHIPS_BYTES: Final = 3 << 30
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
    shelf = shelf_of_readers(RUN)
    async with anyio.create_task_group() as alive:
        await shelf.start(alive)
        shared = Shared(image=image, chips=chips, states=states, shelf=shelf, log=LOG)
        control = RackControl(shared, alive)
        alive.start_soon(control.keep_cables_in)
        notify_ready()
        _log.info("rack_up", slots=SLOTS)
        await listener.serve(control.serve)


if __name__ == "__main__":
    anyio.run(main)
