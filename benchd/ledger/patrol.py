"""Walks the whole chain while the daemon works: slowly, at most once a day, behind every append.

A start checks only the end of a ledger. What somebody changed further back is found here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

import anyio
import structlog

from benchd.domain.errors import LedgerBroken
from benchd.domain.ids import Evidence
from benchd.domain.ports import Clock
from benchd.domain.record import Entry, EntryKind
from benchd.ledger.anchor_divergence import DIVERGED, divergence_of
from benchd.ledger.head import EMPTY_HEAD, Head
from benchd.ledger.ledger_access import SqliteLedger
from benchd.ledger.witness import Witness

EVERY: Final = timedelta(days=1)
AFTER_START_S: Final = 60.0
"""A rack that has just been switched on has better things to do."""
PIECE_RECORDS: Final = 100
PAUSE_S: Final = 0.5
"""Between two pieces: a million records take less than two hours, and a few percent of a core."""

_log = structlog.get_logger()


class PatrolSink(Protocol):
    """Who hears how the ledger is."""

    def walked(self, share: float) -> None:
        """This much of the chain has been looked at in this pass."""
        ...

    def sound(self, at: datetime) -> None:
        """The whole chain held at this time."""
        ...

    def broken(self, detail: str) -> None:
        """The chain doesn't hold."""
        ...

    def diverged(self) -> None:
        """An anchor knows more than the ledger: an older one was put back."""
        ...


class Patrol:
    """One pass after the other, as long as the daemon lives."""

    def __init__(
        self,
        ledger: SqliteLedger,
        record: Callable[[Entry], Awaitable[object]],
        clock: Clock,
        sink: PatrolSink,
    ) -> None:
        """`record` keeps an entry; it's the ledger as everybody else uses it."""
        self._ledger = ledger
        self._record = record
        self._clock = clock
        self._sink = sink

    async def recall(self) -> None:
        """Tell what the last pass has found: a break isn't forgotten by a restart."""
        if await divergence_of(self._ledger) is not None:
            self._sink.diverged()
        last = await self._ledger.newest_of(EntryKind.LEDGER_CHECKED)
        match last.entry.data if last else None:
            case {"broken_at": None, "records": int()}:
                self._sink.sound(last.entry.at if last else self._clock.now())
            case {"broken_at": int(), "detail": str() as detail}:
                self._sink.broken(detail)
            case _:
                pass

    async def run(self) -> None:
        """Walk whenever a pass is due, until cancelled."""
        await anyio.sleep(AFTER_START_S)
        while True:
            await anyio.sleep(await self._due_in_s())
            await self.walk()

    async def walk(self) -> None:
        """One whole pass; a break shuts the door even before it's on record."""
        target = self._ledger.head
        try:
            records = await self._follow_to(target)
        except LedgerBroken as error:
            _log.error("ledger_broken", sequence=error.sequence, detail=str(error))
            self._sink.broken(str(error))
            await self._keep({"broken_at": error.sequence, "detail": str(error)})
        else:
            await self._keep({"broken_at": None, "records": records, "head": target.sequence})
            self._sink.sound(self._clock.now())

    async def _follow_to(self, target: Head) -> int:
        end, records = EMPTY_HEAD, 0
        while end.sequence < target.sequence:
            before = end
            end, walked = await self._ledger.follow(before, PIECE_RECORDS)
            if end == before:
                message = f"record {end.sequence + 1} is missing, and the head was beyond it"
                raise LedgerBroken(message, sequence=end.sequence + 1)
            records += walked
            self._sink.walked(min(1.0, end.sequence / target.sequence))
            await anyio.sleep(PAUSE_S)
        # A chain that was made anew as a whole holds together too, but isn't the one written here.
        if target.sequence:
            await self._ledger.check_witness(Witness(told_by="the daemon itself", head=target))
        return records

    async def _due_in_s(self) -> float:
        last = await self._ledger.newest_of(EntryKind.LEDGER_CHECKED)
        if last is None:
            return 0.0
        age = self._clock.now() - last.entry.at
        # A clock that was set back must not put passes off: a rack that is switched off each night
        # would never see a whole day go by.
        return max(0.0, (EVERY - age).total_seconds()) if age >= timedelta() else 0.0

    async def _keep(self, found: Evidence) -> None:
        told = await divergence_of(self._ledger)
        data = found if told is None else {**found, DIVERGED: told}
        entry = Entry(kind=EntryKind.LEDGER_CHECKED, at=self._clock.now(), data=data)
        await self._record(entry)
