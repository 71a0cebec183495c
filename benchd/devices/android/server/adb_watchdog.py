"""The watch over a running adb server, whoever started it: it ends, or it falls silent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import anyio

from benchd.devices.android.adb import AdbServerLost
from benchd.devices.android.server.smart_socket import ServerPlace, server_version

PROBE_EVERY_S: Final = 5.0
PROBE_DEADLINE_S: Final = 5.0
MISSED_PROBES: Final = 3
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0
"""How soon a lost server is looked for again: twice as long each time, up to this."""


async def until_unusable(
    place: ServerPlace,
    ended: Callable[[], Awaitable[str]],
    *,
    after_probe: Callable[[], None] | None = None,
) -> str:
    """Return why the server is no longer to be used: what `ended` says, or that it's silent."""
    cause = "it doesn't answer"
    async with anyio.create_task_group() as tasks:

        async def until_it_ends() -> None:
            nonlocal cause
            cause = await ended()
            tasks.cancel_scope.cancel()

        tasks.start_soon(until_it_ends)
        await _until_silent(place, after_probe)
        tasks.cancel_scope.cancel()
    return cause


async def _until_silent(place: ServerPlace, after_probe: Callable[[], None] | None) -> None:
    missed = 0
    while missed < MISSED_PROBES:
        await anyio.sleep(PROBE_EVERY_S)
        try:
            await server_version(place, PROBE_DEADLINE_S)
            missed = 0
        except AdbServerLost:
            missed += 1
        if after_probe is not None:
            after_probe()
