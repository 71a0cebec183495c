"""The thread that parses answers larger than a handset's usual ones: the loop goes on meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

T = TypeVar("T")

USUAL_BYTES: Final = 256 << 10
"""Reading so much takes some 20 ms at worst; a usual inspection is a third of it."""

_THREAD = RunVar[anyio.CapacityLimiter]("benchd_parsing_thread")


async def read_beside(size_bytes: int, read: Callable[[], T]) -> T:
    """What `read` makes of so many bytes, at once or, if they are many, in the rack's one thread.

    It has to be a mere computation over what is there: it can't be ended halfway.
    """
    if size_bytes <= USUAL_BYTES:
        return read()
    try:
        thread = _THREAD.get()
    except LookupError:
        thread = anyio.CapacityLimiter(1)
        _THREAD.set(thread)
    return await anyio.to_thread.run_sync(read, limiter=thread)
