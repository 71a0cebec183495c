"""Since when the rack's key has signed, for whoever watches that it's changed in time."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from benchd.ports import Clock
from benchd.signing.ring import KeyRing
from benchd.words.record import StoredEntry


class NumberedLedger(Protocol):
    """A ledger whose records are found by their number."""

    async def entry_at(self, sequence: int) -> StoredEntry | None:
        """The record of a number."""
        ...


async def key_created(ring: KeyRing, ledger: NumberedLedger, clock: Clock) -> datetime:
    """When the last rotation was; else when the ledger began, or now where it hasn't."""
    if ring.rotations:
        return ring.rotations[-1].retirement.at
    first = await ledger.entry_at(1)
    return first.entry.at if first is not None else clock.now()
