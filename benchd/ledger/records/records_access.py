"""The read model beside a running ledger: it follows by itself, and answers on its own threads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from pathlib import Path
from typing import Final, TypeVar

import anyio
import structlog
from anyio import CancelScope, CapacityLimiter, to_thread

from benchd.domain.disposal import OPEN, DisposalState
from benchd.domain.errors import LedgerFault, RecordsUnavailable
from benchd.domain.handset_file import (
    CertifiedBy,
    CertifiedLine,
    DisposalLine,
    Found,
    HandsetFile,
    JobLine,
    Upto,
)
from benchd.domain.lot_papers import AskedPapers, Listed
from benchd.domain.report import Asked, Report
from benchd.domain.shift import Bin, Shift, ShiftFigures
from benchd.domain.wakeup import Wakeup
from benchd.ledger.follower import Follower
from benchd.ledger.ledger_queries import LedgerReads
from benchd.ledger.records.read_model import NOTHING, ReadModel
from benchd.ledger.records.records_queries import Looker

PIECE_RECORDS: Final = 500
QUICK_S: Final = 10.0
LONG_S: Final = 60.0

_log = structlog.get_logger()
_Result = TypeVar("_Result")


class Records:
    """Follows a ledger and looks things up; whatever happens to its file, the ledger has it all."""

    def __init__(self, path: Path, ledger: LedgerReads) -> None:
        self._path = path
        self._ledger = ledger
        self._model: ReadModel | None = None
        self.follower = Follower()
        """Has to hear of the ledger's records."""
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

    async def run(self) -> None:
        """Follow the ledger until cancelled; what is damaged is made anew."""
        try:
            await self.follower.run(
                self._step, self._failed, faults=(RecordsUnavailable, LedgerFault)
            )
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
        self.follower.wake()

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

    async def _step(self) -> float:
        """Take in the next piece; a file that isn't to be believed any more is thrown away."""
        model = self._model or await self._opened()
        if self._again or model.damaged:
            await self._let_go(discard=True)
            return 0.0
        records = await self._ledger.entries_after(self.upto.sequence, PIECE_RECORDS)
        if records:
            await self._add(partial(model.take, records))
            self.upto = Upto(sequence=records[-1].sequence, hash=records[-1].hash_hex)
            self._advanced.fire()
        # Less than a whole one was the end; whoever adds to it since then wakes the follower.
        if len(records) == PIECE_RECORDS:
            return 0.0
        self.open_items = await self._look(Looker.counts)
        self._advanced.fire()
        return inf

    async def _failed(self, fault: Exception) -> None:
        _log.warning("records_fault", detail=str(fault))
        await self._let_go(discard=self._model is not None and self._model.damaged)

    async def _opened(self) -> ReadModel:
        """The file if it is of this very ledger, else an empty one."""
        self._again = False
        model = await self._add(partial(ReadModel, self._path))
        try:
            upto = await self._add(model.upto)
        except RecordsUnavailable:
            await self._add(model.discard)
            raise
        if upto.sequence and not await self._ledger.has(upto):
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
            self.follower.wake()
            raise
