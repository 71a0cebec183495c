"""A hub that stumbles, and more events than udev's socket holds."""

from __future__ import annotations

import pytest

from tests.vm.rig import Rig, slot_name

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(1200)]

PORTS = 8
STORMS = 10
DROP_IN = "/run/systemd/system/benchd.service.d"


@pytest.mark.nightly
async def test_all_ports_lost_and_found_ten_times(rig: Rig) -> None:
    kinds = {f"h{number}": ("clean", "ext4")[number % 2] for number in range(1, PORTS + 1)}
    slots = await rig.fill_table(kinds)
    await rig.start_service()
    async with rig.operating():
        await rig.plug(slots)
        await rig.until_slot("S01", "overwrite", "read_back")
        lasted_s = await rig.rack("storm", rounds=STORMS)
        ends = await rig.ends(slots, within_s=900)
    assert {end.outcome for end in ends.values()} == {"passed"}, ends
    await rig.note(f"{PORTS} ports lost and found, seconds of each time: {lasted_s}")
    # Nothing that was broken off by the storm counts for anything.
    for name, number in slots.items():
        assert rig.watch.slots[slot_name(number)]["job"] == ends[name].job


@pytest.mark.nightly
async def test_events_lost_by_udevs_socket_are_made_good(rig: Rig) -> None:
    """While the daemon can't read, more happens than its socket keeps; afterwards it knows all."""
    # Who stands still for so long would be ended by the watchdog.
    await rig.shell(
        f"mkdir -p {DROP_IN}; printf '[Service]\\nWatchdogSec=0\\n' >{DROP_IN}/patient.conf;"
        "systemctl daemon-reload; systemctl restart benchd",
        within_s=300,
    )
    try:
        await rig.fill_table({f"h{number}": "ext4" for number in range(1, 4)})
        await rig.until_serving()
        await rig.plug({"h1": 1, "h2": 2})
        for slot in ("S01", "S02"):
            await rig.until_state(slot, "awaiting_operator")
        await rig.shell(
            "systemctl show -P InvocationID benchd >/run/before; systemctl kill -s STOP benchd;"
            "for n in $(seq 1000); do echo change >/sys/bus/usb/devices/usb24/uevent; done;"
            "udevadm settle; rack unplug h1; rack plug h3 3; rack replug h2; udevadm settle;"
            "systemctl kill -s CONT benchd",
            within_s=300,
        )
        await rig.until_state("S01", "empty")
        for slot in ("S02", "S03"):
            await rig.until_state(slot, "awaiting_operator")
        await rig.shell(
            "cmp <(systemctl show -P InvocationID benchd) /run/before;"
            "journalctl _SYSTEMD_INVOCATION_ID=$(cat /run/before) --no-pager -o cat"
            " | grep udev_enumerated_again"
        )
    finally:
        await rig.shell(
            f"rm {DROP_IN}/patient.conf; systemctl daemon-reload; systemctl restart benchd",
            within_s=300,
        )
