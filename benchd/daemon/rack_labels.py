"""The labels of the running daemon: its printers, with the wall and the metrics beside them."""

from __future__ import annotations

from collections.abc import Collection

import structlog

from benchd.config import Settings
from benchd.domain.label import LabelEnd, PrinterTrouble
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.observe.label_metrics import LabelMetrics
from benchd.observe.metrics import RackMetrics
from benchd.papers.labels.label_desk import LabelDesk
from benchd.papers.labels.label_source import LabelSource
from benchd.papers.labels.wanted_labels import WantedLabels
from benchd.slots.board import RackBoard
from benchd.texts.catalogue import Catalogue

_log = structlog.get_logger()

HARMLESS = frozenset({LabelEnd.SENT, LabelEnd.REPLACED})


class PrinterWatch:
    """Shows one notice while any printer takes nothing, and names those that don't."""

    def __init__(
        self, printers: Collection[str], *, board: RackBoard, metrics: LabelMetrics
    ) -> None:
        self._troubles: dict[str, PrinterTrouble | None] = dict.fromkeys(printers)
        self._board = board
        self._metrics = metrics
        metrics.printers(printers)

    def label_ended(self, printer: str, job: str, end: LabelEnd) -> None:
        """A label won't be thought of any more."""
        self._metrics.ended(printer, end)
        if end not in HARMLESS:
            _log.warning("label_not_printed", name=printer, job=job, because=end)

    def printer_reported(self, printer: str, trouble: PrinterTrouble | None) -> None:
        """What it said or didn't say last; None when it has taken a label."""
        before, self._troubles[printer] = self._troubles.get(printer), trouble
        if trouble is before:
            return
        self._metrics.up(printer, is_so=trouble is None)
        if trouble is None:
            _log.info("printer_trouble_over", name=printer)
        else:
            _log.warning("printer_trouble", name=printer, problem=trouble)
        bad = [name for name, trouble in self._troubles.items() if trouble is not None]
        if bad:
            facts = {"printers": ", ".join(bad)}
            self._board.show_notice(ProblemView(code=ProblemCode.PRINTER_FAULT, facts=facts))
        else:
            self._board.withdraw_notice(ProblemCode.PRINTER_FAULT)

    def waits(self, printer: str, labels: int) -> None:
        """So many labels wait for it."""
        self._metrics.waits(printer, labels)


def label_desk(
    settings: Settings,
    wanted: WantedLabels,
    *,
    source: LabelSource,
    board: RackBoard,
    metrics: RackMetrics,
) -> LabelDesk:
    """Prints what ends from now on; what has ended until now lies in its slot and is run again."""
    names = [printer.name for printer in settings.printers]
    wanted.forget()
    return LabelDesk(
        settings.printers,
        wanted,
        source=source,
        catalogue=Catalogue.load(),
        sink=PrinterWatch(names, board=board, metrics=metrics.labels),
    )
