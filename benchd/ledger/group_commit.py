"""One thread that commits whatever waits, again and again: appends of one moment share a sync.

A lone append is committed at once; what comes while the disk is busy is committed together as soon
as it isn't. On a fast disk that would be two or three: so after a commit that several shared, the
next waits a moment for others.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from time import sleep
from typing import Final

import anyio
from anyio import CapacityLimiter, to_thread

from benchd.domain.errors import LedgerFault
from benchd.domain.record import Entry, Receipt
from benchd.ledger.ledger_store import LedgerStore

END_WAIT_S: Final = 5.0
GATHER_S: Final = 0.005
"""A quarter of a second per job at the most, and only among others."""


class _Waiting:
    """An entry whose append waits."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.done = anyio.Event()
        self.answer: Receipt | Exception | None = None
        self.given_up = False


class Committer:
    """Has the only hand on a store; made and used on one event loop."""

    def __init__(self, store: LedgerStore, committed: Callable[[int], None] | None) -> None:
        """Take over a store; `committed` hears how many records each commit has stored."""
        self._store = store
        self._committed = committed
        self._loop = asyncio.get_running_loop()
        self._asked: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._waiting: deque[_Waiting] = deque()
        self._ended = False
        self._shared = False
        # A disk that hangs for ever mustn't keep the process from its end.
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    @property
    def lives(self) -> bool:
        """Whether its thread does; one that hangs is told of by the deadline of an append."""
        return self._thread.is_alive()

    async def append(self, entry: Entry) -> Receipt:
        """Returns when the record is on disk.

        If cancelled before the thread has taken it, it is never stored; after that it may be.
        """
        self._store.check()
        if self._ended:
            raise LedgerFault("the ledger was closed")
        waiting = _Waiting(entry)
        self._asked.put(waiting)
        try:
            await waiting.done.wait()
        finally:
            waiting.given_up = True
        if isinstance(waiting.answer, Receipt):
            return waiting.answer
        raise waiting.answer or LedgerFault("the ledger gave no answer")

    async def aclose(self) -> None:
        """Commit what waits and close the store; gives up a disk that hangs."""
        if not self._ended:
            self._ended = True
            self._asked.put(None)
        join = partial(self._thread.join, END_WAIT_S)
        await to_thread.run_sync(join, limiter=CapacityLimiter(1))

    def _run(self) -> None:
        try:
            while self._take():
                self._commit()
        finally:
            self._store.close()

    def _take(self) -> bool:
        """Wait until an entry waits, and take all that do; False once there are no more to come."""
        ending = False
        if not self._waiting:
            ending = self._keep(self._asked.get())
            if self._shared and not ending:
                sleep(GATHER_S)
        with suppress(Empty):
            while not ending:
                ending = self._keep(self._asked.get_nowait())
        if ending:
            # Stays the last in line: what was asked for before is committed first.
            self._asked.put(None)
        return bool(self._waiting) or not ending

    def _keep(self, asked: _Waiting | None) -> bool:
        if asked is None:
            return True
        self._waiting.append(asked)
        return False

    def _commit(self) -> None:
        wanted = [waiting for waiting in self._waiting if not waiting.given_up]
        self._waiting = deque(wanted)
        if not wanted:
            return
        try:
            answers = self._store.append_all([waiting.entry for waiting in wanted])
        except Exception as error:  # noqa: BLE001 - it's told to everybody who waits
            answers: list[Receipt | Exception] = [_fault(error) for _ in wanted]
        taken = [self._waiting.popleft() for _ in answers]
        self._shared = len(taken) > 1
        # Nobody is left to be told once the loop is closed.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._tell, taken, answers)

    def _tell(self, taken: Sequence[_Waiting], answers: Sequence[Receipt | Exception]) -> None:
        """On the event loop: wake who waited, in the order of their records."""
        for waiting, answer in zip(taken, answers, strict=True):
            waiting.answer = answer
            waiting.done.set()
        stored = sum(isinstance(answer, Receipt) for answer in answers)
        if stored and self._committed is not None:
            self._committed(stored)


def _fault(error: Exception) -> LedgerFault:
    """One of its own for everybody, since a raised one keeps the track of who raised it."""
    fault = LedgerFault(str(error))
    fault.__cause__ = error
    return fault
