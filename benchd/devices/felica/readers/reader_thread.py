"""One reader's own thread with its own PC/SC context: one piece of work at a time.

A call into the driver can't be cancelled. When one takes longer than the chip and the driver
may, the thread is *stuck*: its work is given up, and nothing more is asked of the reader until
the thread comes back, because the chip was taken off or pcscd was restarted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Final, TypeVar

from benchd.devices.felica.readers.pcsc import Connection, Context, ServiceLost
from benchd.devices.felica.readers.reader_models import model_of
from benchd.devices.felica.readers.session import ReaderSession
from benchd.domain.errors import ReaderFault

STUCK_AFTER_S: Final = 5.0
"""How much longer than the chip's own time a call may take. pcscd needs up to a second to power
a chip up, libccid gives a reader 3 s."""

Result = TypeVar("Result")


class ReaderThread:
    """Does work with one reader, in the order in which it is handed in."""

    def __init__(self, reader: str, *, stuck_after_s: float = STUCK_AFTER_S) -> None:
        self.reader = reader
        self._model = model_of(reader)
        self._stuck_after_s = stuck_after_s
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._context: Context | None = None
        self._due = float("inf")
        self._given_up = False
        # A daemon thread: one that is stuck must not keep the process from ending.
        threading.Thread(target=self._run, name=f"reader {reader}", daemon=True).start()

    @property
    def model(self) -> str:
        """What kind of reader it is."""
        return self._model.model

    @property
    def overdue_in_s(self) -> float:
        """How long the call that runs may still take; negative when it should be back."""
        return self._due - time.monotonic()

    def give_up(self) -> None:
        """End the work that runs as soon as the driver lets it; nobody waits for it any more."""
        self._given_up = True

    def with_session(
        self,
        work: Callable[[ReaderSession], Result],
        is_meant: Callable[[Context, Connection], bool],
    ) -> Future[Result]:
        """Have the work done with the reader taken, and the reader let go of afterwards.

        For `is_meant` see ReaderSession.
        """

        def in_session(context: Context) -> Result:
            session = ReaderSession(
                context,
                self.reader,
                self._model.wrapping,
                calling=self._calling,
                is_meant=is_meant,
            )
            try:
                return work(session)
            finally:
                session.close()

        return self.with_context(in_session)

    def with_context(self, work: Callable[[Context], Result]) -> Future[Result]:
        """Have the work done with this thread's context."""
        future: Future[Result] = Future()

        def fulfil() -> None:
            result: list[Result] = []
            failure: BaseException | None = None
            self._given_up = False
            try:
                self._calling(0.0)
                result.append(work(self._open()))
            except BaseException as raised:  # noqa: BLE001 - told to the one who waits
                failure = raised
                if isinstance(raised, ServiceLost):
                    self._close()
            self._due = float("inf")
            if failure is None:
                future.set_result(result[0])
            else:
                future.set_exception(failure)

        self._work.put(fulfil)
        return future

    def end(self) -> None:
        """Let the thread end after what it does now; doesn't wait for it."""
        self._work.put(None)

    def _run(self) -> None:
        while (fulfil := self._work.get()) is not None:
            fulfil()
        self._close()

    def _calling(self, may_take_s: float) -> None:
        if self._given_up:
            raise ReaderFault("given up")
        self._due = time.monotonic() + may_take_s + self._stuck_after_s

    def _open(self) -> Context:
        if self._context is None:
            self._context = Context()
        return self._context

    def _close(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            context.close()
