"""The book that the rack goes by, with what no proof needs: which lots other systems send into."""

from __future__ import annotations

from benchd.errors import IntakeRefused
from benchd.proof.evidence.intake import AssetsRecord
from benchd.proof.intake_book import IntakeBook, Lot, read_record
from benchd.words.intake import LotId
from benchd.words.record import EntryKind, StoredEntry


class LiveBook(IntakeBook):
    """Follows the ledger like any other."""

    def __init__(self) -> None:
        super().__init__()
        self._of_systems: set[LotId] = set()

    def take(self, record: StoredEntry) -> None:
        """Follow one record; CertificateGap if it isn't of its form, and then nothing changes."""
        super().take(record)
        if record.entry.kind is EntryKind.ASSETS_ADDED:
            told = read_record(AssetsRecord, record)
            if told.by.is_system:
                self._of_systems.add(LotId(told.lot))

    def check_seen(self, lot: Lot, seen: int | None) -> None:
        """Raise IntakeRefused where the whole lot isn't what somebody has seen who speaks for it.

        `seen` is how many assets were in it then: none ever leaves a lot. Who doesn't say it may
        speak for what people have put in, but not for what a system may have just sent.
        """
        name, there = lot.told.lot, len(lot.tags)
        if seen is None and LotId(name) in self._of_systems:
            raise IntakeRefused(
                f"other systems send into lot {name}: look what is in it, and say with `seen` how"
                " many assets there were"
            )
        if seen is not None and seen != there:
            raise IntakeRefused(
                f"lot {name} has {there} assets by now and not {seen}: look at it again"
            )
