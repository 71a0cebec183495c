"""Puts the centre's signed list of leaves into a locked store whenever it has changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
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
from benchd.fleet.locked_store import LockedStore, StoreAway, VersionGone
from benchd.ledger.fleet_checkpoint import Branch
from benchd.signing.private_key import SigningKey

START_S: Final = 20.0
"""So long a start waits for the store to be checked; racks keep what they have meanwhile."""
ONE_CALL_S: Final = 60.0
AGAIN_S: Final = 60.0
"""After a failure it is tried again that soon."""

_log = structlog.get_logger()
_Answer = TypeVar("_Answer")
_CHANGING: Final = re.compile(r"leaves/\S+|0x\w+")
"""In what is told of a failure: a list's own name, an object's address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Put:
    """A list that the store has taken, and whose lock isn't seen and tried yet."""

    leaves: list[Branch]
    name: str
    version: str


class KeptLeaves:
    """No rack waits for it, and one failure of the store is told once."""

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
        self._put: _Put | None = None
        self._told = ""

    async def begin(self) -> None:
        """Check the store by a first list. Raises DependencyMissing for one that doesn't lock.

        What says nothing of its lock, as credentials that were taken away, stops no rack.
        """
        try:
            with anyio.fail_after(START_S):
                await self.keep()
        except (StoreAway, NotAcknowledged, psycopg.Error, TimeoutError) as error:
            self._tell(error)

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await anyio.sleep(min(self._every_s, AGAIN_S) if self._told else self._every_s)
            try:
                await self.keep()
            except Exception as error:  # noqa: BLE001 - a bulkhead: intake and questions go on
                self._tell(error)

    async def keep(self) -> None:
        """Put the list, unless the store has the same already."""
        async with self._database.transaction() as connection:
            leaves = await branches_of(connection)
        while leaves != self._kept:
            if self._kept is None:
                await self._ask(self._store.check)
            if self._put is None:
                self._put = await self._new(leaves)
            put = self._put
            # A list can't be taken back: one whose lock couldn't be tried is tried again.
            lock = self._store.try_to_undo if self._kept is None else self._store.require_lock
            try:
                await self._ask(partial(lock, put.name, put.version))
            except (DependencyMissing, VersionGone):
                self._put = None
                raise
            self._kept, self._put, self._told = put.leaves, None, ""
            _log.info("fleet_leaves_kept", path=put.name, count=len(put.leaves))

    async def _new(self, leaves: list[Branch]) -> _Put:
        at = self._now().astimezone(UTC)
        name = f"leaves/{at:%Y-%m-%dT%H:%M:%S.%f}Z.json"
        content = encode_leaves(leaves, at, self._key)
        version = await self._ask(partial(self._store.put, name, content))
        return _Put(leaves=leaves, name=name, version=version)

    async def _ask(self, ask: Callable[[], _Answer]) -> _Answer:
        with anyio.fail_after(ONE_CALL_S):
            return await to_thread.run_sync(ask, limiter=self._one, abandon_on_cancel=True)

    def _tell(self, error: Exception) -> None:
        late = f"{self._store.name} doesn't answer in time"
        detail = str(error) or (late if isinstance(error, TimeoutError) else repr(error))
        told = _CHANGING.sub("", detail)
        if told != self._told:
            _log.error("fleet_locked_store", detail=detail)
        self._told = told
