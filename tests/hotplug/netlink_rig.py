"""Runs one scenario of `test_real_netlink.py` in namespaces of its own and prints it as JSON.

sysfs and the udev database are umockdev's, but the monitor's socket is the kernel's own
netlink socket, so that its queue, filter and overflow are the real ones.
"""

from __future__ import annotations

import json
import os
import random
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import anyio
import pyudev
import structlog

from benchd.domain.port import Attached, Detached, PlugEvent
from benchd.hotplug import UdevHotplug

from .usb_testbed import UsbTestbed, id_path

UDEV_GROUP = 2
NETLINK_KOBJECT_UEVENT = 15
PORTS = [f"1-1.{number}" for number in range(1, 17)]


class NetlinkRack:
    """A testbed whose uevents go out on the kernel's netlink, as udevd sends them."""

    def __init__(self) -> None:
        # umockdev leaves a socket alone that is made while UMOCKDEV_DIR is unset.
        self._sender = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_KOBJECT_UEVENT)
        self._sender.bind((0, 0))
        self.testbed = UsbTestbed()
        # umockdev sends to every socket of such a name.
        self._captured = socket.socket(socket.AF_UNIX, socket.SOCK_RAW)
        self._captured.bind(str(self.testbed.root / "event9999"))
        self.there: set[str] = set()

    def true_state(self) -> set[str]:
        return {id_path(port) for port in self.there}

    def plug(self, port: str, *, send: bool = True) -> None:
        self.there.add(port)
        self.testbed.plug(port, interfaces=("ff4201",))
        self._forward(send=send)

    def unplug(self, port: str, *, send: bool = True) -> None:
        self.there.remove(port)
        self.testbed.unplug(port)
        self._forward(send=send)

    def _forward(self, *, send: bool) -> None:
        message = self._captured.recv(65536)
        if send:
            self._sender.sendto(message, (0, UDEV_GROUP))


def word(event: PlugEvent) -> str:
    """`+7`: something came to port 7; `-7`: it left."""
    return ("+" if isinstance(event, Attached) else "-") + word_of_port(event.port_path)


def word_of_port(port_path: str) -> str:
    return port_path.rpartition(".")[2]


async def until_true(rack: NetlinkRack, events: AsyncIterator[PlugEvent]) -> list[PlugEvent]:
    """Read until what was told is what is there."""
    told: list[PlugEvent] = []
    attached: set[str] = set()
    while not told or attached != rack.true_state():
        event = await anext(events)
        told.append(event)
        match event:
            case Attached():
                attached.add(event.port_path)
            case Detached():
                attached.discard(event.port_path)
    return told


async def burst(rack: NetlinkRack) -> list[str]:
    """200 events before the first one is read."""
    async with UdevHotplug().events() as events:
        for round_ in range(100):
            port = PORTS[round_ % len(PORTS)]
            rack.plug(port)
            rack.unplug(port)
        rack.plug("1-1.17")
        return [word(event) for event in await until_true(rack, events)]


async def overflow(rack: NetlinkRack) -> list[str]:
    """A queue of a few events: the first are kept, the rest is lost and made good."""
    rack.plug(PORTS[0], send=False)
    rack.plug(PORTS[1], send=False)
    async with UdevHotplug(receive_buffer_bytes=4096).events() as events:
        first = [await anext(events), await anext(events)]
        rack.plug("1-1.17")
        rack.unplug("1-1.17")
        rack.unplug(PORTS[0])
        for port in PORTS[2:]:
            rack.plug(port)
        rack.unplug(PORTS[1])
        rack.plug(PORTS[1])
        rack.unplug(PORTS[15])
        told = first + await until_true(rack, events)
        rack.unplug(PORTS[5])  # the new monitor hears
        told.append(await anext(events))
        return [word(event) for event in told]


async def storm(rack: NetlinkRack) -> list[str]:
    """Plugging faster than the tiny queue holds, over and over, while somebody reads."""
    chance = random.Random(41)
    told: list[PlugEvent] = []

    async with UdevHotplug(receive_buffer_bytes=1).events() as events:

        async def read() -> None:
            while True:
                told.append(await anext(events))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            for _ in range(60):
                for _ in range(chance.randrange(1, 12)):
                    port = chance.choice(PORTS)
                    (rack.unplug if port in rack.there else rack.plug)(port)
                for _ in range(chance.randrange(6)):
                    await anyio.lowlevel.checkpoint()
            with anyio.fail_after(5):
                while folded(told) != rack.true_state():
                    await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
    return [word(event) for event in told]


def folded(told: Sequence[PlugEvent]) -> set[str]:
    last = {event.port_path: event for event in told}
    return {port for port, event in last.items() if isinstance(event, Attached)}


def use_real_netlink(folder: Path) -> None:
    """Every new monitor gets the kernel's socket in place of umockdev's."""
    mocked = pyudev.Monitor.from_netlink

    def from_netlink(context: pyudev.Context, source: str = "udev") -> pyudev.Monitor:
        os.unsetenv("UMOCKDEV_DIR")
        try:
            return mocked(context, source)
        finally:
            os.putenv("UMOCKDEV_DIR", str(folder))

    pyudev.Monitor.from_netlink = from_netlink


def netlink_sockets() -> int:
    """The uevent sockets of this network namespace: it has no other process."""
    lines = Path("/proc/net/netlink").read_text().splitlines()
    return sum(line.split()[1] == str(NETLINK_KOBJECT_UEVENT) for line in lines[1:])


def main(scenario: str) -> None:
    logged: list[str] = []

    def keep(_logger: object, _method: str, entry: structlog.typing.EventDict) -> str:
        logged.append(entry["event"])
        return ""

    structlog.configure(processors=[keep], logger_factory=structlog.ReturnLoggerFactory())
    rack = NetlinkRack()
    use_real_netlink(rack.testbed.root)
    before = netlink_sockets()
    told = anyio.run(SCENARIOS[scenario], rack)
    left = netlink_sockets() - before
    there = sorted(word_of_port(port) for port in rack.true_state())
    rack.testbed.close()
    answer = {"told": told, "there": there, "logged": logged, "sockets_left": left}
    print(json.dumps(answer))  # noqa: T201 - its output


SCENARIOS = {"burst": burst, "overflow": overflow, "storm": storm}

if __name__ == "__main__":
    main(sys.argv[1])
