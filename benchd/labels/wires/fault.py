"""Why a label couldn't be sent."""

from __future__ import annotations

from benchd.errors import BenchdError
from benchd.words.label import PrinterTrouble


class PrinterFault(BenchdError):
    """Raised when a printer hasn't taken a label.

    Whether a part of it was `begun` to be sent decides whether it may be sent once more: two labels
    of one handset are worse than none.
    """

    def __init__(self, trouble: PrinterTrouble, *, begun: bool = False) -> None:
        super().__init__(f"the printer hasn't taken the label: {trouble}")
        self.trouble = trouble
        self.begun = begun
