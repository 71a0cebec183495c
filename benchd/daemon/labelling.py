"""The labels of the running daemon: its printers, with the wall and the metrics beside them."""

from __future__ import annotations

from benchd.config import Settings
from benchd.daemon.printer_watch import PrinterWatch
from benchd.hooks.held import Held
from benchd.labels.desk import LabelDesk
from benchd.labels.source import LabelSource
from benchd.labels.wanted import WantedLabels
from benchd.observe.metrics import RackMetrics
from benchd.ports import CertificateIssuer, Ledger
from benchd.records.access import Records
from benchd.slots.board import RackBoard
from benchd.texts.catalogue import Catalogue


def label_desk(
    settings: Settings,
    wanted: WantedLabels,
    *,
    ledger: Ledger,
    issuer: CertificateIssuer,
    records: Records,
    held: Held,
    board: RackBoard,
    metrics: RackMetrics,
) -> LabelDesk:
    """Prints what ends from now on; what has ended until now lies in its slot and is run again."""
    names = [printer.name for printer in settings.printers]
    wanted.forget()
    return LabelDesk(
        settings.printers,
        wanted,
        source=LabelSource(ledger=ledger, issuer=issuer, files=records, held=held),
        catalogue=Catalogue.load(),
        sink=PrinterWatch(names, board=board, metrics=metrics.labels),
    )
