"""Sends a written ledger to a centre, from whatever that has, until it is told to stop."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from benchd.ledger.head import Head
from benchd.outbound.fleet.centre_client import HttpCentre
from benchd.outbound.fleet.ports import Taken
from benchd.outbound.http_post import Failure
from tests.fleet.referee import Referee
from tests.fleet.written_ledger import WrittenLedger

BATCH = 50
MOST_PLACES = 128


@dataclass
class LedgerSender:
    """One rack: it writes, sends, and remembers what was acknowledged."""

    ledger: WrittenLedger
    centre: HttpCentre
    referee: Referee
    acknowledged: int = 0
    has: int | None = None
    """How far the centre has come; None where it has to be asked."""
    refused: set[str] = field(default_factory=set)
    """Why something wasn't acknowledged."""
    era: int = 0
    acknowledged_of: int = 0
    """The newest era in which something was sent that was acknowledged."""

    @property
    def newest(self) -> int:
        return self.ledger.places[-1][0]

    async def step(self) -> bool:
        """A batch after what the centre has; whether it was acknowledged."""
        if self.has is None:
            places = [place for place in self.ledger.places[:0:-1] if place[0] % BATCH == 0]
            asked = [Head(sequence=at, hash=hash_) for at, hash_ in places[:MOST_PLACES]]
            had = await self.centre.newest_of(asked)
            if isinstance(had, Failure):
                self.refused.add(had.why)
                return False
            self.has = had.newest.sequence
        after = min(self.has, self.newest - 1)
        # Until it has answered nobody knows.
        self.has = None
        era = self.era
        taken = await self.centre.take(self.ledger.batch(after, after + BATCH))
        if not isinstance(taken, Taken):
            self.refused.add(taken.why)
            return False
        tip = taken.checkpoint.of.tip
        assert (tip.sequence, tip.hash) in self.ledger.places
        self.referee.acknowledged.add((tip.sequence, tip.hash))
        self.acknowledged = max(self.acknowledged, tip.sequence)
        self.has = tip.sequence
        self.acknowledged_of = era
        return True

    async def send(self) -> None:
        """Until the centre has all that is written by now."""
        while self.has != self.newest:
            if not await self.step():
                await anyio.sleep(0.2)

    async def write_and_send(self) -> None:
        """Without an end."""
        while True:
            self.ledger.add("on", 7)
            if not await self.step():
                await anyio.sleep(0.2)

    def written_to(self, path: Path) -> Path:
        """The ledger as a file, as the referee reads it."""
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("CREATE TABLE record (sequence INTEGER PRIMARY KEY, body BLOB)")
            file.executemany(
                "INSERT INTO record VALUES (?, ?)",
                [(number, body) for number, _, body in self.ledger.records],
            )
        return path
