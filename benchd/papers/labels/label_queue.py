"""What waits for one printer: few, not for long, never sent twice by itself, never out of date."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import anyio

from benchd.domain.errors import LabelRefused, RecordsUnavailable
from benchd.domain.ids import JobId
from benchd.domain.label import LabelEnd, PrinterFault, PrinterTrouble, PrinterView
from benchd.domain.wakeup import Bell
from benchd.papers.labels.label_content import LabelContent
from benchd.papers.labels.wires import Wire

MOST_WAITING = 32
"""More than a rack ends while somebody puts in paper."""
LIVES_S = 600.0
"""A label that comes out later lies there, and nobody knows of which handset it is."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0


class PressSink(Protocol):
    """Learns how printers are doing; must be quick."""

    def label_ended(self, printer: str, job: str, end: LabelEnd) -> None:
        """A label won't be thought of any more."""
        ...

    def printer_reported(self, printer: str, trouble: PrinterTrouble | None) -> None:
        """What it said or didn't say last; None when it has taken a label."""
        ...

    def waits(self, printer: str, labels: int) -> None:
        """So many labels wait for it."""
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    job: JobId
    number: str
    until: float


class PrinterQueue:
    """The labels of one printer, one after the other."""

    def __init__(
        self,
        name: str,
        wire: Wire,
        look: Callable[[JobId], Awaitable[LabelContent]],
        make: Callable[[LabelContent], Awaitable[bytes]],
        sink: PressSink,
    ) -> None:
        """Take what a job's label says now, and how one is made for this printer.

        `look` raises LabelRefused for one that is no use any more, and RecordsUnavailable where
        that can't be told yet. By any other exception, of either, the label is given up.
        """
        self._name = name
        self._wire = wire
        self._look = look
        self._make = make
        self._sink = sink
        self._waiting: deque[_Waiting] = deque()
        self._bell = Bell()
        self._trouble: PrinterTrouble | None = None
        self._newest: JobId | None = None

    @property
    def view(self) -> PrinterView:
        """How it is doing."""
        return PrinterView(
            name=self._name,
            waiting=len(self._waiting),
            trouble=self._trouble,
            newest=self._newest,
        )

    def put(self, content: LabelContent) -> bool:
        """Have a job's label printed; returns at once, False where too many wait already.

        What waits of the same handset is of no use any more. What it says when it comes out, the
        record tells then.
        """
        # The first is in the printer's hands, perhaps.
        for one in list(self._waiting)[1:]:
            if content.number and one.number == content.number:
                self._waiting.remove(one)
                self._sink.label_ended(self._name, one.job, LabelEnd.REPLACED)
        fits = len(self._waiting) < MOST_WAITING
        if fits:
            until = anyio.current_time() + LIVES_S
            self._waiting.append(_Waiting(content.job, content.number, until))
            self._bell.ring()
        else:
            self._sink.label_ended(self._name, content.job, LabelEnd.CROWDED_OUT)
        self._sink.waits(self._name, len(self._waiting))
        return fits

    async def run(self) -> None:
        """Print until cancelled; what waits then is printed by nobody."""
        while True:
            await self._bell.wait()
            while self._waiting:
                first = self._waiting[0]
                end = await self._print(first)
                self._waiting.remove(first)
                if end is LabelEnd.SENT:
                    self._newest = first.job
                self._sink.label_ended(self._name, first.job, end)
                self._sink.waits(self._name, len(self._waiting))

    async def _print(self, label: _Waiting) -> LabelEnd:
        pause = FIRST_PAUSE_S
        while anyio.current_time() <= label.until:
            end = await self._try(label.job)
            if end is not None:
                return end
            if anyio.current_time() + pause > label.until:
                break
            await anyio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
        return LabelEnd.TOO_LATE

    async def _try(self, job: JobId) -> LabelEnd | None:
        """None where nothing has come of it, and it may be tried again."""
        try:
            # At each try: meanwhile its handset may have been held back, or run again.
            content = await self._look(job)
        except RecordsUnavailable:
            return None
        except LabelRefused:
            return LabelEnd.REPLACED
        except Exception:  # noqa: BLE001 - what is the matter with one label doesn't stop the others
            return LabelEnd.NOT_MADE
        try:
            made = await self._make(content)
        except Exception:  # noqa: BLE001 - the same
            return LabelEnd.NOT_MADE
        try:
            await self._wire.send(made)
        except PrinterFault as fault:
            self._told(fault.trouble)
            return LabelEnd.BROKE_OFF if fault.begun else None
        self._told(None)
        return LabelEnd.SENT

    def _told(self, trouble: PrinterTrouble | None) -> None:
        self._trouble = trouble
        self._sink.printer_reported(self._name, trouble)
