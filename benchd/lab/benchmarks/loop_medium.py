"""A block device to write to: a file behind a loop device that bypasses the host's cache."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchd.domain.errors import DependencyMissing

PROGRAMS = ("losetup", "mkfs.ext4", "mount", "umount")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopMedium:
    """One loop device; its file system is made anew whenever it is mounted."""

    device: str
    folder: Path
    """Where the file system is mounted."""

    @contextmanager
    def mounted(self) -> Generator[Path, None, None]:
        """A fresh ext4, without discard: what was on the device before is still there."""
        _run("mkfs.ext4", "-q", "-F", "-E", "nodiscard,lazy_itable_init=0", self.device)
        try:
            _run("mount", "-o", "nodiscard", self.device, str(self.folder))
            yield self.folder
        finally:
            # A signal may come between the mount and its being known.
            if self.folder.is_mount():
                _run("umount", str(self.folder))


def require_root_and(*programs: str) -> None:
    """DependencyMissing unless loop devices can be made and these programs are there."""
    if os.geteuid() != 0:
        message = "this benchmark makes loop devices and file systems, which only root may"
        raise DependencyMissing(message, cure="Run it with sudo.")
    missing = [program for program in (*PROGRAMS, *programs) if shutil.which(program) is None]
    if missing:
        message = f"not installed: {', '.join(missing)}"
        raise DependencyMissing(message, cure=f"sudo apt install {' '.join(missing)}")


@contextmanager
def loop_media(
    directory: Path, count: int, size_bytes: int
) -> Generator[list[LoopMedium], None, None]:
    """So many media of this size, written over once so that no first write makes blocks."""
    with ExitStack() as stack:
        yield [stack.enter_context(_medium(directory, n, size_bytes)) for n in range(count)]


@contextmanager
def _medium(directory: Path, number: int, size_bytes: int) -> Generator[LoopMedium, None, None]:
    image = directory / f"medium-{number}.img"
    folder = directory / f"medium-{number}"
    folder.mkdir()
    with image.open("xb") as file:
        block = os.urandom(1 << 20)
        for _ in range(-(-size_bytes // len(block))):
            file.write(block)
        file.truncate(size_bytes)
        os.fsync(file.fileno())
    try:
        device = _run("losetup", "--find", "--show", "--direct-io=on", str(image)).strip()
        yield LoopMedium(device=device, folder=folder)
    finally:
        # A signal may come between the making of the device and its name.
        for made in _run("losetup", "-n", "-O", "NAME", "--associated", str(image)).split():
            _run("losetup", "--detach", made)
        image.unlink()
        folder.rmdir()


def _run(*command: str) -> str:
    with _signals_held():
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = f"{command[0]} failed: {done.stderr.strip()[:500]}"
        raise DependencyMissing(
            message, cure=f"See whether this works by hand: {' '.join(command)}"
        )
    return done.stdout


@contextmanager
def _signals_held() -> Generator[None, None, None]:
    """A signal that comes as a program is started would leave it running, and what it made."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
