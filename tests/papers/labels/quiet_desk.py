"""The labels of a fake rack that prints none."""

from __future__ import annotations

from benchd.domain.label import LabelEnd, PrinterTrouble
from benchd.ledger.held_handsets import Held
from benchd.ledger.records.records_access import Records
from benchd.papers.labels.label_desk import LabelDesk
from benchd.papers.labels.label_source import LabelSource
from benchd.papers.labels.wanted_labels import WantedLabels
from benchd.proof.grade_book import GradeBook
from benchd.texts.catalogue import Catalogue
from tests.web.web_fakes import FakeRack


class Nobody:
    """Hears of printers, and does nothing."""

    def label_ended(self, printer: str, job: str, end: LabelEnd) -> None:
        pass

    def printer_reported(self, printer: str, trouble: PrinterTrouble | None) -> None:
        pass

    def waits(self, printer: str, labels: int) -> None:
        pass


def quiet_desk(
    rack: FakeRack,
    records: Records,
    catalogue: Catalogue,
    held: Held | None = None,
    grades: GradeBook | None = None,
) -> LabelDesk:
    """Without a printer, but with every label to look at."""
    held = held or rack.held
    return LabelDesk(
        (),
        WantedLabels(held),
        source=LabelSource(
            ledger=rack.ledger,
            issuer=rack.issuer,
            files=records,
            held=held,
            grades=grades or GradeBook(),
        ),
        catalogue=catalogue,
        sink=Nobody(),
    )
