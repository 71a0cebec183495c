"""The rack's own process, the first one in its namespaces: builds every handset and keeps them.

It ends when its stdin does, which is when the house that started it has gone, and takes
everything in its namespaces along.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import secrets
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import anyio
import structlog
from anyio.abc import TaskGroup

from benchd.lab.simulator.addresses import ADB_SOCKET, CONTROL_SOCKET, PLAN_FILE, PLUG_SOCKET
from benchd.lab.simulator.cable import Cable
from benchd.lab.simulator.chips.chip import VirtualChip
from benchd.lab.simulator.chips.pcscd import Pcscd
from benchd.lab.simulator.chips.reader_addresses import slots_of_pcscds
from benchd.lab.simulator.chips.shelf import ReaderShelf
from benchd.lab.simulator.control import ControlService
from benchd.lab.simulator.lines.child import RackBroken
from benchd.lab.simulator.plan import PLAN_JSON, RackPlan
from benchd.lab.simulator.plug_board import PlugBoard
from benchd.lab.simulator.system_image import SystemImage
from benchd.lab.simulator.virtual_handset import SharedParts, VirtualHandset

_log = structlog.get_logger()

BUILD_AT_ONCE: Final = 4
BROKEN_STATUS: Final = 3

_INTERFACE_REQUEST: Final = "16sh14x"  # struct ifreq with its flags; linux/if.h
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1


def main() -> int:
    """Run the rack in a directory that holds its plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, required=True)
    directory: Path = parser.parse_args().directory
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    bring_up_loopback()
    plan = PLAN_JSON.validate_json((directory / PLAN_FILE).read_bytes())
    status = BROKEN_STATUS
    try:
        status = anyio.run(run_virtual_rack, directory, plan)
    except* RackBroken as causes:
        for cause in _leaves(causes):
            sys.stderr.write(f"broken: {cause}\n")
    return status


def _leaves(group: BaseExceptionGroup[RackBroken]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def run_virtual_rack(directory: Path, plan: RackPlan) -> int:
    """Build the rack, say that it is ready, serve until the house ends it."""
    image = SystemImage(directory)
    image.make()
    board = PlugBoard(secrets.token_hex(4))
    cable = Cable(directory / ADB_SOCKET)
    log = directory / "rack.log"
    pcscds = {
        number: Pcscd(number=number, directory=directory, slots=slots, log=log)
        for number, slots in slots_of_pcscds(plan.readers).items()
    }
    shelf = ReaderShelf(range(1, plan.readers + 1), pcscds)
    for each in plan.handsets:
        shelf.add(each.name, VirtualChip(each.chip_as_read, each.imei))
    for card in plan.cards:
        shelf.add_card(card)
    rack = SharedParts(image=image, board=board, cable=cable, shelf=shelf, log=log)
    handsets = {
        each.name: VirtualHandset(
            plan=each, directory=directory / "handsets" / str(number), rack=rack
        )
        for number, each in enumerate(plan.handsets, start=1)
    }
    async with anyio.create_task_group() as tasks:
        end = tasks.cancel_scope.cancel
        tasks.start_soon(_until_house_ends, end)
        tasks.start_soon(_until_told, end)
        tasks.start_soon(cable.run)
        await shelf.start(tasks)
        plug = await anyio.create_unix_listener(directory / PLUG_SOCKET)
        control = await anyio.create_unix_listener(directory / CONTROL_SOCKET)
        limit = anyio.Semaphore(BUILD_AT_ONCE)
        async with anyio.create_task_group() as building:
            for handset in handsets.values():
                building.start_soon(_build, tasks, handset, limit)
        tasks.start_soon(plug.serve, board.serve)
        tasks.start_soon(control.serve, ControlService(handsets, shelf, end).serve)
        _say_ready()
    broken = [handset.broken for handset in handsets.values() if handset.broken is not None]
    for cause in broken:
        sys.stderr.write(f"broken: {cause}\n")
    return BROKEN_STATUS if broken else 0


def bring_up_loopback() -> None:
    """What `ip link set lo up` does: a new network namespace has it down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack(_INTERFACE_REQUEST, b"lo", 0)
        found = fcntl.ioctl(any_socket, _GET_FLAGS, request)
        _, flags = struct.unpack(_INTERFACE_REQUEST, found)
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack(_INTERFACE_REQUEST, b"lo", flags | _UP))


def _say_ready() -> None:
    # /proc is the machine's, so this is the number by which others can enter.
    number = int(str(Path("/proc/self").readlink()))
    sys.stdout.write(json.dumps({"event": "ready", "pid": number}) + "\n")
    sys.stdout.flush()


async def _build(tasks: TaskGroup, handset: VirtualHandset, limit: anyio.Semaphore) -> None:
    async with limit:
        await tasks.start(handset.run)


async def _until_house_ends(end: Callable[[], None]) -> None:
    while True:
        await anyio.wait_readable(sys.stdin)
        if not os.read(sys.stdin.fileno(), 4096):
            end()
            return


async def _until_told(end: Callable[[], None]) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            _log.info("rack_ends", signal=number.name)
            end()
            return


if __name__ == "__main__":
    sys.exit(main())
