"""The real fill program, pushed and driven over a real adb daemon in a sandbox of 48 MiB."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
import pytest
from handset_rack import Daemon, Rack, running_rack

from benchd.devices.android.fill.keystream import HostKeystream
from benchd.devices.android.fill.program_on_handset import FILL_DIRECTORY, PROGRAM_PATH, PROGRAMS
from benchd.devices.android.filler import Program, built_path
from benchd.devices.android.filler.build import build, host_abi
from benchd.devices.android.handset_access import AdbHandset
from benchd.domain.errors import HandsetGone, HandsetStalled, StageFailed, UnsupportedHandset
from benchd.domain.fill import CheckOrder, FillOrder, TransferProgress
from benchd.domain.job import Reason

pytestmark = [pytest.mark.rack, pytest.mark.asyncio]

SIZE_BYTES = 48 << 20
ORDER = FillOrder(key=bytes(range(16)), file_bytes=16 << 20, stall_s=5)


CREDULOUS: Final = """\
#!/bin/sh
# Stands in for the cache program: what lies in memory can't be shown to come from a medium.
[ "$1" = version ] && exit
pages=$((($3 + $4 + 4095) / 4096 - $3 / 4096))
case $1 in empty) resident=0 ;; *) resident=$pages ;; esac
echo "cache $1 page_bytes=4096 pages=$pages resident=$resident"
"""


def built(program: Program) -> Path:
    """The program for this machine, as scripts/setup has left it, or else built now."""
    found = built_path(host_abi(), program)
    return found if found.is_file() else build(host_abi(), program)


def fill_program() -> Path:
    return built(Program.FILL)


class SandboxedDaemon(Daemon):
    """An adbd whose /data is a small tmpfs of its own, as a handset's is."""

    def command(self) -> list[str]:
        system = self.folder / "bin"
        system.mkdir(exist_ok=True)
        binds = [part for path in ("/usr", "/etc/passwd") for part in ("--ro-bind", path, path)]
        links = [
            part
            for name in ("bin", "lib", "lib64", "sbin")
            for part in ("--symlink", f"usr/{name}", f"/{name}")
        ]
        return [
            *("bwrap", "--unshare-user", "--unshare-pid", "--die-with-parent"),
            *("--uid", "2000", "--gid", "2000", *binds, *links),
            *("--ro-bind", str(system), "/system/bin", "--proc", "/proc", "--dev", "/dev"),
            *("--size", str(SIZE_BYTES), "--tmpfs", "/data", "--dir", "/data/local/tmp"),
            *("--tmpfs", "/var", "--setenv", "PATH", "/system/bin:/usr/bin:/bin"),
            *super().command(),
        ]


@asynccontextmanager
async def sandboxed(
    folder: Path, *, sees_the_cache: bool = False
) -> AsyncGenerator[tuple[Rack, SandboxedDaemon, AdbHandset], None]:
    credulous = folder / "credulous"
    credulous.write_text(CREDULOUS)
    cache = built(Program.CACHE) if sees_the_cache else credulous
    async with running_rack(folder, {Program.FILL: fill_program(), Program.CACHE: cache}) as rack:
        (home := folder / "sandboxed").mkdir()
        daemon = SandboxedDaemon(home, 16100)
        daemon.install_tool("getprop", "echo x86_64")
        rack.daemons.append(daemon)
        await rack.plug(daemon)
        yield rack, daemon, await rack.handset(daemon)


def nothing(progress: TransferProgress) -> None:
    """Nobody looks."""


async def test_fill_sample_and_drop(tmp_path: Path) -> None:
    async with sandboxed(tmp_path) as (_, _, handset):
        seen: list[TransferProgress] = []
        report = await handset.fill(ORDER, seen.append)
        assert report.bytes_written == sum(file.size_bytes for file in report.files)
        assert report.bytes_written > SIZE_BYTES * 0.9
        assert report.free_bytes_after < 4096
        stream = HostKeystream()
        async with handset.samples() as samples:
            for file in report.files:
                taken = await samples.take(file.name, 4096, 4096)
                at = file.stream_offset + 4096
                assert taken.data == stream(report.cipher, ORDER.key, at, 4096)
        order = CheckOrder(fill=ORDER, cipher=report.cipher, files=report.files)
        # The sandbox lies in memory: nothing can be shown to come from a medium.
        with pytest.raises(UnsupportedHandset, match="bypass the cache"):
            await handset.check(order, nothing)
        dropped = await handset.drop()
        assert dropped.files_removed == len(report.files)
        assert dropped.free_bytes > SIZE_BYTES * 0.9


async def test_where_no_read_can_be_shown_nothing_is_written(tmp_path: Path) -> None:
    async with sandboxed(tmp_path, sees_the_cache=True) as (rack, daemon, handset):
        with pytest.raises(UnsupportedHandset, match="stay in the handset's cache"):
            await handset.fill(ORDER, nothing)
        listed = await (await rack.shell(daemon)).run("ls /data/local/tmp/benchd")
        assert (listed.exit_code, listed.stdout) == (0, b"")


