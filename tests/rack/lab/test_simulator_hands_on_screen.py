"""What changes on the handset itself: a computer is allowed, a battery fills."""

from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from simulator_rack import one, until, virtual_rack

from benchd.devices.android.fill.awake import HOLD
from benchd.devices.android.handset_screens import UNCOVER

pytestmark = [pytest.mark.rack, pytest.mark.asyncio]


async def test_a_handset_is_unauthorized_until_somebody_allows_the_computer(tmp_path: Path) -> None:
    async with virtual_rack(tmp_path, one("unauthorized"), server=False) as rack:
        with anyio.fail_after(60):
            await rack.start_server()
            await rack.until_state("unauthorized")
            assert (await rack.shell("true")).returncode != 0
            before = (await rack.hands.handset("unauthorized")).attachment
            await rack.hands.allow_adb("unauthorized")
            await rack.until_state("device")
            assert await rack.output("getprop ro.product.model") == "Pixel 4a"
            assert (await rack.hands.handset("unauthorized")).attachment == before
            await rack.hands.unplug("unauthorized")
            await rack.until_state("absent")
            await rack.hands.plug("unauthorized", 1)
            await rack.until_state("device")


async def test_a_cable_pulled_from_an_unauthorized_handset_frees_its_place(tmp_path: Path) -> None:
    async with virtual_rack(tmp_path, one("unauthorized"), server=False) as rack:
        with anyio.fail_after(60):
            await rack.start_server()
            await rack.until_state("unauthorized")
            await rack.hands.unplug("unauthorized")
            await rack.until_state("absent")
            await rack.hands.plug("unauthorized", 1)
            await rack.until_state("unauthorized")


async def test_a_battery_fills_in_its_slot(tmp_path: Path) -> None:
    plan = replace(one("low-battery"), charges_percent_per_s=40.0)
    async with virtual_rack(tmp_path, plan) as rack:

        async def full() -> bool:
            return "  level: 100" in await rack.output("dumpsys battery")

        await until(full)


async def test_a_page_of_its_settings_can_be_opened_over_adb(tmp_path: Path) -> None:
    model = one("live-data").model
    old = replace(one("live-data", 2), model=replace(model, android="9", sdk=28))
    async with virtual_rack(tmp_path, one("clean", 1), old) as rack:
        reset = "am start -a com.android.settings.action.FACTORY_RESET --activity-clear-task"
        assert (await rack.shell(reset)).stdout.startswith("Starting: Intent { act=com.android.")
        assert (await rack.hands.handset("clean")).page == reset.split()[3]
        # One that is too old says so, and ends with 0 as well.
        refused = await rack.shell(reset, slot=2)
        assert (refused.returncode, refused.stdout.split()[0]) == (0, "Starting:")
        assert refused.stderr.startswith("Error: Activity not started, unable to resolve")
        assert (await rack.hands.handset("live-data")).page is None
        opened = await rack.output(f"{UNCOVER}{reset}")
        assert opened == f"woken 0\nStarting: Intent {{ act={reset.split()[3]} }}"
        assert await rack.output(HOLD) == "before 0\nafter 7\nwoken 0"
        assert await rack.output(HOLD) == "before 7\nwoken 0"
        assert (await rack.shell("input tap 1 1")).returncode == 255
        await rack.hands.reboot("clean")
        await rack.until_state("absent")
        await rack.until_state("device")
        assert (await rack.hands.handset("clean")).page is None


async def test_an_old_adb_has_no_exit_codes(tmp_path: Path) -> None:
    async with virtual_rack(tmp_path, one("unsupported-model")) as rack:
        features = await rack.adb("-s", "127.0.0.1:16001", "features")
        assert "shell_v2" not in features.stdout
