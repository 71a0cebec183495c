"""Several hands that move in one instant."""

from __future__ import annotations

from collections.abc import Iterable

import anyio


class Together:
    """Each waits until all are ready or have given up."""

    def __init__(self, names: Iterable[str]) -> None:
        self._missing = set(names)
        self._all = anyio.Event()

    def arrive(self, name: str) -> None:
        """This one is ready, or won't come."""
        self._missing.discard(name)
        if not self._missing:
            self._all.set()

    async def wait(self) -> None:
        """Until everybody is there."""
        await self._all.wait()
