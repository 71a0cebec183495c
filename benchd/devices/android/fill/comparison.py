"""Compares what comes from a handset with the keystream, block by block."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchd.devices.android.fill.fill_messages import LONGEST_BAD_LIST
from benchd.domain.fill import BLOCK_BYTES, BadRun, FilledFile
from benchd.domain.ports import Keystream


@dataclass(slots=True, kw_only=True)
class Comparison:
    """A part of one file as it comes in, `size_bytes` from `offset` on."""

    keystream: Keystream
    cipher: str
    key: bytes
    file: FilledFile
    offset: int
    size_bytes: int
    taken: int = 0
    proven: int = 0
    bad: int = 0
    runs: list[BadRun] = field(default_factory=list[BadRun])
    _waiting: bytearray = field(default_factory=bytearray)

    def take(self, data: bytes) -> None:
        """More of it."""
        self._waiting += data
        self.taken += len(data)
        whole = len(self._waiting) // BLOCK_BYTES * BLOCK_BYTES
        self._compare(bytes(self._waiting[:whole]))
        del self._waiting[:whole]

    def end(self) -> None:
        """Nothing more comes; what is missing is bad, and so is what is too much."""
        self._compare(bytes(self._waiting))
        self._waiting.clear()
        missing = self.size_bytes - self.taken
        if missing > 0:
            self._blame(self.taken, missing)

    def _compare(self, data: bytes) -> None:
        if not data:
            return
        begin = self.proven + self.bad
        at_begin = self.file.stream_offset + self.offset + begin
        wanted = self.keystream(self.cipher, self.key, at_begin, len(data))
        if begin + len(data) <= self.size_bytes and data == wanted:
            self.proven += len(data)
            return
        for at in range(0, len(data), BLOCK_BYTES):
            block = data[at : at + BLOCK_BYTES]
            fits = begin + at + len(block) <= self.size_bytes
            if fits and block == wanted[at : at + BLOCK_BYTES]:
                self.proven += len(block)
            else:
                self._blame(begin + at, len(block))

    def _blame(self, at: int, size_bytes: int) -> None:
        self.bad += size_bytes
        offset = self.offset + at
        last = self.runs[-1] if self.runs else None
        if last is not None and last.offset + last.size_bytes == offset:
            self.runs[-1] = BadRun(
                name=last.name, offset=last.offset, size_bytes=last.size_bytes + size_bytes
            )
        elif len(self.runs) < LONGEST_BAD_LIST:
            self.runs.append(BadRun(name=self.file.name, offset=offset, size_bytes=size_bytes))
