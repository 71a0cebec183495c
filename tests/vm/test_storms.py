"""A hub that stumbles, and more events than udev's socket holds."""

from __future__ import annotations

import pytest

from tests.vm.bench import Bench, slot_name

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(1200)]

PORTS = 8
STORMS = 10


@pytest.mark.slow
async def test_all_ports_lost_and_found_ten_times(bench: Bench) -> None:
    kinds = {f"h{number}": ("clean", "ext4")[number % 2] for number in range(1, PORTS + 1)}
    slots = {name: number for number, name in enumerate(kinds, start=1)}
    await bench.fill_table(kinds)
    await bench.start_service()
    async with bench.operating():
        await bench.plug(slots)
        await bench.until_slot("S01", "overwrite", "read_back")
        await bench.rack("storm", rounds=STORMS)
        ends = await bench.ends(slots, within_s=900)
    assert {end.outcome for end in ends.values()} == {"passed"}, ends
    # Nothing that was broken off by the storm counts for anything.
    for name, number in slots.items():
        assert bench.watch.slots[slot_name(number)]["job"] == ends[name].job


async def test_events_lost_by_udevs_socket_are_made_good(bench: Bench) -> None:
    """While the daemon can't read, more happens than its socket keeps; afterwards it knows all."""
    kinds = {f"h{number}": "clean" for number in range(1, 5)}
    await bench.fill_table(kinds)
    await bench.start_service()
    await bench.plug({"h1": 1, "h2": 2})
    await bench.until_state("S01", "awaiting_operator")
    await bench.until_state("S02", "awaiting_operator")
    await bench.shell(
        "systemctl kill -s STOP benchd;"
        "for n in $(seq 2000); do echo change >/sys/bus/usb/devices/usb24/uevent; done;"
        "udevadm settle; rack unplug h1; rack plug h3 3; rack replug h2; udevadm settle;"
        "systemctl kill -s CONT benchd"
    )
    await bench.until_state("S01", "empty")
    await bench.until_state("S03", "awaiting_operator")
    await bench.until_state("S02", "awaiting_operator")
    told = await bench.shell("journalctl -u benchd --no-pager -o cat | grep -c udev_enumerated")
    assert int(told) >= 1
