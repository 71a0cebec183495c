"""A hub that stumbles, and more events than udev's socket holds."""

from __future__ import annotations

import pytest

from tests.vm.bench import Bench, slot_name

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(1200)]

PORTS = 8
STORMS = 10
DROP_IN = "/run/systemd/system/benchd.service.d"


@pytest.mark.slow
async def test_all_ports_lost_and_found_ten_times(bench: Bench) -> None:
    kinds = {f"h{number}": ("clean", "ext4")[number % 2] for number in range(1, PORTS + 1)}
    slots = {name: number for number, name in enumerate(kinds, start=1)}
    await bench.fill_table(kinds)
    await bench.start_service()
    async with bench.operating():
        await bench.plug(slots)
        await bench.until_slot("S01", "overwrite", "read_back")
        lasted_s = await bench.rack("storm", rounds=STORMS)
        ends = await bench.ends(slots, within_s=900)
    assert {end.outcome for end in ends.values()} == {"passed"}, ends
    await bench.note(f"{PORTS} ports lost and found, seconds of each time: {lasted_s}")
    # Nothing that was broken off by the storm counts for anything.
    for name, number in slots.items():
        assert bench.watch.slots[slot_name(number)]["job"] == ends[name].job


@pytest.mark.slow
async def test_events_lost_by_udevs_socket_are_made_good(bench: Bench) -> None:
    """While the daemon can't read, more happens than its socket keeps; afterwards it knows all."""
    # Who stands still for so long would be ended by the watchdog.
    await bench.shell(
        f"mkdir -p {DROP_IN}; printf '[Service]\\nWatchdogSec=0\\n' >{DROP_IN}/patient.conf;"
        "systemctl daemon-reload; systemctl restart benchd",
        within_s=300,
    )
    try:
        await bench.fill_table({f"h{number}": "ext4" for number in range(1, 4)})
        await bench.until_serving()
        await bench.plug({"h1": 1, "h2": 2})
        for slot in ("S01", "S02"):
            await bench.until_state(slot, "awaiting_operator")
        await bench.shell(
            "systemctl show -P InvocationID benchd >/run/before; systemctl kill -s STOP benchd;"
            "for n in $(seq 1000); do echo change >/sys/bus/usb/devices/usb24/uevent; done;"
            "udevadm settle; rack unplug h1; rack plug h3 3; rack replug h2; udevadm settle;"
            "systemctl kill -s CONT benchd",
            within_s=300,
        )
        await bench.until_state("S01", "empty")
        for slot in ("S02", "S03"):
            await bench.until_state(slot, "awaiting_operator")
        await bench.shell(
            "cmp <(systemctl show -P InvocationID benchd) /run/before;"
            "journalctl _SYSTEMD_INVOCATION_ID=$(cat /run/before) --no-pager -o cat"
            " | grep udev_enumerated_again"
        )
    finally:
        await bench.shell(
            f"rm {DROP_IN}/patient.conf; systemctl daemon-reload; systemctl restart benchd",
            within_s=300,
        )
