"""The shell that reads blocks as it is asked for them, as the crowd plays it.

Its words are those of `benchd/android/fill/sample_stream.py`, and of `benchd/filler/cache`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from benchd.lab.benchmarks.crowd.handset import CrowdHandset
from benchd.lab.benchmarks.crowd.packets import Stdin
from benchd.lab.benchmarks.crowd.storage import BLOCK_BYTES

LONGEST_REQUEST_BYTES: Final = 1 << 10
_TOLD: Final = "cache {} page_bytes=4096 pages={} resident={}\n"


async def read_blocks(
    handset: CrowdHandset,
    stdin: Stdin,
    say: Callable[[bytes], Awaitable[None]],
    think: Callable[[], Awaitable[None]],
) -> bool:
    """Answer each request until there are no more; False where the host has left instead."""
    asked = b""
    while piece := await stdin.read():
        asked += piece
        *lines, asked = asked.split(b"\n")
        if len(asked) > LONGEST_REQUEST_BYTES:
            return False
        for line in lines:
            await think()
            await say(_answer(handset, line.decode()))
    return piece is not None


def _answer(handset: CrowdHandset, request: str) -> bytes:
    mark, name, *numbers = request.split(" ")
    begin, size_bytes, first, count = map(int, numbers)
    data = handset.storage.read(name, first, count)
    if data is None:
        failed = "cache failed no such file or directory\n"
        return f"{mark}\n{failed}{failed}{mark} 4\n".encode()
    held = len(handset.storage.probe if name == "probe" else b"")
    held = held or handset.storage.written[name].size_bytes
    pages = -(-max(0, min(begin + size_bytes, held) - begin) // BLOCK_BYTES)
    before, after = _TOLD.format("empty", pages, 0), _TOLD.format("count", pages, pages)
    return b"".join(
        (f"{mark}\n{before}".encode(), data, f"{after}{mark} 0\n".encode()),
    )
