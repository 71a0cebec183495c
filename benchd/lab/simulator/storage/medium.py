"""The flash chip of a virtual handset: numbered blocks in one sparse file, with faults."""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchd.lab.simulator.storage.faults import StorageFaults

BLOCK_BYTES = 4096


class FlashMedium:
    """Blocks that keep their content until it is overwritten, deleted or not, as flash does."""

    def __init__(self, *, directory: Path, block_count: int) -> None:
        self.block_count = block_count
        self.faults = StorageFaults()
        self.written_bytes = 0
        # It has no name, so that it is gone with this process, however that ends.
        with tempfile.TemporaryFile(dir=directory) as image:
            self._image = os.dup(image.fileno())
        os.ftruncate(self._image, block_count * BLOCK_BYTES)
        self._attempts: dict[int, int] = {}
        self._previous = bytes(BLOCK_BYTES)

    def close(self) -> None:
        """Let go of the image."""
        os.close(self._image)

    def write(self, blocks: Sequence[int], start: int, data: memoryview) -> None:
        """Write `data` over these blocks, beginning `start` bytes into the first one.

        Raises EIO where the chip says so; a chip that lies raises nothing.
        """
        self.written_bytes += len(data)
        if self.faults.hits_writes and self.written_bytes > self.faults.after_bytes:
            self._write_faultily(blocks, start, data)
            return
        done = 0
        for place, size in _runs(blocks, start, len(data)):
            os.pwrite(self._image, data[done : done + size], place)
            done += size

    def read(self, blocks: Sequence[int], start: int, size_bytes: int) -> bytes:
        """The bytes of these blocks, beginning `start` bytes into the first one."""
        if self.faults.read_error and self.written_bytes > self.faults.after_bytes:
            for block in blocks:
                if self.faults.refuses_read(block):
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
        return b"".join(
            os.pread(self._image, size, place) for place, size in _runs(blocks, start, size_bytes)
        )

    def blocks_holding(self, pattern: bytes) -> int:
        """How many blocks of the raw chip hold this pattern, used or free."""
        with mmap.mmap(self._image, self.block_count * BLOCK_BYTES, prot=mmap.PROT_READ) as raw:
            count = 0
            place = raw.find(pattern)
            while place >= 0:
                count += 1
                place = raw.find(pattern, (place // BLOCK_BYTES + 1) * BLOCK_BYTES)
            return count

    def _write_faultily(self, blocks: Sequence[int], start: int, data: memoryview) -> None:
        done = 0
        for block in blocks:
            within = start if done == 0 else 0
            piece = data[done : done + BLOCK_BYTES - within]
            done += len(piece)
            self._write_block(block, within, piece)

    def _write_block(self, block: int, within: int, piece: memoryview) -> None:
        faults = self.faults
        attempt = self._attempts[block] = self._attempts.get(block, -1) + 1
        previous, self._previous = self._previous, bytes(piece)
        if faults.refuses_write(block):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if faults.is_stuck(block) or faults.loses(block, attempt):
            return
        if faults.repeats(block, attempt):
            piece = memoryview(previous)[: len(piece)]
        elif faults.tears(block, attempt):
            piece = piece[: len(piece) // 2]
        os.pwrite(self._image, piece, block * BLOCK_BYTES + within)


def _runs(blocks: Sequence[int], start: int, size_bytes: int) -> Iterator[tuple[int, int]]:
    """Places in the image and their sizes, neighbouring blocks taken together."""
    place, size, left = -1, 0, size_bytes
    within = start
    for block in blocks:
        piece = min(BLOCK_BYTES - within, left)
        at = block * BLOCK_BYTES + within
        if size and at == place + size:
            size += piece
        else:
            if size:
                yield place, size
            place, size = at, piece
        left -= piece
        within = 0
    if size:
        yield place, size