async def test_the_program_finds_its_way_onto_full_storage_and_anew_where_it_is_damaged(
    tmp_path: Path,
) -> None:
    async with sandboxed(tmp_path) as (rack, daemon, handset):
        await handset.fill(ORDER, nothing)
        shell = await rack.shell(daemon)
        assert (await shell.run(f"rm {PROGRAM_PATH}")).exit_code == 0
        filler = "cat /dev/zero > /data/local/tmp/benchd/fill-900000.dat"
        assert (await shell.run(filler)).exit_code != 0
        fresh = await rack.handset(daemon)
        assert (await fresh.fill(ORDER, nothing)).bytes_written > SIZE_BYTES * 0.8
        await fresh.drop()
        # In a copy: the guard of the fill may still run, and its file can't be written to.
        copy = f"{PROGRAM_PATH}.damaged"
        damage = (
            f"cp {PROGRAM_PATH} {copy} && printf x | dd of={copy} bs=1 seek=5000 conv=notrunc"
            f" && mv -f {copy} {PROGRAM_PATH}"
        )
        assert (await shell.run(damage)).exit_code == 0
        await (await rack.handset(daemon)).drop()
        whole = await shell.run(f"exec sha256sum {PROGRAM_PATH}")
        wanted = hashlib.sha256(fill_program().read_bytes()).hexdigest()
        assert whole.stdout.split()[0].decode() == wanted


async def fill_for_ever(handset: AdbHandset, order: FillOrder) -> None:
    while True:
        await handset.fill(order, nothing)


async def test_an_unplug_while_filling_is_a_handset_gone(tmp_path: Path) -> None:
    async with sandboxed(tmp_path) as (_, daemon, handset):
        await handset.fill(ORDER, nothing)
        asyncio.get_running_loop().call_later(0.2, daemon.kill)
        with pytest.raises(HandsetGone):
            await fill_for_ever(handset, ORDER)


async def test_a_handset_that_hangs_while_filling_has_stalled(tmp_path: Path) -> None:
    async with sandboxed(tmp_path) as (_, daemon, handset):
        await handset.fill(ORDER, nothing)
        asyncio.get_running_loop().call_later(0.2, freeze, daemon)
        with pytest.raises(HandsetStalled):
            await fill_for_ever(handset, dataclasses.replace(ORDER, stall_s=0.4))


async def test_cancelling_a_fill_returns_at_once_and_ends_the_program(tmp_path: Path) -> None:
    async with sandboxed(tmp_path) as (rack, daemon, handset):
        await handset.fill(ORDER, nothing)
        with anyio.move_on_after(0.2) as scope:
            await fill_for_ever(handset, ORDER)
        assert anyio.current_time() - scope.deadline < 0.1
        # As long as the old program is at work it holds the directory, and this has to wait.
        assert (await (await rack.handset(daemon)).drop()).free_bytes > SIZE_BYTES * 0.9


def freeze(daemon: SandboxedDaemon) -> None:
    assert daemon.process is not None
    for pid in process_tree(daemon.process.pid):
        os.kill(pid, signal.SIGSTOP)


def process_tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(found for child in children for found in process_tree(int(child)))]


async def listed(rack: Rack, daemon: SandboxedDaemon, folder: str) -> set[str]:
    answer = await (await rack.shell(daemon)).run(f"ls -A {folder}")
    return set(answer.stdout.decode().split())


async def test_row_13_a_stranger_is_left_as_it_was_by_a_look_for_the_job_s_own(
    tmp_path: Path,
) -> None:
    """Another job's files are that job's; where none are, nothing of benchd's is left."""
    resumed = dataclasses.replace(ORDER, resume=True, prior_bytes=1 << 20)
    async with sandboxed(tmp_path) as (rack, daemon, handset):
        with pytest.raises(StageFailed) as refused:
            await handset.fill(resumed, nothing)
        assert refused.value.reason is Reason.HANDSET_CHANGED
        assert await listed(rack, daemon, PROGRAMS) == {"benchd", *Program}
        await handset.take_back()
        assert await listed(rack, daemon, PROGRAMS) == set()

        await (await rack.handset(daemon)).fill(ORDER, nothing)
        filled = await listed(rack, daemon, FILL_DIRECTORY)
        stranger = await rack.handset(daemon)
        with pytest.raises(StageFailed):
            await stranger.fill(dataclasses.replace(resumed, key=bytes(16)), nothing)
        await stranger.take_back()
        assert await listed(rack, daemon, FILL_DIRECTORY) == filled
        assert await listed(rack, daemon, PROGRAMS) == {"benchd"}
