"""What only a real kernel shows of a fill: ended with adbd, for ARM, looked at on a lying chip."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from benchd.devices.android.fill.keystream import HostKeystream
from tests.vm.rig import Rig

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(900)]

PROGRAMS: Final = "$(dirname $(find /opt/benchd -name benchd-fill-arm64))"
EMULATORS: Final = {"arm64": "qemu-aarch64", "arm": "qemu-arm"}
CGROUP: Final = "/sys/fs/cgroup/adbd"
KEY: Final = "8f1a0c55d2e94b7733aa6e01f4c8b290"
FILE_BYTES: Final = 4 << 20
MACHINES: Final = {"arm64": (2, 0xB7), "arm": (1, 0x28)}
"""Class and machine in a program's ELF header."""


def binfmt(abi: str) -> str:
    """How the kernel is told who runs such programs (Linux, admin-guide/binfmt-misc.rst)."""
    width, machine = MACHINES[abi]
    magic = b"\x7fELF" + bytes([width, 1, 1, 0]) + bytes(8) + bytes([2, 0, machine, 0])
    mask = bytes([255] * 7 + [0] + [255] * 8 + [254, 255, 255, 255])
    escaped = ("".join(f"\\x{byte:02x}" for byte in part) for part in (magic, mask))
    return ":".join(["", EMULATORS[abi], "M", "", *escaped, f"/usr/bin/{EMULATORS[abi]}", "F"])


async def data_of(rig: Rig, handset: str) -> str:
    """Where the guest has a handset's storage mounted."""
    shown = await rig.shell(f"findmnt -rn -o TARGET /dev/mapper/chip-{handset} | head -n 1")
    return shown.strip()


async def fill_files(rig: Rig, handset: str) -> int:
    listed = f"find {await data_of(rig, handset)}/local/tmp/benchd -name 'fill-*' | wc -l"
    return int(await rig.shell(listed))


async def test_what_adbd_has_started_ends_with_it_and_the_next_plug_cleans_up(rig: Rig) -> None:
    """As init does it on `stop adbd`: the whole cgroup at once, in whatever session."""
    await rig.fill_table({"one": "slow"})
    await rig.start_service()
    async with rig.operating():
        await rig.plug({"one": 1})
        await rig.shell(f"mkdir -p {CGROUP}; pgrep -x adbd | head -n 1 >{CGROUP}/cgroup.procs")
        await rig.until_slot("S01", "overwrite")
        guard = await rig.shell(
            "until pgrep -f '^/data/local/tmp/benchd-fill guard'; do sleep 0.2; done", within_s=60
        )
        of_guard = await rig.shell(f"cat /proc/{guard.split()[0]}/cgroup")
        assert of_guard.strip() == "0::/adbd"  # its own session is no way out
        await rig.rack("adb", handsets=["one"], enabled=False)
        await rig.shell(f"echo 1 >{CGROUP}/cgroup.kill")
        await rig.shell(
            "while pgrep -f '^/data/local/tmp/benchd-fill'; do sleep 0.2; done", within_s=30
        )
    assert await fill_files(rig, "one") > 0
    await rig.unplug("one")
    await rig.rack("adb", handsets=["one"], enabled=True)
    await rig.plug({"one": 1})
    await rig.until_state("S01", "awaiting_operator")
    assert await fill_files(rig, "one") == 0


@pytest.mark.nightly
@pytest.mark.parametrize("abi", ["arm64", "arm"])
async def test_the_programs_of_phones_fill_and_look_to_the_end(rig: Rig, abi: str) -> None:
    await rig.fill_table({"one": "ext4"})
    folder = f"{await data_of(rig, 'one')}/local/tmp/benchd"
    asked = {"directory": folder, "key": KEY, "file_bytes": FILE_BYTES, "progress_s": 1.0}
    filled = await run(rig, abi, "fill", {**asked, "max_bytes": 0})
    assert filled["event"] == "done", filled
    assert filled["free_bytes_after"] < 4096
    files = {"files": filled["files"], "cipher": await cipher_of(rig, abi)}
    checked = await run(rig, abi, "check", {**asked, **files})
    assert (checked["event"], checked["bytes_bad"]) == ("done", 0), checked
    file = f"{folder}/{filled['files'][0]['name']}"
    look = f"{EMULATORS[abi]} {PROGRAMS}/benchd-cache-{abi}"
    seen = await rig.shell(
        f"{look} empty {file} 8192 12288;"
        f" dd if={file} bs=4096 skip=2 count=3 2>/dev/null | od -An -v -tx1 | tr -d ' \\n'; echo;"
        f" {look} count {file} 8192 12288"
    )
    empty, data, count = seen.strip().splitlines()
    assert (empty.rpartition(" ")[2], count.rpartition(" ")[2]) == ("resident=0", "resident=3")
    stream = HostKeystream()(files["cipher"], bytes.fromhex(KEY), 8192, 12288)
    assert bytes.fromhex(data) == stream
    assert (await run(rig, abi, "drop", {"directory": folder}))["event"] == "done"


async def run(rig: Rig, abi: str, command: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The last event of a program for another processor."""
    line = json.dumps(request)
    program = f"{EMULATORS[abi]} {PROGRAMS}/benchd-fill-{abi}"
    said = await rig.shell(f"{program} {command} <<<'{line}' || true", within_s=300)
    return json.loads(said.strip().splitlines()[-1])


async def cipher_of(rig: Rig, abi: str) -> str:
    said = await rig.shell(f"{EMULATORS[abi]} {PROGRAMS}/benchd-fill-{abi} version")
    return json.loads(said)["cipher"]


@pytest.mark.nightly
async def test_a_second_look_finds_what_only_the_cache_holds(rig: Rig) -> None:
    """The chip drops writes that it has acknowledged, and the kernel's cache answers for it."""
    await rig.fill_table({"one": "residue-ext4"})
    file = f"{await data_of(rig, 'one')}/local/tmp/file"
    dd = f"dd if={file} bs=1048576 2>/dev/null"
    await rig.shell(f"head -c 100M /dev/zero >{file}; sync {file}")
    await rig.rack("chip", handsets=["one"], chip="drops_writes")
    meant = await rig.shell(
        f"head -c 100M /dev/urandom | tee >(sha256sum >/run/meant) |"
        f" dd of={file} bs=1048576 iflag=fullblock conv=notrunc 2>/dev/null; sync {file}; sleep 1;"
        " cat /run/meant"
    )
    cache = f"{PROGRAMS}/benchd-cache-amd64"
    assert await rig.shell(f"{dd} | sha256sum") == meant
    assert " resident=0" in await rig.shell(f"{cache} empty {file} 0 104857600")
    assert await rig.shell(f"{dd} | sha256sum") != meant
    assert "pages=25600 resident=25600" in await rig.shell(f"{cache} count {file} 0 104857600")


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("abi", ["arm64", "arm"])
async def test_a_handset_of_another_processor_passes_however_slowly_it_starts(
    rig: Rig, abi: str
) -> None:
    await rig.shell(
        "mountpoint -q /proc/sys/fs/binfmt_misc ||"
        " mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc;"
        f" [ -e /proc/sys/fs/binfmt_misc/{EMULATORS[abi]} ] ||"
        f" printf %s '{binfmt(abi)}' >/proc/sys/fs/binfmt_misc/register"
    )
    await rig.fill_table({"one": abi})
    await rig.start_service()
    end = (await rig.run_to_the_end({"one": 1}, within_s=3000))["one"]
    assert end.proven()["verification"]["host_past_cache"] == "eviction_seen"
