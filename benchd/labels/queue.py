"""What waits for one printer: few, not for long, and never sent twice by itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import anyio

from benchd.labels.content import LabelContent
from benchd.labels.wires import Wire
from benchd.labels.wires.fault import PrinterFault
from benchd.wakeup import Bell
from benchd.words.label import LabelEnd, PrinterTrouble, PrinterView

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

    def printer_told(self, printer: str, trouble: PrinterTrouble | None) -> None:
        """What it said or didn't say last; None when it has taken a label."""
        ...

    def waits(self, printer: str, labels: int) -> None:
        """So many labels wait for it."""
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    content: LabelContent
    until: float


class PrinterQueue:
    """The labels of one printer, one after the other."""

    def __init__(
        self,
        name: str,
        wire: Wire,
        make: Callable[[LabelContent], Awaitable[bytes]],
        sink: PressSink,
    ) -> None:
        """Take how a label is made for this printer, and raises any exception if it can't be."""
        self._name = name
        self._wire = wire
        self._make = make
        self._sink = sink
        self._waiting: deque[_Waiting] = deque()
        self._bell = Bell()
        self._trouble: PrinterTrouble | None = None
        self._newest: LabelContent | None = None

    @property
    def view(self) -> PrinterView:
        """How it is doing."""
        return PrinterView(
            name=self._name,
            waiting=len(self._waiting),
            trouble=self._trouble,
            newest=None if self._newest is None else self._newest.job,
        )

    def put(self, content: LabelContent) -> bool:
        """Have a label printed; returns at once, False where too many wait already.

        What waits of the same handset is of no use any more.
        """
        # The first is in the printer's hands, perhaps.
        for one in list(self._waiting)[1:]:
            if content.number and one.content.number == content.number:
                self._waiting.remove(one)
                self._sink.label_ended(self._name, one.content.job, LabelEnd.REPLACED)
        fits = len(self._waiting) < MOST_WAITING
        if fits:
            self._waiting.append(_Waiting(content, anyio.current_time() + LIVES_S))
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
                    self._newest = first.content
                self._sink.label_ended(self._name, first.content.job, end)
                self._sink.waits(self._name, len(self._waiting))

    async def _print(self, label: _Waiting) -> LabelEnd:
        if anyio.current_time() > label.until:
            return LabelEnd.TOO_LATE
        try:
            made = await self._make(label.content)
        except Exception:  # noqa: BLE001 - a mistake in one label doesn't stop the others
            return LabelEnd.NOT_MADE
        pause = FIRST_PAUSE_S
        while True:
            try:
                await self._wire.send(made)
            except PrinterFault as fault:
                self._told(fault.trouble)
                if fault.begun:
                    return LabelEnd.BROKE_OFF
            else:
                self._told(None)
                return LabelEnd.SENT
            if anyio.current_time() + pause > label.until:
                return LabelEnd.TOO_LATE
            await anyio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _told(self, trouble: PrinterTrouble | None) -> None:
        self._trouble = trouble
        self._sink.printer_told(self._name, trouble)
