"""The centre as the rack's sender sees it: tests put one there that loses what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from benchd.ledger.fleet_checkpoint import Checkpoint
from benchd.ledger.head import Head
from benchd.outbound.posting import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the centre says of this rack besides."""

    forks: int
    restores: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Had(Told):
    """The newest of the records that were asked for."""

    newest: Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken(Told):
    """Records are acknowledged."""

    checkpoint: Checkpoint
    signed: bytes


class Centre(Protocol):
    """Who takes the records. Never raises."""

    async def newest_of(self, places: list[Head]) -> Had | Failure:
        """The newest of these records that it has."""
        ...

    async def take(self, batch: bytes) -> Taken | Failure:
        """Hand over a batch."""
        ...
