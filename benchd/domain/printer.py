"""Printers of labels as the configuration names them, and the paper that is in them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from benchd.domain.ids import SlotName
from benchd.domain.job import Disposition
from benchd.domain.plain_text import Language

Dpi = Literal[203, 300]
MM_PER_INCH = 25.4


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelForm:
    """The paper of a label and the fineness of what prints on it."""

    width_mm: float = 62.0
    height_mm: float = 40.0
    dpi: Dpi = 203
    language: Language = "ja"

    @property
    def width_dots(self) -> int:
        """No wider than the paper."""
        return int(self.width_mm * self.dpi / MM_PER_INCH)

    @property
    def height_dots(self) -> int:
        """No longer than the paper."""
        return int(self.height_mm * self.dpi / MM_PER_INCH)


class PrinterKind(StrEnum):
    """How a printer is reached."""

    RAW9100 = "raw9100"
    CUPS = "cups"
    USB = "usb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw9100:
    """A printer in the network that takes its language as it comes."""

    host: str
    port: int = 9100
    asks_status: bool = True
    """Whether it is asked how it is (ZPL's ~HS) before and after each label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CupsQueue:
    """A queue of CUPS, which hands on what it gets as it is."""

    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsbPrinter:
    """A printer at the kernel's usblp driver."""

    device: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Printer:
    """One printer of labels."""

    name: str
    at: Raw9100 | CupsQueue | UsbPrinter
    form: LabelForm
    auto: frozenset[Disposition] = frozenset()
    """Where a handset has to go for its label to be printed by itself."""
    slots: frozenset[SlotName] = frozenset()
    """Whose labels it prints; of all slots if it is empty."""

    def prints_for(self, slot: SlotName) -> bool:
        """Whether the labels of this slot come out here."""
        return not self.slots or slot in self.slots
