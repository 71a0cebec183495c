"""The host's copies of the programs, as they go to every handset of the rack."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from benchd.devices.android.filler import Program
from benchd.devices.android.shell.commands import SEND_PIECE_BYTES
from benchd.devices.android.shell.packets import StdinPackets, packed


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """A program for one kind of processor, and the digest by which it's known."""

    size_bytes: int
    sha256: str
    packets: StdinPackets = field(repr=False)
    """Its bytes as they are sent: in packets that were made once for the whole rack."""


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
    with path.open("rb") as file:
        pieces = tuple(iter(partial(file.read, SEND_PIECE_BYTES), b""))
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return Binary(
        size_bytes=sum(map(len, pieces)), sha256=digest.hexdigest(), packets=packed(pieces)
    )
