"""Whether the rack's time may be gone by: it follows every record, and knows who set the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from benchd.domain.intake import TimeDoubt
from benchd.domain.ports import Clock
from benchd.domain.record import Entry
from benchd.proof.evidence.clock_evidence import TimeBasis
from benchd.proof.intake_book import IntakeBook
from benchd.proof.time_basis import STEP, known_by


class RackTime:
    """A subscriber of the ledger: no record is later than `newest`."""

    def __init__(
        self,
        clock: Clock,
        *,
        boot: str,
        is_synchronised: Callable[[], bool | None],
        head: Callable[[], int],
        newest: datetime | None = None,
    ) -> None:
        """`head` is the number of the ledger's last record, `newest` the latest time it knows of.

        `is_synchronised` says whether something keeps the clock right; None is for nobody can tell.
        """
        self._clock = clock
        self._is_synchronised = is_synchronised
        self._head = head
        self._was_set = False
        self.boot = boot
        self.newest = datetime.min.replace(tzinfo=UTC) if newest is None else newest

    def stored(self, entry: Entry) -> None:
        """A record is on disk."""
        self.newest = max(self.newest, known_by(entry))

    def recalled(self, entry: Entry) -> None:
        """One of a former daemon's; `newest` knows of it already."""

    def basis(self, book: IntakeBook) -> TimeBasis | TimeDoubt:
        """By which time something may be cited now, or why nothing may."""
        now, head = self._clock.now(), self._head()
        if now + STEP < self.newest:
            return TimeDoubt.CLOCK_BEHIND
        confirmed = None
        if not self._is_set():
            confirmed = next(
                (
                    each.sequence
                    for each in reversed(book.time_confirmed.values())
                    if each.told.boot == self.boot and each.holds
                ),
                None,
            )
            if confirmed is None:
                return TimeDoubt.TIME_UNCONFIRMED
        return TimeBasis(
            at=now, newest=self.newest, after=head, boot=self.boot, confirmed=confirmed
        )

    def _is_set(self) -> bool:
        """Whether a time source has set it in this daemon's life: no clock drifts by days."""
        self._was_set = self._was_set or self._is_synchronised() is True
        return self._was_set


def never_set() -> bool | None:
    """Of a machine without a time source."""
    return False
