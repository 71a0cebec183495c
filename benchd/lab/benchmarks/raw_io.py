"""The fastest that the medium can be written and read: a ready-made buffer, past the cache."""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path

CHUNK_BYTES = 4 << 20


def write_ready_made(file: Path, size_bytes: int) -> float:
    """Seconds to write so many bytes of one random buffer with O_DIRECT, synced."""
    with mmap.mmap(-1, CHUNK_BYTES) as buffer:
        buffer.write(os.urandom(CHUNK_BYTES))
        begun = time.monotonic()
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_DIRECT)
        try:
            for offset in range(0, size_bytes, CHUNK_BYTES):
                os.pwritev(descriptor, [buffer], offset)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return time.monotonic() - begun


def read_and_forget(file: Path) -> float:
    """Seconds to read the whole file with O_DIRECT."""
    with mmap.mmap(-1, CHUNK_BYTES) as buffer:
        begun = time.monotonic()
        descriptor = os.open(file, os.O_RDONLY | os.O_DIRECT)
        try:
            offset = 0
            while count := os.preadv(descriptor, [buffer], offset):
                offset += count
        finally:
            os.close(descriptor)
        return time.monotonic() - begun
