"""Reads of one connection in turns: a read's time begins with its turn, and its turn ends with it.

A read that takes too long is interrupted. For a slot it begins anew, since slowness alone is no
reason to be without a ledger; a visitor is refused, and that one alone.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from queue import SimpleQueue
from typing import Final

import anyio
import structlog
from anyio import CapacityLimiter, to_thread

from benchd.domain.errors import LedgerBusy, LedgerFault, ReadCutShort
from benchd.domain.record import StoredEntry
from benchd.ledger.reader import LedgerReader

MOST_WAITING: Final = 32
"""Of visitors' reads; whoever comes then is refused at once."""
CUT_AGAIN_S: Final = 0.25
"""An interruption between two statements is lost."""
LONGEST_TRY_S: Final = 3600.0
END_WAIT_S: Final = 5.0

Values = Sequence[str | int]

_log = structlog.get_logger()


class _Asked:
    """A read that has its turn."""

    def __init__(self, read: Callable[[], list[StoredEntry]]) -> None:
        self._read = read
        self._found: list[StoredEntry] | None = None
        self._fault: Exception | None = None
        self.done = anyio.Event()
        self.given_up = False

    def run(self) -> None:
        """On the reader's thread."""
        if self.given_up:
            return
        try:
            self._found = self._read()
        except Exception as fault:  # noqa: BLE001 - it's raised where the read was asked for
            self._fault = fault

    def answer(self) -> list[StoredEntry]:
        """Once it's done."""
        if self._fault is not None:
            raise self._fault
        if self._found is None:
            raise LedgerFault("the ledger gave no answer")
        return self._found


class ReadTurns:
    """Has the only hand on a reader; made and used on one event loop."""

    def __init__(self, reader: LedgerReader, *, name: str, within_s: float) -> None:
        """`within_s` is what a read may take before it is interrupted."""
        self._reader = reader
        self._within_s = within_s
        self._loop = asyncio.get_running_loop()
        # Taken by who asks, given back at the thread's end: also of what nobody waits for any more.
        self._turn = anyio.Semaphore(1, max_value=1, fast_acquire=True)
        self._waiting = 0
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._ended = False
        # A disk that hangs for ever mustn't keep the process from its end.
        self._thread = threading.Thread(target=self._run, name=f"ledger-{name}", daemon=True)
        self._thread.start()

    async def surely(self, condition: str, values: Values) -> list[StoredEntry]:
        """What is found, however long it takes: a read that is too slow begins anew.

        It has twice the time then. Raises LedgerFault for whatever isn't slowness.
        """
        within_s = self._within_s
        while True:
            await self._turn.acquire()
            with self._asking(condition, values, within_s) as asked:
                await asked.done.wait()
            try:
                return asked.answer()
            except ReadCutShort as cut:
                _log.warning("ledger_read_slow", seconds=round(within_s, 3), detail=str(cut))
                within_s = min(2 * within_s, LONGEST_TRY_S)

    async def or_refuse(self, condition: str, values: Values) -> list[StoredEntry]:
        """What is found in time, for a visitor; raises LedgerBusy where it isn't."""
        await self._turn_in_time()
        with self._asking(condition, values, self._within_s) as asked:
            # A disk that hangs can't be interrupted.
            with anyio.move_on_after(self._within_s + CUT_AGAIN_S):
                await asked.done.wait()
        if asked.given_up:
            raise LedgerBusy("the ledger's disk doesn't answer: try again in a while")
        try:
            return asked.answer()
        except ReadCutShort as cut:
            raise LedgerBusy("the ledger took too long to read: try again in a while") from cut

    async def aclose(self) -> None:
        """Close the reader; gives up a disk that hangs."""
        self._ended = True
        self._reader.interrupt()
        self._asked.put(None)
        join = partial(self._thread.join, END_WAIT_S)
        await to_thread.run_sync(join, limiter=CapacityLimiter(1))

    async def _turn_in_time(self) -> None:
        if self._waiting >= MOST_WAITING:
            raise LedgerBusy("too many wait to read the ledger: try again in a while")
        self._waiting += 1
        try:
            with anyio.fail_after(self._within_s):
                await self._turn.acquire()
        except TimeoutError as late:
            raise LedgerBusy("others read the ledger for too long: try again in a while") from late
        finally:
            self._waiting -= 1

    @contextmanager
    def _asking(self, condition: str, values: Values, within_s: float) -> Generator[_Asked]:
        """In one's turn."""
        if self._ended:
            self._turn.release()
            raise LedgerFault("the ledger was closed")
        asked = _Asked(partial(self._reader.select, condition, values))
        self._asked.put(asked)
        due = self._loop.call_later(within_s, self._cut, asked)
        try:
            yield asked
        finally:
            due.cancel()
            if not asked.done.is_set():
                asked.given_up = True
                self._cut(asked)

    def _cut(self, asked: _Asked) -> None:
        if not asked.done.is_set():
            self._reader.interrupt()
            self._loop.call_later(CUT_AGAIN_S, self._cut, asked)

    def _run(self) -> None:
        try:
            while (asked := self._asked.get()) is not None:
                asked.run()
                # Nobody is left to be told once the loop is closed.
                with suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._tell, asked)
        finally:
            self._reader.close()

    def _tell(self, asked: _Asked) -> None:
        asked.done.set()
        self._turn.release()
