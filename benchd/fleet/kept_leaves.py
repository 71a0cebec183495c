"""Puts the centre's signed list of leaves into a locked store whenever it has changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar

import anyio
import psycopg
import structlog
from anyio import CapacityLimiter, to_thread

from benchd.domain.errors import DependencyMissing
from benchd.fleet.fleet_database import FleetDatabase, NotAcknowledged
from benchd.fleet.leaf_list import branches_of, encode_leaves
from benchd.fleet.locked_store import LockedStore, StoreAway
from benchd.ledger.fleet_checkpoint import Branch
from benchd.signing.private_key import SigningKey

START_S: Final = 20.0
"""So long a start waits for the store to be checked; racks keep what they have meanwhile."""
ONE_CALL_S: Final = 60.0
AGAIN_S: Final = 60.0
"""After a failure it is tried again that soon."""

_log = structlog.get_logger()
_Answer = TypeVar("_Answer")


class KeptLeaves:
    """No rack waits for it, and a store that is away is told once."""

    def __init__(
        self,
        database: FleetDatabase,
        key: SigningKey,
        now: Callable[[], datetime],
        store: LockedStore,
        every_s: float,
    ) -> None:
        self._database = database
        self._key = key
        self._now = now
        self._store = store
        self._every_s = every_s
        self._one = CapacityLimiter(1)
        self._kept: list[Branch] | None = None
        self._is_told = False

    async def begin(self) -> None:
        """Check the store by a first list. Raises DependencyMissing for one that doesn't lock."""
        try:
            with anyio.fail_after(START_S):
                await self.keep()
        except (StoreAway, NotAcknowledged, psycopg.Error, TimeoutError) as error:
            self._tell(error)

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await anyio.sleep(min(self._every_s, AGAIN_S) if self._is_told else self._every_s)
            try:
                await self.keep()
            except (
                StoreAway,
                DependencyMissing,
                NotAcknowledged,
                psycopg.Error,
                TimeoutError,
            ) as error:
                self._tell(error)

    async def keep(self) -> None:
        """Put the list, unless the store has the same already."""
        async with self._database.transaction() as connection:
            leaves = await branches_of(connection)
        if leaves == self._kept:
            return
        at = self._now().astimezone(UTC)
        name = f"leaves/{at:%Y-%m-%dT%H:%M:%S.%f}Z.json"
        is_first = self._kept is None
        if is_first:
            await self._ask(self._store.check)
        content = encode_leaves(leaves, at, self._key)
        version = await self._ask(partial(self._store.put, name, content))
        if is_first:
            await self._ask(partial(self._store.try_to_undo, name, version))
        self._kept, self._is_told = leaves, False
        _log.info("fleet_leaves_kept", path=name, count=len(leaves))

    async def _ask(self, ask: Callable[[], _Answer]) -> _Answer:
        with anyio.fail_after(ONE_CALL_S):
            return await to_thread.run_sync(ask, limiter=self._one, abandon_on_cancel=True)

    def _tell(self, error: Exception) -> None:
        if not self._is_told:
            detail = str(error) or f"{self._store.name} doesn't answer in time"
            _log.error("fleet_locked_store", detail=detail)
        self._is_told = True
