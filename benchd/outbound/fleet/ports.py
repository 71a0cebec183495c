"""What the rack's sender works with: a centre, which tests make lose things, and checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from benchd.ledger.fleet_checkpoint import Checkpoint
from benchd.ledger.head import Head
from benchd.outbound.http_post import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreStatus:
    """What the centre says of this rack besides."""

    forks: int
    restores: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Had(CentreStatus):
    """The newest of the records that were asked for."""

    newest: Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken(CentreStatus):
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


class Checkpoints(Protocol):
    """What the centre has acknowledged, and what becomes of its word."""

    async def acknowledged(self) -> Head | None:
        """The last record of this ledger that the centre has signed for. Raises LedgerFault."""
        ...

    async def compare(self, newest: Head) -> None:
        """The centre has this and nothing later of the records that it has signed for."""
        ...

    async def received(self, taken: Taken, *, is_ours: bool) -> None:
        """A checkpoint has come; `is_ours` says whether the ledger has the record that it names."""
        ...

    async def record_due(self) -> None:
        """Put the newest on record where it is time. Raises LedgerFault where nothing is read."""
        ...
