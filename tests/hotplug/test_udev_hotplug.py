"""Plug events from the real libudev, with umockdev's sysfs and uevents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from benchd.domain.handset import FASTBOOT_INTERFACE, offers_adb
from benchd.domain.ids import ANDROID, PortPath
from benchd.domain.port import Attached
from benchd.hotplug.pyudev_devices import UsbChange, UsbMonitor

from .usb_testbed import UsbTestbed, Watch, attached, id_path, left, nothing_more, told

pytestmark = pytest.mark.asyncio

ADB, MTP, CHARGE = "ff4201", "060101", "ff0000"


async def test_what_is_plugged_in_at_start_is_told_first_and_hubs_are_not(
    testbed: UsbTestbed, watch: Watch
) -> None:
    testbed.plug("1-1.4", serial="0123456789ABCDEF", interfaces=(ADB, MTP))
    testbed.plug("1-1.2", serial="0123456789ABCDEF", interfaces=(CHARGE,))
    async with watch() as events:
        first, second = [await attached(events), await attached(events)]
        await nothing_more(events, testbed)
    assert {first.port_path, second.port_path} == {id_path("1-1.2"), id_path("1-1.4")}
    assert first.usb_serial == second.usb_serial == "0123456789ABCDEF"
    assert first.attachment != second.attachment


async def test_plug_and_unplug_also_without_any_property_of_udev(
    testbed: UsbTestbed, watch: Watch
) -> None:
    async with watch() as events:
        testbed.plug("1-1.4", serial="S1", interfaces=(ADB, MTP))
        event = await attached(events)
        testbed.forget("1-1.4")  # the event of its removal has no property of udev's
        testbed.unplug("1-1.4")
        assert await told(events, 1) == [left("1-1.4")]
    assert event == Attached(
        port_path=PortPath("pci-0000:00:14.0-usb-0:1.4"),
        kind=ANDROID,
        address=event.address,
        attachment=event.attachment,
        interfaces=frozenset({ADB, MTP}),
        usb_serial="S1",
        vendor_id="04dd",
        product_id="9c9b",
        at_s=event.at_s,
    )
    assert event.address == "usb:1-1.4"


async def test_every_change_of_mode_is_a_new_attachment(testbed: UsbTestbed, watch: Watch) -> None:
    async with watch() as events:
        testbed.plug("1-1.4", interfaces=(CHARGE,))
        modes = [await attached(events)]
        for interfaces in ((MTP,), (MTP, ADB), (FASTBOOT_INTERFACE,)):
            testbed.replug("1-1.4", interfaces=interfaces)
            assert await told(events, 1) == [left("1-1.4")]
            modes.append(await attached(events))
    assert [mode.interfaces for mode in modes] == [
        {CHARGE},
        {MTP},
        {MTP, ADB},
        {FASTBOOT_INTERFACE},
    ]
    assert [offers_adb(mode) for mode in modes] == [False, False, True, False]
    assert len({mode.attachment for mode in modes}) == 4


async def test_fastboot(testbed: UsbTestbed, watch: Watch) -> None:
    async with watch() as events:
        testbed.plug("1-1.4", interfaces=(FASTBOOT_INTERFACE,), product="18d1/4ee0/100")
        event = await attached(events)
    assert FASTBOOT_INTERFACE in event.interfaces
    assert not offers_adb(event)
    assert (event.vendor_id, event.product_id) == ("18d1", "4ee0")


async def test_doubled_uevents_are_told_once(testbed: UsbTestbed, watch: Watch) -> None:
    async with watch() as events:
        testbed.plug("1-1.4")
        testbed.uevent("1-1.4", "add")
        testbed.uevent("1-1.4", "bind")
        await attached(events)
        testbed.uevent("1-1.4", "unbind")
        testbed.uevent("1-1.4", "remove")
        testbed.unplug("1-1.4")
        assert await told(events, 1) == [left("1-1.4")]
        await nothing_more(events, testbed)


@pytest.mark.parametrize("action", ["bind", "change"])
async def test_interfaces_that_udev_tells_later_complete_the_same_attachment(
    testbed: UsbTestbed, watch: Watch, action: str
) -> None:
    async with watch() as events:
        testbed.plug("1-1.4", without=("ID_USB_INTERFACES",))
        first = await attached(events)
        testbed.store("1-1.4", {"ID_USB_INTERFACES": f":{ADB}:"})
        testbed.uevent("1-1.4", action)
        second = await attached(events)
    assert (first.interfaces, second.interfaces) == (frozenset(), {ADB})
    assert first.attachment == second.attachment


async def test_interfaces_that_udev_never_tells_are_read_from_sysfs(
    testbed: UsbTestbed, watch: Watch
) -> None:
    async with watch() as events:
        testbed.plug("1-1.4", without=("ID_USB_INTERFACES",))
        testbed.add_interface("1-1.4", 0, MTP)
        testbed.add_interface("1-1.4", 1, ADB)
        assert (await attached(events)).interfaces == {MTP, ADB}
        await nothing_more(events, testbed)


async def test_interfaces_at_start_are_read_from_sysfs_too(
    testbed: UsbTestbed, watch: Watch
) -> None:
    testbed.plug("1-1.4", without=("ID_USB_INTERFACES",))
    testbed.add_interface("1-1.4", 0, ADB)
    async with watch() as events:
        assert (await attached(events)).interfaces == {ADB}


async def test_a_hub_that_is_plugged_in_is_not_told(testbed: UsbTestbed, watch: Watch) -> None:
    async with watch() as events:
        testbed.plug_hub("1-2")
        testbed.uevent("1-2", "bind")
        testbed.unplug("1-2")
        await nothing_more(events, testbed)


async def test_without_id_path_it_is_left_out_and_logged_once(
    testbed: UsbTestbed, watch: Watch
) -> None:
    with capture_logs() as logs:
        async with watch() as events:
            device_path = testbed.plug("1-1.4", without=("ID_PATH",))
            testbed.uevent("1-1.4", "bind")
            testbed.unplug("1-1.4")
            await nothing_more(events, testbed)
    complaints = [entry for entry in logs if entry["event"] == "usb_device_without_id_path"]
    assert [entry["device_path"] for entry in complaints] == [device_path]


async def test_the_newer_half_of_a_usb3_connector_stands_for_the_port(
    testbed: UsbTestbed, watch: Watch
) -> None:
    async with watch() as events:
        testbed.plug("1-1.4")
        slow = await attached(events)
        testbed.plug("2-1.4")
        assert await told(events, 1) == [left("1-1.4")]
        fast = await attached(events)
        testbed.unplug("1-1.4")
        await nothing_more(events, testbed)
    assert (slow.address, fast.address) == ("usb:1-1.4", "usb:2-1.4")
    assert slow.port_path == fast.port_path


async def test_the_attachment_outlives_the_daemon_but_not_the_cable(
    testbed: UsbTestbed, watch: Watch
) -> None:
    testbed.plug("1-1.4")
    async with watch() as events:
        before = await attached(events)
    async with watch() as events:
        after_restart = await attached(events)
    testbed.replug("1-1.4", interfaces=(CHARGE,))
    async with watch() as events:
        after_replug = await attached(events)
    assert before == after_restart
    assert before.attachment != after_replug.attachment


async def test_a_device_that_udev_is_not_done_with_is_told_when_it_is(
    testbed: UsbTestbed, watch: Watch
) -> None:
    testbed.plug("1-1.4")
    with testbed.not_initialised("1-1.4"):
        async with watch() as events:
            await nothing_more(events, testbed)
            testbed.uevent("1-1.4", "add")
            assert (await attached(events)).port_path == id_path("1-1.4")


async def test_a_device_that_is_only_leaving_is_not_told(testbed: UsbTestbed, watch: Watch) -> None:
    testbed.plug("1-1.4")
    with testbed.not_initialised("1-1.4"):
        async with watch() as events:
            testbed.uevent("1-1.4", "unbind")
            testbed.uevent("1-1.4", "remove")
            await nothing_more(events, testbed)


async def test_an_event_is_not_completed_with_what_its_successor_stored(
    testbed: UsbTestbed, watch: Watch
) -> None:
    async with watch() as events:
        testbed.plug("1-1.4", without=("ID_USB_INTERFACES",))
        testbed.replug("1-1.4", interfaces=(ADB,))
        assert (await attached(events)).interfaces == frozenset()
        assert await told(events, 1) == [left("1-1.4")]
        assert (await attached(events)).interfaces == {ADB}


async def test_what_happens_between_listening_and_enumerating_is_not_told_in_arrears(
    testbed: UsbTestbed, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    enumerate_devices = UsbMonitor.devices

    def late(monitor: UsbMonitor) -> Iterator[UsbChange]:
        testbed.plug("1-1.4", interfaces=(CHARGE,))
        testbed.replug("1-1.4", interfaces=(MTP,))
        testbed.replug("1-1.4", interfaces=(ADB,))
        return enumerate_devices(monitor)

    monkeypatch.setattr(UsbMonitor, "devices", late)
    async with watch() as events:
        assert (await attached(events)).interfaces == {ADB}
        await nothing_more(events, testbed)


async def test_what_comes_after_it_was_enumerated_past_is_told(
    testbed: UsbTestbed, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    enumerate_devices = UsbMonitor.devices

    def early(monitor: UsbMonitor) -> Iterator[UsbChange]:
        yield from enumerate_devices(monitor)
        testbed.plug("1-1.4")

    monkeypatch.setattr(UsbMonitor, "devices", early)
    async with watch() as events:
        assert (await attached(events)).port_path == id_path("1-1.4")


async def test_a_serial_that_is_no_text_does_not_stop_anything(
    testbed: UsbTestbed, watch: Watch
) -> None:
    async with watch() as events:
        testbed.plug("1-1.4", serial="\udcff\x1b[2J" + "9" * 400)
        event = await attached(events)
        testbed.plug("1-1.5", serial="\x1b[2J\u202e" + "9" * 400)
        bounded = await attached(events)
    assert (event.port_path, event.usb_serial) == (id_path("1-1.4"), None)
    assert bounded.usb_serial is not None
    assert bounded.usb_serial.isprintable()
    assert len(bounded.usb_serial) <= 128
