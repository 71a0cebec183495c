"""The ports of a rack whose daemon is tried for something else than handsets."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import anyio

from benchd.domain.port import PlugEvent


class NothingPlugged:
    """A rack's USB ports with no handset in any."""

    @asynccontextmanager
    async def events(self) -> AsyncGenerator[AsyncIterator[PlugEvent]]:
        async def none() -> AsyncIterator[PlugEvent]:
            await anyio.sleep_forever()
            yield  # pyright: ignore[reportReturnType] - never reached

        yield none()
