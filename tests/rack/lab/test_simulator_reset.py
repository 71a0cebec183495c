"""Resets: the one that keeps adb, those that lie or refuse, the one by hand, and a restart."""

from pathlib import Path

import pytest
from simulator_rack import TMP, Bench, one, until, virtual_rack

from benchd.devices.android.facts.owner import COUNT_CALLS, COUNT_FILES
from benchd.domain.handset import offers_adb
from benchd.domain.port import Attached, Detached
from benchd.lab.simulator.plan import TestHarness
from benchd.lab.simulator.plug_source import SimulatedHotplug

pytestmark = [pytest.mark.rack, pytest.mark.asyncio]


async def test_test_harness_mode_really_wipes_and_comes_back_with_adb(tmp_path: Path) -> None:
    async with virtual_rack(tmp_path, one("live-data")) as rack:
        before = await rack.hands.handset("live-data")
        assert before.previous_owner_files > 10
        residue = await rack.hands.residue_blocks("live-data")
        await rack.output(f"echo mine > {TMP}/mine; sleep 600 > /dev/null 2>&1 &")
        async with SimulatedHotplug(rack.house.plug_socket).events() as events:
            first = await anext(events)
            assert (await rack.shell("cmd testharness enable")).returncode == 0
            assert isinstance(await anext(events), Detached)
            back = await anext(events)
        assert isinstance(first, Attached)
        assert isinstance(back, Attached)
        assert offers_adb(back)
        assert back.attachment != first.attachment
        await rack.until_state("device")
        after = await rack.hands.handset("live-data")
        assert after.previous_owner_files == 0
        assert after.used_bytes < 0.2 * before.used_bytes
        assert await rack.output("settings get --user 0 secure android_id") != before.android_id
        assert await rack.output("settings get --user 0 global boot_count") == "1"
        assert await rack.output("getprop persist.sys.test_harness") == "1"
        assert await rack.output("pm list packages -3") == ""
        assert await rack.output(COUNT_FILES) == "/whole\n1"
        assert await rack.output(COUNT_CALLS) == "No result found."
        assert await rack.output(f"ls {TMP}") == ""
        assert "sleep" not in await rack.output("ps -A")
        # A reset is no overwrite: the chip still holds it all.
        assert await rack.hands.residue_blocks("live-data") == residue


async def test_a_reset_that_doesnt_happen_and_others_that_do(tmp_path: Path) -> None:
    told = {
        "reset-lies": (one("reset-lies", 1), 0, ""),
        "account-and-lock": (one("account-and-lock", 2), 2, "if there is a lock screen"),
        "unsupported": (
            one("live-data", 3, name="unsupported", test_harness=TestHarness.UNSUPPORTED),
            1,
            "Failed to enable",
        ),
    }
    plans = [plan for plan, _, _ in told.values()]
    by_hand, restarted = (one("live-data", n, name=f"live-{n}") for n in (4, 5))
    async with virtual_rack(tmp_path, *plans, by_hand, restarted) as rack:
        for slot, (name, (_, status, text)) in enumerate(told.items(), 1):
            before = await rack.hands.handset(name)
            done = await rack.shell("cmd testharness enable", slot)
            assert done.returncode == status, name
            assert text in done.stderr
            assert await rack.hands.handset(name) == before
            assert await rack.state(slot) == "device"
        await ends_adb(rack, by_hand.name)
        await keeps_the_data(rack, restarted.name)


async def ends_adb(rack: Bench, name: str) -> None:
    """What a reset by hand does."""
    async with SimulatedHotplug(rack.house.plug_socket).events() as events:
        for _ in range(5):
            await anext(events)
        await rack.hands.reset_by_hand(name)
        assert isinstance(await anext(events), Detached)
        back = await anext(events)
    assert isinstance(back, Attached)
    assert back.interfaces == frozenset({"060101"})
    assert await rack.state(4) == "absent"
    after = await rack.hands.handset(name)
    assert (after.previous_owner_files, after.adb_enabled) == (0, False)
    assert (after.test_harness, after.reset_count) == (False, 1)


async def keeps_the_data(rack: Bench, name: str) -> None:
    """What a restart does; it is counted."""
    before = await rack.hands.handset(name)
    await rack.output(f"echo mine > {TMP}/mine", 5)
    await rack.shell("reboot", 5)

    async def restarted() -> bool:
        return (await rack.hands.handset(name)).attachment not in (None, before.attachment)

    await until(restarted)
    await rack.until_state("device", 5)
    assert await rack.output(f"cat {TMP}/mine", 5) == "mine"
    assert await rack.output("settings get --user 0 global boot_count", 5) == "215"
    assert await rack.output("settings get --user 0 secure android_id", 5) == before.android_id
