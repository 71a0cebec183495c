"""The content of files on a flash medium: bounded, block-granular, freed at once when deleted."""

from __future__ import annotations

import errno
import os
from array import array

from benchd.lab.simulator.storage.file_nodes import HOLE, File
from benchd.lab.simulator.storage.medium import BLOCK_BYTES, FlashMedium
from benchd.lab.simulator.storage.space import Space, no_space


class Volume:
    """Reads and writes file contents. Not safe for threads: the file system above holds a lock."""

    def __init__(self, *, medium: FlashMedium, space: Space) -> None:
        self.medium = medium
        self.space = space

    def write(self, file: File, offset: int, data: bytes) -> int:
        """Write as much as there is room for; raises ENOSPC when that is nothing."""
        _require_present(file)
        if not data:
            return 0
        end = self._make_room(file, offset, offset + len(data))
        first, last = offset // BLOCK_BYTES, (end - 1) // BLOCK_BYTES
        self.medium.write(
            file.blocks[first : last + 1],
            offset - first * BLOCK_BYTES,
            memoryview(data)[: end - offset],
        )
        file.size_bytes = max(file.size_bytes, end)
        return end - offset

    def read(self, file: File, offset: int, size_bytes: int) -> bytes:
        """Bytes of a file; what was never written reads as zeros."""
        _require_present(file)
        end = min(offset + size_bytes, file.size_bytes)
        if end <= offset:
            return b""
        first, last = offset // BLOCK_BYTES, (end - 1) // BLOCK_BYTES
        blocks = file.blocks[first : last + 1]
        start = offset - first * BLOCK_BYTES
        if len(blocks) == last + 1 - first and HOLE not in blocks:
            return self.medium.read(blocks, start, end - offset)
        pieces = [self._read_block(file, number, offset, end) for number in range(first, last + 1)]
        return b"".join(pieces)

    def resize(self, file: File, size_bytes: int) -> None:
        """Cut a file off, or lengthen it by a hole."""
        _require_present(file)
        keep = -(-size_bytes // BLOCK_BYTES)
        self.space.give_back(file.blocks[keep:])
        del file.blocks[keep:]
        within = size_bytes % BLOCK_BYTES
        if size_bytes < file.size_bytes and within and len(file.blocks) == keep:
            last = file.blocks[keep - 1]
            if last != HOLE:
                # What was cut off must not come back when the file grows again.
                self.medium.write([last], within, memoryview(bytes(BLOCK_BYTES - within)))
        file.size_bytes = size_bytes

    def reserve(self, file: File, offset: int, size_bytes: int) -> None:
        """Give a file its blocks before they are written, all or none (fallocate)."""
        _require_present(file)
        first, last = offset // BLOCK_BYTES, (offset + size_bytes - 1) // BLOCK_BYTES
        _lengthen(file, last + 1)
        missing = [number for number in range(first, last + 1) if file.blocks[number] == HOLE]
        if len(missing) > self.space.available_blocks:
            raise no_space()
        zeros = bytes(BLOCK_BYTES)
        for number, block in zip(missing, self.space.take(len(missing)), strict=True):
            file.blocks[number] = block
            self.medium.write([block], 0, memoryview(zeros))

    def free(self, file: File) -> None:
        """Free all blocks of a file that is gone."""
        if not file.gone:
            self.space.give_back(file.blocks)
        file.blocks = array("i")
        file.size_bytes = 0

    def _make_room(self, file: File, offset: int, end: int) -> int:
        """Give the file its missing blocks; returns how far the room goes."""
        first, last = offset // BLOCK_BYTES, (end - 1) // BLOCK_BYTES
        _lengthen(file, last + 1)
        if HOLE not in file.blocks[first : last + 1]:
            return end
        missing = [number for number in range(first, last + 1) if file.blocks[number] == HOLE]
        granted = self.space.take(len(missing))
        for number, block in zip(missing, granted, strict=False):
            file.blocks[number] = block
        if len(granted) < len(missing):
            end = missing[len(granted)] * BLOCK_BYTES
            while file.blocks and file.blocks[-1] == HOLE:
                file.blocks.pop()
            if end <= offset:
                raise no_space()
        for number in {first, (end - 1) // BLOCK_BYTES}.intersection(missing):
            starts_inside = offset > number * BLOCK_BYTES
            ends_inside = end < (number + 1) * BLOCK_BYTES
            if starts_inside or ends_inside:
                # A new block reads as zeros where it isn't written, not as its old content.
                self.medium.write([file.blocks[number]], 0, memoryview(bytes(BLOCK_BYTES)))
        return end

    def _read_block(self, file: File, number: int, offset: int, end: int) -> bytes:
        start = max(offset, number * BLOCK_BYTES)
        size = min(end, (number + 1) * BLOCK_BYTES) - start
        if number >= len(file.blocks) or file.blocks[number] == HOLE:
            return bytes(size)
        return self.medium.read([file.blocks[number]], start - number * BLOCK_BYTES, size)


def _lengthen(file: File, block_count: int) -> None:
    missing = block_count - len(file.blocks)
    if missing > 0:
        file.blocks.extend([HOLE] * missing)


def _require_present(file: File) -> None:
    if file.gone:
        raise OSError(errno.EIO, os.strerror(errno.EIO))
