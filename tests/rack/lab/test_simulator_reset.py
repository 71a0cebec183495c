"""Resets: the one that keeps adb, those that lie or refuse, the one by hand, and a restart."""

from pathlib import Path

import pytest
from simulator_rack import TMP, one, until, virtual_rack

from benchd.devices.android.facts.owner import COUNT_CALLS, COUNT_FILES
from benchd.domain.handset import offers_adb
from benchd.domain.port import Attached, Detached
from benchd.lab.simulator.plan import HandsetPlan, TestHarness
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


@pytest.mark.parametrize(
    ("plan", "status", "text"),
    [
        (one("reset-lies"), 0, ""),
        (one("account-and-lock"), 2, "if there is a lock screen"),
        (one("live-data", test_harness=TestHarness.UNSUPPORTED), 1, "Failed to enable"),
    ],
    ids=["lies", "locked", "unsupported"],
)
async def test_a_reset_that_doesnt_happen(
    tmp_path: Path, plan: HandsetPlan, status: int, text: str
) -> None:
    async with virtual_rack(tmp_path, plan) as rack:
        before = await rack.hands.handset(plan.name)
        done = await rack.shell("cmd testharness enable")
        assert done.returncode == status
        assert text in done.stderr
        assert await rack.hands.handset(plan.name) == before
        assert await rack.state() == "device"


async def test_a_reset_by_hand_ends_adb(tmp_path: Path) -> None:
    async with virtual_rack(tmp_path, one("live-data")) as rack:
        async with SimulatedHotplug(rack.house.plug_socket).events() as events:
            await anext(events)
            await rack.hands.reset_by_hand("live-data")
            assert isinstance(await anext(events), Detached)
            back = await anext(events)
        assert isinstance(back, Attached)
        assert back.interfaces == frozenset({"060101"})
        assert await rack.state() == "absent"
        after = await rack.hands.handset("live-data")
        assert (after.previous_owner_files, after.adb_enabled) == (0, False)
        assert (after.test_harness, after.reset_count) == (False, 1)


async def test_a_restart_keeps_the_data_and_counts(tmp_path: Path) -> None:
    async with virtual_rack(tmp_path, one("live-data")) as rack:
        before = await rack.hands.handset("live-data")
        await rack.output(f"echo mine > {TMP}/mine")
        await rack.shell("reboot")

        async def restarted() -> bool:
            state = await rack.hands.handset("live-data")
            return state.attachment not in (None, before.attachment)

        await until(restarted)
        await rack.until_state("device")
        assert await rack.output(f"cat {TMP}/mine") == "mine"
        assert await rack.output("settings get --user 0 global boot_count") == "215"
        assert await rack.output("settings get --user 0 secure android_id") == before.android_id
