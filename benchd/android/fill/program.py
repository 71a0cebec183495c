"""Puts the fill program onto a handset and makes sure that it is whole."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from benchd.android.facts.properties import required
from benchd.android.shell.commands import Shell, command_line, require_success
from benchd.errors import AnswerNotRecognised, StorageFault, TransientFault, UnsupportedHandset

PROGRAM_PATH: Final = "/data/local/tmp/benchd-fill"
FILL_DIRECTORY: Final = "/data/local/tmp/benchd"
PUSH_DEADLINE_S: Final = 120.0

_NEW_PATH: Final = f"{PROGRAM_PATH}.new"
_NO_SPACE: Final = "No space left on device"

# The new file takes the old one's name in one step: writing over a program that still runs,
# as it may after an unplug, is refused by the kernel.
_WRITE: Final = (
    f"rm -rf {_NEW_PATH} && cat > {_NEW_PATH} && chmod 700 {_NEW_PATH}"
    f" && mv -f {_NEW_PATH} {PROGRAM_PATH}"
)
_MEASURE: Final = (
    f"wc -c < {PROGRAM_PATH} && if command -v sha256sum > /dev/null;"
    f" then sha256sum < {PROGRAM_PATH}; fi"
)
_MAKE_ROOM: Final = f"rm -f {FILL_DIRECTORY}/tail-*"
_MAKE_MORE_ROOM: Final = f"rm -f {FILL_DIRECTORY}/fill-*"

CANNOT_RUN: Final = (126, 127)
"""What a shell ends with where a file may not be executed: noexec, SELinux, another processor."""

_SIZE: Final = re.compile(r"\s*([0-9]{1,12})\s*")
_DIGEST: Final = re.compile(r"([0-9a-f]{64})\s+-\s*")


class NoRoomForProgram(StorageFault):
    """Raised when the handset's storage is too full even for the fill program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """The fill program for one kind of processor, and the digest by which it's known."""

    content: bytes
    sha256: str


class Binaries:
    """The host's copies of the fill program, each read once for the whole rack."""

    def __init__(self, path_for_abi: Callable[[str], Path]) -> None:
        self._path_for_abi = path_for_abi
        self._read: dict[Path, Binary] = {}
        self._threads = anyio.CapacityLimiter(1)

    async def for_abi(self, abi: str) -> Binary:
        """The program for this ABI; `path_for_abi` raises where there is none."""
        path = self._path_for_abi(abi)
        if path not in self._read:
            content = await anyio.to_thread.run_sync(path.read_bytes, limiter=self._threads)
            self._read[path] = Binary(content=content, sha256=hashlib.sha256(content).hexdigest())
        return self._read[path]


class FillProgram:
    """The fill program of one handset: put there once per transport, and only if it must be."""

    def __init__(self, shell: Shell, binaries: Binaries) -> None:
        self._shell = shell
        self._binaries = binaries
        self._installed = False

    async def install(self, *, may_make_room: bool) -> None:
        """Make sure that the program is on the handset, byte for byte.

        Storage may still be full from a fill that was broken off; with `may_make_room` files
        of that fill are deleted if the program doesn't fit otherwise: those first that take
        the last room, since the others may still prove themselves.
        """
        if self._installed:
            return
        binary = await self._binaries.for_abi(await self._abi())
        if not await self._is_there(binary, digest_needed=True):
            rooms = (_MAKE_ROOM, _MAKE_MORE_ROOM) if may_make_room else ()
            await self._write(binary.content, rooms)
            if not await self._is_there(binary, digest_needed=False):
                raise TransientFault("the fill program arrived damaged")
        self._installed = True

    async def can_run(self, *, may_make_room: bool) -> bool:
        """Whether there is a program for this handset and the handset lets it run.

        Raises what `install` does, but for the missing program.
        """
        try:
            await self.install(may_make_room=may_make_room)
        except UnsupportedHandset:
            return False
        answer = await self._shell.run(f"exec {PROGRAM_PATH} version")
        return answer.exit_code not in CANNOT_RUN

    async def _abi(self) -> str:
        answer = await self._shell.run(command_line("getprop", "ro.product.cpu.abi"))
        value = require_success(answer, "getprop").decode(errors="replace")
        return required({"ro.product.cpu.abi": value.strip()}, "ro.product.cpu.abi")

    async def _is_there(self, binary: Binary, *, digest_needed: bool) -> bool:
        answer = await self._shell.run(_MEASURE, deadline_s=PUSH_DEADLINE_S)
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
        answer = await self._shell.run(_WRITE, stdin=content, deadline_s=PUSH_DEADLINE_S)
        if answer.exit_code == 0:
            return
        if _NO_SPACE in answer.stderr.decode(errors="replace"):
            if not rooms:
                raise NoRoomForProgram("there is no room for the fill program")
            await self._shell.run(rooms[0], deadline_s=PUSH_DEADLINE_S)
            await self._write(content, rooms[1:])
            return
        raise StorageFault(f"the fill program can't be written (code {answer.exit_code})")
