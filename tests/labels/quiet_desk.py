"""The labels of a fake rack that prints none."""

from __future__ import annotations

from benchd.labels.desk import LabelDesk
from benchd.labels.source import LabelSource
from benchd.labels.wanted import WantedLabels
from benchd.records.access import Records
from benchd.texts.catalogue import Catalogue
from benchd.words.label import LabelEnd, PrinterTrouble
from tests.web.web_fakes import FakeRack


class Nobody:
    """Hears of printers, and does nothing."""

    def label_ended(self, printer: str, job: str, end: LabelEnd) -> None:
        pass

    def printer_told(self, printer: str, trouble: PrinterTrouble | None) -> None:
        pass

    def waits(self, printer: str, labels: int) -> None:
        pass


def quiet_desk(rack: FakeRack, records: Records, catalogue: Catalogue) -> LabelDesk:
    """Without a printer, but with every label to look at."""
    return LabelDesk(
        (),
        WantedLabels(rack.held),
        source=LabelSource(ledger=rack.ledger, issuer=rack.issuer, files=records, held=rack.held),
        catalogue=catalogue,
        sink=Nobody(),
    )
