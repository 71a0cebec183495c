"""Cables: what an unplug ends and what it doesn't, and an adb server that comes and goes."""

import signal
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from simulator_rack import TMP, one, until, virtual_rack

from benchd.domain.errors import UsageRefused
from benchd.domain.handset import offers_adb
from benchd.domain.port import Attached, Detached
from benchd.lab.simulator.plug_source import SimulatedHotplug

pytestmark = [pytest.mark.rack, pytest.mark.asyncio]


@pytest.fixture
def under_nohup() -> Iterator[None]:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("under_nohup")
async def test_an_unplug_ends_the_shell_but_neither_the_writer_nor_the_data(tmp_path: Path) -> None:
    async with virtual_rack(tmp_path, one("clean"), server=True) as rack:
        count = f"i=0; while :; do i=$((i+1)); echo $i > {TMP}/count; done"
        # The writer is a child of the shell, and only the shell itself gets SIGHUP.
        line = f"sh -c 'echo $$ > {TMP}/writer; {count}' & echo $$ > {TMP}/shell; wait"

        async def writing() -> bool:
            return (await rack.shell(f"test -s {TMP}/count")).returncode == 0

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rack.shell, line)
            await until(writing)
            await rack.hands.unplug("clean")
            await rack.until_state("absent")
        await rack.hands.plug("clean", 1)
        await rack.until_state("device")

        async def shell_gone() -> bool:
            return (await rack.shell(f"[ -d /proc/$(cat {TMP}/shell) ]")).returncode == 1

        await until(shell_gone)
        assert (await rack.shell(f"[ -d /proc/$(cat {TMP}/writer) ]")).returncode == 0
        first = int(await rack.output(f"cat {TMP}/count") or 0)

        async def went_on() -> bool:
            return int(await rack.output(f"cat {TMP}/count") or 0) > first

        await until(went_on)
        await rack.output(f"kill $(cat {TMP}/writer)")


async def test_the_server_may_come_late_die_and_come_back(tmp_path: Path) -> None:
    async with virtual_rack(tmp_path, one("clean", 1), one("unplugged", 2), server=False) as rack:
        await rack.start_server()
        await rack.until_state("device", 1)
        await rack.until_state("device", 2)
        await rack.kill_server()
        await rack.hands.unplug("unplugged")
        await rack.start_server()
        await rack.until_state("device", 1)
        assert await rack.state(2) == "absent"
        await rack.hands.plug("unplugged", 2)
        await rack.until_state("device", 2)
        assert await rack.output("getprop ro.product.model", 2) == "SH-53D"


async def test_a_hung_handset_stays_on_the_bus_and_says_nothing(tmp_path: Path) -> None:
    async with virtual_rack(tmp_path, one("clean")) as rack:
        await rack.hands.hang("clean")
        answers: list[str] = []
        async with anyio.create_task_group() as tasks:

            async def ask() -> None:
                answers.append(await rack.output("echo still here"))

            tasks.start_soon(ask)
            assert (await rack.hands.handset("clean")).hung
            assert await rack.state() == "device"
            assert answers == []
            await rack.hands.resume("clean")
        assert answers == ["still here"]
        await rack.hands.hang("clean")
        await rack.hands.unplug("clean")
        await rack.until_state("absent")
        await rack.hands.plug("clean", 1)
        await rack.until_state("device")
        assert not (await rack.hands.handset("clean")).hung


async def test_plug_events_tell_all_that_happens_on_a_port(tmp_path: Path) -> None:
    async with (
        virtual_rack(tmp_path, one("clean", 1), one("live-data", 3), server=False) as rack,
        SimulatedHotplug(rack.house.plug_socket).events() as events,
    ):
        found = {
            str(event.port_path): event for event in [await anext(events), await anext(events)]
        }
        assert set(found) == {"platform-virtual-usb-0:1", "platform-virtual-usb-0:3"}
        first = found["platform-virtual-usb-0:1"]
        assert isinstance(first, Attached)
        assert offers_adb(first)
        assert first.address == "127.0.0.1:16001"
        assert (first.usb_serial, first.vendor_id) == ("HQ633K0CQ8", "0fce")

        await rack.hands.disable_adb("clean")
        assert await anext(events) == Detached(port_path=first.port_path, at_s=0.0)
        second = await anext(events)
        assert isinstance(second, Attached)
        assert second.interfaces == frozenset({"060101"})
        await rack.hands.enable_adb("clean")
        assert isinstance(await anext(events), Detached)
        third = await anext(events)
        assert isinstance(third, Attached)
        assert len({first.attachment, second.attachment, third.attachment}) == 3

        with pytest.raises(UsageRefused, match="taken by live-data"):
            await rack.hands.plug("clean", 3)
        await rack.hands.move("clean", 2)
        assert isinstance(await anext(events), Detached)
        moved = await anext(events)
        assert isinstance(moved, Attached)
        assert moved.port_path == "platform-virtual-usb-0:2"

        # A second listener begins with what is there, under the same attachment.
        async with SimulatedHotplug(rack.house.plug_socket).events() as others:
            seen = [await anext(others), await anext(others)]
        assert moved in seen
