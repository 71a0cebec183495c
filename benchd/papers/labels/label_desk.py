"""Labels of jobs: printed by themselves at the end of one, printed again, or only looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Literal

import anyio
import structlog
from anyio import CapacityLimiter, to_thread

from benchd.domain.errors import LabelRefused, NotFound
from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Disposition
from benchd.domain.label import PrinterView
from benchd.domain.plain_text import Language
from benchd.domain.printer import LabelForm, Printer
from benchd.domain.yielding_thread import in_yielding_thread
from benchd.papers.labels import label_layout, zpl
from benchd.papers.labels.label_content import LabelContent, words_of
from benchd.papers.labels.label_queue import PressSink, PrinterQueue
from benchd.papers.labels.label_source import LabelSource
from benchd.papers.labels.sheets import rack_sheet
from benchd.papers.labels.wanted_labels import Wanted, WantedLabels, Why
from benchd.papers.labels.wires import Wire, wire_to
from benchd.texts.catalogue import Catalogue

SET_S = 10.0
"""For one label to be set, which takes a tenth of a second."""

_log = structlog.get_logger()


class LabelDesk:
    """The labels of one rack. Make it inside the event loop that uses it."""

    def __init__(
        self,
        printers: Sequence[Printer],
        wanted: WantedLabels,
        *,
        source: LabelSource,
        catalogue: Catalogue,
        sink: PressSink,
        wire: Callable[[Printer], Wire] = wire_to,
    ) -> None:
        self._printers = tuple(printers)
        self._wanted = wanted
        self._source = source
        self._catalogue = catalogue
        self._limiter = CapacityLimiter(1)
        self._of_sheet = CapacityLimiter(1)
        self._sheet: tuple[tuple[SlotName, ...], bytes] | None = None
        self._setting = anyio.Lock()
        self._queues = {
            printer.name: PrinterQueue(
                printer.name, wire(printer), source.of_newest, self._maker(printer), sink
            )
            for printer in printers
        }

    @property
    def printers(self) -> tuple[PrinterView, ...]:
        """How each printer is doing, in the configuration's order."""
        return tuple(queue.view for queue in self._queues.values())

    async def run(self) -> None:
        """Print until cancelled."""
        try:
            async with anyio.create_task_group() as group:
                for queue in self._queues.values():
                    group.start_soon(queue.run)
                while True:
                    wanted = await self._wanted.next()
                    try:
                        await self._print(wanted)
                    except Exception as fault:  # noqa: BLE001 - one job's label isn't the next one's
                        _log.warning("label_not_made", job=wanted.job, error=type(fault).__name__)
        finally:
            if left := sum(view.waiting for view in self.printers):
                _log.warning("labels_left", count=left)

    async def print_again(self, job: JobId, printer: str | None = None) -> PrinterView:
        """Have the label of a handset's newest job printed, here or where its slot's come out.

        Returns the printer once it waits there. Raises NotFound for no such job or printer,
        LabelRefused where there is nothing to print or too much waits already.
        """
        content = await self._source.of_newest(job)
        queue = self._queues[self._printer_for(content, printer).name]
        if not queue.put(content):
            message = f"too many labels wait for the printer {queue.view.name}: see to it first"
            raise LabelRefused(message)
        return queue.view

    async def picture(
        self,
        job: JobId,
        kind: Literal["png", "svg", "zpl"],
        printer: str | None = None,
        language: Language | None = None,
    ) -> bytes:
        """The label as it would be printed; the usual size where there is no printer."""
        content = await self._source.of_newest(job)
        form = self._form_for(content, printer)
        form = form if language is None else replace(form, language=language)
        match kind:
            case "png":
                return await self._in_thread(partial(self._png, content, form))
            case "svg":
                return await self._in_thread(partial(self._svg, content, form))
            case "zpl":
                return await self._in_thread(partial(self._zpl, content, form))

    async def cards(self, slots: Sequence[SlotName], at: datetime) -> bytes:
        """All answer cards and these slots' labels as PDF, kept until the slots are others.

        Anybody may ask for it, so it is set by a thread that yields, and no label waits for it.
        Raises LabelRefused where it can't be set in time.
        """
        wanted = tuple(slots)
        # However many ask at once, it is set once.
        async with self._setting:
            if self._sheet is None or self._sheet[0] != wanted:
                set_sheet = partial(self._set_sheet, wanted, at)
                return await self._in_thread(
                    partial(in_yielding_thread, set_sheet), limiter=self._of_sheet
                )
            return self._sheet[1]

    def _set_sheet(self, slots: tuple[SlotName, ...], at: datetime) -> bytes:
        made = rack_sheet(slots, self._catalogue, at)
        # Kept here: one that took too long for who asked is there for whoever asks again.
        self._sheet = slots, made
        return made

    async def _print(self, wanted: Wanted) -> None:
        match wanted.why:
            case Why.ASKED_FOR:
                await self.print_again(wanted.job)
            case Why.ENDED:
                if any(printer.auto for printer in self._printers):
                    content = await self._source.of_job(wanted.job)
                    self._put_where(content.disposition, content)
            case Why.HELD:
                with suppress(LabelRefused):  # while the job runs: its end is told with the hold
                    content = await self._source.of_job(wanted.job)
                    if content.held_by is not None:
                        self._put_where(Disposition.SELLABLE, content)

    def _put_where(self, disposition: Disposition, content: LabelContent) -> None:
        """Where labels of this disposition come out by themselves."""
        for printer in self._printers:
            if disposition in printer.auto and printer.prints_for(content.slot):
                self._queues[printer.name].put(content)

    def _printer_for(self, content: LabelContent, name: str | None) -> Printer:
        found = self._printer(content, name)
        if found is None:
            message = f"no printer is configured for slot {content.slot}: see [[printers]]"
            raise LabelRefused(message)
        return found

    def _form_for(self, content: LabelContent, name: str | None) -> LabelForm:
        found = self._printer(content, name)
        return LabelForm() if found is None else found.form

    def _printer(self, content: LabelContent, name: str | None) -> Printer | None:
        """The one of this name, else the first that prints for the slot; raises NotFound."""
        if name is None:
            near = (printer for printer in self._printers if printer.prints_for(content.slot))
            return next(near, None)
        for printer in self._printers:
            if printer.name == name:
                return printer
        message = f"there is no printer {name}"
        raise NotFound(message)

    def _maker(self, printer: Printer) -> Callable[[LabelContent], Awaitable[bytes]]:
        async def make(content: LabelContent) -> bytes:
            return await self._in_thread(lambda: self._zpl(content, printer.form))

        return make

    async def _in_thread(
        self, call: Callable[[], bytes], *, limiter: CapacityLimiter | None = None
    ) -> bytes:
        limiter = limiter or self._limiter
        try:
            with anyio.fail_after(SET_S):
                return await to_thread.run_sync(call, limiter=limiter, abandon_on_cancel=True)
        except TimeoutError as error:
            message = "the label couldn't be set in time: try again"
            raise LabelRefused(message) from error

    def _png(self, content: LabelContent, form: LabelForm) -> bytes:
        words = words_of(content, self._catalogue, form.language)
        return label_layout.as_png(
            words, form, sellable=content.disposition is Disposition.SELLABLE
        )

    def _svg(self, content: LabelContent, form: LabelForm) -> bytes:
        words = words_of(content, self._catalogue, form.language)
        return label_layout.as_svg(
            words, form, sellable=content.disposition is Disposition.SELLABLE
        )

    def _zpl(self, content: LabelContent, form: LabelForm) -> bytes:
        return zpl.zpl_of(self._png(content, form))
