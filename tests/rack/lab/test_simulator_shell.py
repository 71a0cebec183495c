"""What a virtual handset is to the shell: uid 2000, a bounded /data, Android's answers."""

from pathlib import Path

import pytest
from simulator_rack import MEBIBYTE, TMP, one, virtual_rack

pytestmark = [pytest.mark.rack, pytest.mark.asyncio]


async def test_the_shell_has_exit_codes_and_only_its_own_place_to_write(tmp_path: Path) -> None:
    async with virtual_rack(tmp_path, one("clean", 1), one("modified-os", 2)) as rack:
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


async def test_df_names_the_last_mount_where_shared_storage_is_on_fuse(tmp_path: Path) -> None:
    new, old = one("clean", 1), one("reset-lies", 2)
    assert (new.model.sdk, old.model.sdk) == (33, 29)
    async with virtual_rack(tmp_path, new, old) as rack:
        place = "/storage/emulated/0/Android/obb"
        assert (await rack.output("df -k /data | tail -n 1")).split()[-1] == place
        mounts = [line.split() for line in (await rack.output("cat /proc/mounts")).splitlines()]
        assert {m[1] for m in mounts if m[0] == "/dev/block/dm-5"} == {"/data", place}
        assert all(len(mount) == 6 for mount in mounts)
        assert (await rack.output("df -k /data | tail -n 1", slot=2)).split()[-1] == "/data"


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
        pushed = await rack.adb("push", str(tmp_path / "more"), f"{TMP}/more")
        assert pushed.returncode == 1
        assert "No space left on device" in pushed.stdout + pushed.stderr
        await rack.output(f"rm -f {TMP}/fill {TMP}/more")
        after = await rack.hands.handset("clean")
        assert after.available_bytes == before.available_bytes
        assert after.written_bytes > 0.9 * capacity


async def test_a_pushed_program_runs(tmp_path: Path) -> None:
    async with virtual_rack(tmp_path, one("clean")) as rack:
        assert (await rack.adb("push", "/usr/bin/true", f"{TMP}/program")).returncode == 0
        assert (await rack.shell(f"chmod 700 {TMP}/program && {TMP}/program")).returncode == 0
        assert await rack.output(f"stat -c %U:%a {TMP}/program") == "shell:700"


async def test_android_answers_and_refuses(tmp_path: Path) -> None:
    async with virtual_rack(tmp_path, one("live-data")) as rack:
        assert await rack.output("getprop ro.product.model") == "SH-54B"
        assert await rack.output("getprop no.such.property") == ""
        assert await rack.output("settings get secure no_such_setting") == "null"
        assert await rack.output("settings get --user 0 global boot_count") == "214"
        assert "package:jp.paypay" in await rack.output("pm list packages -3")
        for line, status in {
            "cmd phone get-imei 0": 255,
            "cmd no-such-service": 20,
            "dumpsys no_such_service": 1,
            "pm uninstall jp.paypay": 255,
            "settings put global adb_enabled 0": 255,
            "service call nothing 1": 10,
            "am broadcast -a android.intent.action.MASTER_CLEAR": 255,
        }.items():
            assert (await rack.shell(line)).returncode == status, line


async def test_two_handsets_may_bear_one_serial(tmp_path: Path) -> None:
    async with virtual_rack(tmp_path, one("same-serial-a", 1), one("same-serial-b", 2)) as rack:
        assert await rack.output("getprop ro.serialno", 1) == "0123456789ABCDEF"
        assert await rack.output("getprop ro.serialno", 2) == "0123456789ABCDEF"
        ask = "settings get --user 0 secure android_id"
        assert await rack.output(ask, 1) != await rack.output(ask, 2)
