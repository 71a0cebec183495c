"""Handsets on real USB, erased by the real service as scripts/install sets it up."""

from __future__ import annotations

import re

import anyio
import pytest

from benchd.lab.simulator.scenarios import SHARED_SERIAL
from tests.vm.rig import LOOK_EVERY_S, Rig

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(1200)]

MARK = "===== all at once ====="
FOUND = re.compile(r"^\[ *([0-9.]+)\] usb (\d+-1): New USB device found", re.MULTILINE)
FOUND_WITHIN_S = 60.0
HIGHEST_EXPOSURE = 2.0


async def first_to_last_found_s(rig: Rig, count: int) -> float:
    """From the first new device since the mark to the last of so many, by the kernel's own log.

    What `udevadm monitor` stamps is when it came to read an event, seconds later on a busy machine.
    """
    first: dict[str, float] = {}
    with anyio.fail_after(FOUND_WITHIN_S):
        while len(first) < count:
            _, marked, text = (await rig.shell("dmesg")).rpartition(MARK)
            assert marked, "the kernel's log has lost the mark"
            for stamp, device in FOUND.findall(text):
                first.setdefault(device, float(stamp))
            await anyio.sleep(LOOK_EVERY_S)
    return max(first.values()) - min(first.values())


@pytest.mark.parametrize(
    ("word", "many"),
    [
        ("same-serial-small", 6),
        pytest.param("same-serial-small", 16, marks=pytest.mark.nightly),
        pytest.param("same-serial-a", 16, marks=pytest.mark.nightly),
    ],
)
async def test_handsets_with_one_serial_plugged_at_once_all_pass(
    rig: Rig, word: str, many: int
) -> None:
    slots = {f"same-{number:02}": number for number in range(1, many + 1)}
    await rig.make(*(rig.kind(word, name=name) for name in slots))
    await rig.start_service()
    shown = await rig.shell("systemctl show -p ActiveState,NotifyAccess,StatusText benchd")
    assert "ActiveState=active" in shown, shown
    # Only READY=1 and STATUS= of its own bring it there (Type=notify-reload).
    assert "StatusText=24 slots" in shown, shown
    await rig.shell(f"echo '{MARK}' >/dev/kmsg")
    async with rig.operating():
        await rig.plug(slots)
        apart_s = await first_to_last_found_s(rig, many)
        ends = await rig.ends(slots, within_s=900)
    # Two seconds is what it may take on two processors: a figure, not a condition.
    await rig.note(f"{many} handsets plugged within {apart_s:.2f} s")
    assert {end.serial for end in ends.values()} == {SHARED_SERIAL}
    # Each in its slot: the other numbers tell them apart.
    for name, number in slots.items():
        assert ends[name].proven()["slot"] == f"S{number:02}"
    assert len({end.imei for end in ends.values()}) == many
    states = await rig.states()
    assert [state.reset_count for state in states.values()] == [1] * many


async def test_the_service_holds_no_usb_node_and_little_else(rig: Rig) -> None:
    await rig.fill_table({"one": "clean"})
    await rig.start_service()
    await rig.plug({"one": 1})
    await rig.until_state("S01", "awaiting_operator")
    fds = await rig.shell("ls -l /proc/$(systemctl show -P MainPID benchd)/fd")
    assert "/dev/bus/usb" not in fds
    # Who does hold it: without this the line above would pass on a dead rack.
    adb = await rig.shell("ls -l /proc/$(systemctl show -P MainPID benchd-adb)/fd")
    assert "/dev/bus/usb/001/" in adb
    owner = await rig.shell("ps -o user= -p $(systemctl show -P MainPID benchd)")
    assert owner.strip() == "benchd"
    told = await rig.shell("systemd-analyze security --no-pager benchd.service | tail -n 1")
    found = re.search(r"benchd.service: ([0-9.]+)", told)
    assert found, told
    assert float(found.group(1)) <= HIGHEST_EXPOSURE
