"""The read model beside a running ledger: it follows by itself, and answers on its own threads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeVar

import anyio
import structlog
from anyio import CancelScope, CapacityLimiter, to_thread

from benchd.errors import LedgerFault, RecordsUnavailable
from benchd.records.looking import Looker
from benchd.records.model import NOTHING, ReadModel
from benchd.wakeup import Bell, Wakeup
from benchd.words.disposal import OPEN, DisposalState
from benchd.words.handset_file import (
    CertifiedBy,
    CertifiedLine,
    DisposalLine,
    Found,
    HandsetFile,
    JobLine,
    Upto,
)
from benchd.words.lot_papers import AskedPapers, Listed
from benchd.words.record import Entry, StoredEntry
from benchd.words.report import Asked, Report
from benchd.words.shift import Bin, Shift, ShiftFigures

PIECE_RECORDS: Final = 500
PAUSE_S: Final = 0.005
"""Between two pieces: a rack that works goes first."""
AFTER_FAULT_S: Final = 5.0
QUICK_S: Final = 10.0
LONG_S: Final = 60.0

_log = structlog.get_logger()
_Result = TypeVar("_Result")


class LedgerFeed(Protocol):
    """A ledger that can be read from any record on."""

    async def entries_after(self, sequence: int, most: int) -> Sequence[StoredEntry]:
        """So many records after a known one, in order."""
        ...

    async def entry_at(self, sequence: int) -> StoredEntry | None:
        """The record of this number."""
        ...


class Records:
    """Follows a ledger and looks things up; whatever happens to its file, the ledger has it all."""

    def __init__(self, path: Path, feed: LedgerFeed) -> None:
        self._path = path
        self._feed = feed
        self._model: ReadModel | None = None
        self._bell = Bell()
        self._advanced = Wakeup()
        self._adding = CapacityLimiter(1)
        self._quick = CapacityLimiter(1)
        self._long = CapacityLimiter(1)
        self._again = False
        self.remade = 0
        """How often it was thrown away."""
        self.upto = NOTHING
        """Up to where it is true."""
        self.open_items: Mapping[DisposalState, int] = dict.fromkeys(OPEN, 0)
        """How many handsets wait for somebody, by state, as of `upto`."""

    def stored(self, entry: Entry) -> None:
        """The ledger has another record; returns at once."""
        del entry
        self._bell.ring()

    def recalled(self, entry: Entry) -> None:
        """A former daemon's job that is still open: its records are in the ledger."""
        del entry

    async def run(self) -> None:
        """Follow the ledger until cancelled; what is damaged is made anew."""
        try:
            while True:
                try:
                    await self._follow()
                    await self._let_go(discard=True)
                except (RecordsUnavailable, LedgerFault) as fault:
                    _log.warning("records_fault", detail=str(fault))
                    await self._let_go(discard=self._model is not None and self._model.damaged)
                    await anyio.sleep(AFTER_FAULT_S)
        finally:
            with CancelScope(shield=True):
                await self._let_go(discard=False)

    async def reached(self, sequence: int) -> None:
        """Wait until it is true up to this record."""
        await self.until(lambda: self.upto.sequence >= sequence)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until this holds, which is looked at whenever it has advanced."""
        await self._advanced.until(holds)

    def make_anew(self) -> None:
        """Throw it away and read the whole ledger again; returns at once."""
        self._again = True
        self._bell.ring()

    async def find(self, text: str) -> Found:
        """The handsets with this in one of their numbers; raises UsageRefused if it's too short."""
        return await self._look(lambda looker: looker.find(text))

    async def handset(self, key: str) -> HandsetFile:
        """Everything about the handset of this job; raises NotFound."""
        return await self._look(lambda looker: looker.handset(key))

    async def certified(self, by: CertifiedBy, text: str) -> Sequence[CertifiedLine]:
        """The newest jobs with a certificate that have exactly this."""
        return await self._look(lambda looker: looker.certified(by, text))

    async def items(
        self, states: Sequence[DisposalState] = OPEN, batch: str | None = None
    ) -> tuple[DisposalLine, ...]:
        """Handsets in these states, the oldest first."""
        return await self._look(lambda looker: looker.items(states, batch))

    async def jobs(self, jobs: Sequence[str]) -> Sequence[JobLine]:
        """Those of these jobs that are there, in the order in which they were opened."""
        return await self._look(lambda looker: looker.jobs(jobs))

    async def jobs_of(self, asked: AskedPapers, lots: Collection[str]) -> Listed:
        """Those of these lots, else those that ended in the span; UsageRefused for too many."""
        return await self._look(lambda looker: looker.jobs_of(asked, lots), quick=False)

    async def report(self, asked: Asked, *, named: bool) -> Report:
        """The figures of what came in, with jobs and tags of the whole if they are `named`."""
        return await self._look(lambda looker: looker.report(asked, named=named), quick=False)

    async def shift(self, shift: Shift) -> ShiftFigures:
        """What a shift has done."""
        return await self._look(lambda looker: looker.shift(shift), quick=False)

    async def bins(self) -> Sequence[Bin]:
        """How many handsets wait in each open state, and which waits longest."""
        return await self._look(Looker.bins)

    async def _follow(self) -> None:
        """Returns once the file isn't to be believed any more."""
        self._again = False
        model = await self._opened()
        while not (self._again or model.damaged):
            await self._catch_up(model)
            self.open_items = await self._look(Looker.counts)
            self._advanced.fire()
            await self._bell.wait()

    async def _catch_up(self, model: ReadModel) -> None:
        whole_piece = True
        # Less than a whole one was the end; whoever adds to it since then rings.
        while whole_piece:
            records = await self._feed.entries_after(self.upto.sequence, PIECE_RECORDS)
            whole_piece = len(records) == PIECE_RECORDS
            if records:
                await self._add(partial(model.take, records))
                self.upto = Upto(sequence=records[-1].sequence, hash=records[-1].hash_hex)
                self._advanced.fire()
                await anyio.sleep(PAUSE_S)

    async def _opened(self) -> ReadModel:
        """The file if it is of this very ledger, else an empty one."""
        model = await self._add(partial(ReadModel, self._path))
        try:
            upto = await self._add(model.upto)
        except RecordsUnavailable:
            await self._add(model.discard)
            raise
        known = await self._feed.entry_at(upto.sequence) if upto.sequence else None
        if upto.sequence and (known is None or known.hash_hex != upto.hash):
            _log.warning("records_of_another_ledger", sequence=upto.sequence)
            await self._add(model.discard)
            model = await self._add(partial(ReadModel, self._path))
            upto = NOTHING
        self.upto, self._model = upto, model
        return model

    async def _let_go(self, *, discard: bool) -> None:
        model, self._model = self._model, None
        if model is not None:
            with suppress(OSError):
                await self._add(model.discard if discard else model.close)
            if discard:
                self.upto = NOTHING
                self.remade += 1

    async def _add(self, call: Callable[[], _Result]) -> _Result:
        return await to_thread.run_sync(call, limiter=self._adding)

    async def _look(self, ask: Callable[[Looker], _Result], *, quick: bool = True) -> _Result:
        model = self._model
        if model is None:
            message = "the file of records is being opened or made anew: try again in a while"
            raise RecordsUnavailable(message)
        try:
            with anyio.fail_after(QUICK_S if quick else LONG_S):
                return await to_thread.run_sync(
                    partial(model.look, ask, quick=quick),
                    limiter=self._quick if quick else self._long,
                    abandon_on_cancel=True,
                )
        except TimeoutError as error:
            model.interrupt()
            message = "the file of records gave no answer in time"
            raise RecordsUnavailable(message) from error
        except RecordsUnavailable:
            self._bell.ring()
            raise
