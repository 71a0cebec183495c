"""A handset's storage: a file in memory as the chip, device-mapper as its faults, a file system.

Nothing is ever discarded, neither by mkfs nor by the mount: what isn't overwritten stays in the
file and can be found there.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import anyio

from benchd.lab.simulator.lines.child import RackBroken

from . import owner, quota
from .plan import Chip, FileSystem
from .tools import call

SECTOR_BYTES: Final = 512
SLOW_MS: Final = 15
SHELL: Final = 2000
FREE_WITHIN_S: Final = 60.0
FAULTY_FROM: Final = 0.55
FAULTY_SHARE: Final = 0.02
"""The faulty range, as shares of the chip: where a full file system has data for certain."""
EVERY_WRITE_IS_DROPPED: Final = "0 3600 1 drop_writes"
"""Up for no second, down for an hour (Documentation/admin-guide/device-mapper/dm-flakey.rst)."""
MOUNT_OPTIONS: Final = "nodiscard,nosuid,nodev,noatime"

_MAKE: Final = {
    # No discard (-t 0), over what was there (-f).
    FileSystem.F2FS: ("mkfs.f2fs", "-q", "-f", "-t", "0", "-l", "data"),
    FileSystem.EXT4: (
        *("mkfs.ext4", "-q", "-F", "-m", "2"),
        *("-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"),
    ),
}
_WITH_QUOTA: Final = {
    FileSystem.F2FS: ("-O", "extra_attr,quota,project_quota"),
    # Of several -E, mkfs.ext4 takes the last.
    FileSystem.EXT4: (
        *("-I", "256", "-O", "quota,project"),
        *("-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0,quotatype=prjquota"),
    ),
}


class HandsetChip:
    """One handset's chip and what is mounted from it."""

    def __init__(
        self,
        *,
        name: str,
        directory: Path,
        capacity_bytes: int,
        file_system: FileSystem,
        active_logs: int,
        quota_share: float | None,
    ) -> None:
        self.file = directory / "chip.img"
        self.data = directory / "data"
        self.token = owner.new_token()
        self._mapped = f"chip-{name}"
        self._sectors = capacity_bytes // SECTOR_BYTES
        self._file_system = file_system
        self._quota_share = quota_share
        self._options = MOUNT_OPTIONS + (",prjquota" if quota_share else "")
        if file_system is FileSystem.F2FS:
            self._options += f",active_logs={active_logs}"
        self._loop = ""

    async def make(self) -> None:
        """A new chip with an empty file system, mounted."""
        self.data.mkdir()
        with self.file.open("wb") as chip:
            chip.truncate(self._sectors * SECTOR_BYTES)
        self._loop = await call("losetup", "--find", "--show", str(self.file))
        await call("dmsetup", "create", self._mapped, "--table", self._table(Chip.GOOD))
        await self._make_file_system()
        await self._mount()

    async def plant(self, count: int) -> None:
        """Leave markers of the last owner on it."""
        await anyio.to_thread.run_sync(owner.plant, self.data, self.token, count)

    async def markers_left(self) -> tuple[int, ...]:
        """Where on the raw chip a marker still is, in bytes from its beginning."""
        return await anyio.to_thread.run_sync(owner.find, self.file, self.token)

    async def reset(self) -> None:
        """What a factory reset does to the storage."""
        await self.unmount()
        await self._make_file_system()
        await self._mount()

    async def become(self, chip: Chip) -> None:
        """From now on it does this wrong."""
        await call("dmsetup", "load", self._mapped, "--table", self._table(chip))
        # Without --noflush the device waits for what is under way, as it must for a file system.
        await call("dmsetup", "resume", self._mapped)

    async def unmount(self) -> None:
        """Nothing is mounted from it any more; whoever used it must have ended."""
        for _ in range(100):
            try:
                await call("umount", str(self.data))
            except RackBroken:
                await anyio.sleep(0.1)
            else:
                return
        raise RackBroken(f"{self.data} stays in use")

    async def _until_free(self) -> None:
        """Wait until nobody has it mounted: a namespace that ends takes its mounts down late."""
        with anyio.fail_after(FREE_WITHIN_S):
            while not _is_free(f"/dev/mapper/{self._mapped}"):  # noqa: ASYNC110 - nobody tells
                await anyio.sleep(0.1)

    async def destroy(self) -> None:
        """Throw it away."""
        with suppress(RackBroken):
            await self.unmount()
        if self._loop:
            await call("dmsetup", "remove", "--retry", self._mapped)
            await call("losetup", "--detach", self._loop)
        self.file.unlink(missing_ok=True)

    def _table(self, chip: Chip) -> str:
        whole = f"{self._loop} 0"
        match chip:
            case Chip.GOOD:
                return f"0 {self._sectors} linear {whole}"
            case Chip.SLOW:
                return f"0 {self._sectors} delay {whole} {SLOW_MS}"
            case Chip.FAILS:
                return self._with_faulty_range("error", "")
            case Chip.DROPS_WRITES:
                return self._with_faulty_range("flakey", EVERY_WRITE_IS_DROPPED)

    def _with_faulty_range(self, target: str, parameters: str) -> str:
        first = int(self._sectors * FAULTY_FROM) // 8 * 8
        size = int(self._sectors * FAULTY_SHARE) // 8 * 8
        after = first + size
        place = "" if target == "error" else f" {self._loop} {first} {parameters}"
        return (
            f"0 {first} linear {self._loop} 0\n"
            f"{first} {size} {target}{place}\n"
            f"{after} {self._sectors - after} linear {self._loop} {after}"
        )

    async def _make_file_system(self) -> None:
        await self._until_free()
        features = _WITH_QUOTA[self._file_system] if self._quota_share else ()
        await call(*_MAKE[self._file_system], *features, f"/dev/mapper/{self._mapped}")

    async def _mount(self) -> None:
        await call(
            *("mount", "-t", self._file_system.value, "-o", self._options),
            *(f"/dev/mapper/{self._mapped}", str(self.data)),
        )
        self.data.chmod(0o771)
        for folder, mode in (("local", 0o751), ("local/tmp", 0o771), ("media", 0o770)):
            _make_folder(self.data / folder, mode)
        for folder in ("media/0", "misc", "misc/adb"):
            _make_folder(self.data / folder, 0o770)
        if self._quota_share:
            most_bytes = int(self._quota_share * self._sectors * SECTOR_BYTES)
            quota.limit(f"/dev/mapper/{self._mapped}", self.data / "local/tmp", most_bytes)


def _is_free(device: str) -> bool:
    """Whether it can be had alone (open(2), O_EXCL on a block device)."""
    try:
        os.close(os.open(device, os.O_RDONLY | os.O_EXCL))
    except OSError:
        return False
    return True


def _make_folder(path: Path, mode: int) -> None:
    path.mkdir(exist_ok=True)
    path.chmod(mode)
    os.chown(path, SHELL, SHELL)
