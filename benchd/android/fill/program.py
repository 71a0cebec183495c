"""Puts benchd's own programs onto a handset and makes sure that they are whole."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from benchd.android.fill.processors import Processors
from benchd.android.shell.commands import Shell
from benchd.errors import AnswerNotRecognised, StorageFault, TransientFault, UnsupportedHandset
from benchd.filler import Program

PROGRAMS: Final = "/data/local/tmp"
"""Where a handset lets its shell run what was pushed."""
PROGRAM_PATH: Final = f"{PROGRAMS}/{Program.FILL}"
CACHE_PATH: Final = f"{PROGRAMS}/{Program.CACHE}"
FILL_DIRECTORY: Final = f"{PROGRAMS}/benchd"
PUSH_DEADLINE_S: Final = 120.0
START_DEADLINE_S: Final = 60.0
"""A program's first start on a handset that is busy takes seconds, and isn't a stall."""

_NO_SPACE: Final = "No space left on device"

_MAKE_ROOM: Final = f"rm -f {FILL_DIRECTORY}/tail-*"
_MAKE_MORE_ROOM: Final = f"rm -f {FILL_DIRECTORY}/fill-*"

CANNOT_RUN: Final = (126, 127)
"""What a shell ends with where a file may not be executed: noexec, SELinux, another processor."""
_DIES_AT_ONCE: Final = frozenset({132, 134, 135, 139, 159})
"""SIGILL, SIGABRT, SIGBUS, SIGSEGV, SIGSYS: how a program for another processor ends."""

_SIZE: Final = re.compile(r"\s*([0-9]{1,12})\s*")
_DIGEST: Final = re.compile(r"([0-9a-f]{64})\s+-\s*")


class NoRoomForProgram(StorageFault):
    """Raised when the handset's storage is too full even for one of benchd's programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """A program for one kind of processor, and the digest by which it's known."""

    content: bytes
    sha256: str


class Binaries:
    """The host's copies of the programs, each read once for the whole rack."""

    def __init__(self, path_for: Callable[[str, Program], Path]) -> None:
        self._path_for = path_for
        self._read: dict[Path, Binary] = {}
        self._one_reads = anyio.Lock()

    async def of(self, abi: str, program: Program) -> Binary:
        """A program for this ABI; `path_for` raises where there is none."""
        path = self._path_for(abi, program)
        if path not in self._read:
            async with self._one_reads:
                # All the others that were plugged in at once have waited for the same.
                if path not in self._read:
                    self._read[path] = await anyio.to_thread.run_sync(_binary_at, path)
        return self._read[path]


def _binary_at(path: Path) -> Binary:
    """Read and digest it: some milliseconds, so not on the loop."""
    content = path.read_bytes()
    return Binary(content=content, sha256=hashlib.sha256(content).hexdigest())


class HandsetProgram:
    """A program of one handset: put there once per transport, and only if it must be."""

    def __init__(
        self,
        shell: Shell,
        binaries: Binaries,
        processors: Processors,
        program: Program = Program.FILL,
    ) -> None:
        self._shell = shell
        self._binaries = binaries
        self._processors = processors
        self._program = program
        self._path = f"{PROGRAMS}/{program}"
        self._installed = False

    async def install(self, *, may_make_room: bool) -> None:
        """Make sure that the program is on the handset, byte for byte.

        Storage may still be full from a fill that was broken off; with `may_make_room` files
        of that fill are deleted if the program doesn't fit otherwise: those first that take
        the last room, since the others may still prove themselves.
        """
        if not self._installed:
            abis = await self._processors.abis()
            await self._install(abis[0], may_make_room=may_make_room)

    async def can_run(self, *, may_make_room: bool) -> bool:
        """Whether there is a program for this handset and the handset lets it run.

        Where one for the wider registers doesn't run, that for the narrower is tried. Raises
        what `install` does, but for the missing program.
        """
        try:
            abis = await self._processors.abis()
        except UnsupportedHandset:
            return False
        for abi in abis:
            await self._install(abi, may_make_room=may_make_room)
            if await self._runs():
                return True
        self._installed = False
        return False

    async def _runs(self) -> bool:
        answer = await self._shell.run(f"exec {self._path} version", deadline_s=START_DEADLINE_S)
        return answer.exit_code not in _DIES_AT_ONCE.union(CANNOT_RUN)

    async def _install(self, abi: str, *, may_make_room: bool) -> None:
        binary = await self._binaries.of(abi, self._program)
        if not await self._is_there(binary, digest_needed=True):
            rooms = (_MAKE_ROOM, _MAKE_MORE_ROOM) if may_make_room else ()
            await self._write(binary.content, rooms)
            if not await self._is_there(binary, digest_needed=False):
                raise TransientFault(f"{self._program} arrived damaged")
        self._installed = True

    async def _is_there(self, binary: Binary, *, digest_needed: bool) -> bool:
        answer = await self._shell.run(_measure(self._path), deadline_s=PUSH_DEADLINE_S)
        if answer.exit_code != 0:
            return False
        size, _, digest = answer.stdout.decode(errors="replace").partition("\n")
        size_match = _SIZE.fullmatch(size)
        if size_match is None:
            raise AnswerNotRecognised("wc: no size")
        if int(size_match[1]) != len(binary.content):
            return False
        if not digest.strip():
            # Before Android 8 there is no sha256sum: the size has to do, but only right after
            # benchd itself has written the file.
            return not digest_needed
        digest_match = _DIGEST.fullmatch(digest)
        if digest_match is None:
            raise AnswerNotRecognised("sha256sum: no digest")
        return digest_match[1] == binary.sha256

    async def _write(self, content: bytes, rooms: Sequence[str]) -> None:
        answer = await self._shell.run(
            _write(self._path), stdin=content, deadline_s=PUSH_DEADLINE_S
        )
        if answer.exit_code == 0:
            return
        if _NO_SPACE in answer.stderr.decode(errors="replace"):
            if not rooms:
                raise NoRoomForProgram(f"there is no room for {self._program}")
            await self._shell.run(rooms[0], deadline_s=PUSH_DEADLINE_S)
            await self._write(content, rooms[1:])
            return
        message = f"{self._program} can't be written (code {answer.exit_code})"
        raise StorageFault(message)


def _write(path: str) -> str:
    """The new file takes the old one's name in one step.

    Writing over a program that still runs, as it may after an unplug, is refused by the kernel.
    """
    new = f"{path}.new"
    return f"rm -rf {new} && cat > {new} && chmod 700 {new} && mv -f {new} {path}"


def _measure(path: str) -> str:
    return f"wc -c < {path} && if command -v sha256sum > /dev/null; then sha256sum < {path}; fi"
