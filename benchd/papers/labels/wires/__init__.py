"""Ways to a printer: each sends one label, or says why not."""

from __future__ import annotations

from typing import Protocol

from benchd.domain.printer import CupsQueue, Printer, Raw9100
from benchd.papers.labels.wires.cups import CupsWire
from benchd.papers.labels.wires.raw9100 import RawWire
from benchd.papers.labels.wires.usb import UsbWire


class Wire(Protocol):
    """A way to one printer."""

    async def send(self, label: bytes) -> None:
        """Returns once the printer has taken all of it; raises PrinterFault, within seconds."""
        ...


def wire_to(printer: Printer) -> Wire:
    """The way to this printer; nothing is opened yet."""
    match printer.at:
        case Raw9100() as at:
            return RawWire(at.host, at.port, asks_status=at.asks_status)
        case CupsQueue() as at:
            return CupsWire(at.queue)
        case at:
            return UsbWire(at.device)
