"""What a virtual handset is to the shell: uid 2000, a bounded /data, Android's answers, screens."""

from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from simulator_rack import MEBIBYTE, TMP, Bench, one, until, virtual_rack

from benchd.devices.android.fill.keep_awake import HOLD
from benchd.devices.android.handset_screens import UNCOVER

pytestmark = [pytest.mark.rack, pytest.mark.asyncio]


async def test_the_shell_has_exit_codes_its_own_place_to_write_and_androids_answers(
    tmp_path: Path,
) -> None:
    plans = [one("clean", 1), one("modified-os", 2), one("reset-lies", 3), one("live-data", 4)]
    plans += [one("same-serial-a", 5), one("same-serial-b", 6), one("unsupported-model", 7)]
    assert (plans[0].model.sdk, plans[2].model.sdk) == (33, 29)
    async with virtual_rack(tmp_path, *plans) as rack:
        assert (await rack.shell("exit 7")).returncode == 7
        assert (await rack.shell("echo out; echo err >&2; kill -9 $$")).returncode == 137
        assert (await rack.output("id")).startswith("uid=2000(shell) gid=2000(shell)")
        for place in ("/", "/data", "/data/local", "/dev", "/etc", "/system/bin", "/sdcard"):
            assert (await rack.shell(f"touch {place}/x")).returncode != 0, place
        await rack.output(f"echo neighbour > {TMP}/mine")
        assert await rack.output(f"ls {TMP}", slot=2) == ""
        assert (await rack.output("ps -A")).count("adbd") == 1
        assert (await rack.shell("which su")).returncode == 1
        assert await rack.output("which su", slot=2) == "/system/xbin/su"
        assert "No such file" in (await rack.shell("cat /proc/1/root/etc/shadow; ls /home")).stderr
        # A pushed program runs.
        assert (await rack.push("/usr/bin/true", f"{TMP}/program")).returncode == 0
        assert (await rack.shell(f"chmod 700 {TMP}/program && {TMP}/program")).returncode == 0
        assert await rack.output(f"stat -c %U:%a {TMP}/program") == "shell:700"
        # df names the last mount where shared storage is on FUSE.
        place = "/storage/emulated/0/Android/obb"
        assert (await rack.output("df -k /data | tail -n 1")).split()[-1] == place
        mounts = [line.split() for line in (await rack.output("cat /proc/mounts")).splitlines()]
        assert {m[1] for m in mounts if m[0] == "/dev/block/dm-5"} == {"/data", place}
        assert all(len(mount) == 6 for mount in mounts)
        assert (await rack.output("df -k /data | tail -n 1", slot=3)).split()[-1] == "/data"
        await androids_answers(rack, 4)
        # Two may bear one serial.
        assert await rack.output("getprop ro.serialno", 5) == "0123456789ABCDEF"
        assert await rack.output("getprop ro.serialno", 6) == "0123456789ABCDEF"
        ask = "settings get --user 0 secure android_id"
        assert await rack.output(ask, 5) != await rack.output(ask, 6)
        # An old adb has no exit codes.
        features = await rack.adb("-s", "127.0.0.1:16007", "features")
        assert "shell_v2" not in features.stdout


async def androids_answers(rack: Bench, slot: int) -> None:
    """What it says, and what it refuses."""
    assert await rack.output("getprop ro.product.model", slot) == "SH-54B"
    assert await rack.output("getprop no.such.property", slot) == ""
    assert await rack.output("settings get secure no_such_setting", slot) == "null"
    assert await rack.output("settings get --user 0 global boot_count", slot) == "214"
    assert "package:jp.paypay" in await rack.output("pm list packages -3", slot)
    for line, status in {
        "cmd phone get-imei 0": 255,
        "cmd no-such-service": 20,
        "dumpsys no_such_service": 1,
        "pm uninstall jp.paypay": 255,
        "settings put global adb_enabled 0": 255,
        "service call nothing 1": 10,
        "am broadcast -a android.intent.action.MASTER_CLEAR": 255,
    }.items():
        assert (await rack.shell(line, slot)).returncode == status, line


async def test_storage_is_bounded_and_freed_at_once(tmp_path: Path) -> None:
    capacity = 8 * MEBIBYTE
    async with virtual_rack(tmp_path, one("clean", capacity_bytes=capacity)) as rack:
        before = await rack.hands.handset("clean")
        assert before.capacity_bytes == capacity
        # The system's reserve is free, but not for the shell.
        assert before.free_bytes - before.available_bytes == pytest.approx(0.02 * capacity, rel=0.1)
        size, used, free = (await rack.output("df -k /data | tail -n 1")).split()[1:4]
        assert int(size) * 1024 == capacity
        assert int(free) * 1024 == before.available_bytes
        assert int(used) * 1024 == before.used_bytes

        full = await rack.shell(f"dd if=/dev/urandom of={TMP}/fill bs=64k")
        assert full.returncode == 1
        assert "No space left on device" in full.stderr
        assert (await rack.output("df -k /data | tail -n 1")).split()[3] == "0"
        (tmp_path / "more").write_bytes(bytes(MEBIBYTE))
        pushed = await rack.push(str(tmp_path / "more"), f"{TMP}/more")
        assert pushed.returncode == 1
        assert "No space left on device" in pushed.stdout + pushed.stderr
        await rack.output(f"rm -f {TMP}/fill {TMP}/more")
        after = await rack.hands.handset("clean")
        assert after.available_bytes == before.available_bytes
        assert after.written_bytes > 0.9 * capacity


async def test_a_handset_is_unauthorized_until_somebody_allows_the_computer(tmp_path: Path) -> None:
    async with virtual_rack(tmp_path, one("unauthorized"), server=False) as rack:
        with anyio.fail_after(60):
            await rack.start_server()
            await rack.until_state("unauthorized")
            assert (await rack.shell("true")).returncode != 0
            # A cable that is pulled then frees its place.
            await rack.hands.unplug("unauthorized")
            await rack.until_state("absent")
            await rack.hands.plug("unauthorized", 1)
            await rack.until_state("unauthorized")
            before = (await rack.hands.handset("unauthorized")).attachment
            await rack.hands.allow_adb("unauthorized")
            await rack.until_state("device")
            assert await rack.output("getprop ro.product.model") == "Pixel 4a"
            assert (await rack.hands.handset("unauthorized")).attachment == before
            await rack.hands.unplug("unauthorized")
            await rack.until_state("absent")
            await rack.hands.plug("unauthorized", 1)
            await rack.until_state("device")


async def test_a_page_of_its_settings_can_be_opened_over_adb_and_a_battery_fills(
    tmp_path: Path,
) -> None:
    model = one("live-data").model
    old = replace(one("live-data", 2), model=replace(model, android="9", sdk=28))
    low = one("low-battery", 3, charges_percent_per_s=40.0)
    async with virtual_rack(tmp_path, one("clean", 1), old, low) as rack:
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

        async def full() -> bool:
            return "  level: 100" in await rack.output("dumpsys battery", slot=3)

        await until(full)
