"""The contactless readers of some slots, and the machine's own pcscd that has them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchd.lab.simulator.chips.pcscd import reader_entries
from benchd.lab.simulator.chips.shelf import ReaderShelf

from .plan import READER_SLOTS

CONFIGURATION: Final = Path("/etc/reader.conf.d/rack-vm")


def shelf_of_readers(folder: Path) -> ReaderShelf:
    """Tell pcscd, which systemd starts when somebody wants a reader, of those of the rack."""
    drivers = folder / "drivers"
    drivers.mkdir()
    CONFIGURATION.write_text(reader_entries(READER_SLOTS, drivers, seen_at=drivers))
    return ReaderShelf(READER_SLOTS)
