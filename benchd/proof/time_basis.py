"""Whether the time was right by which something with an age was cited (docs/adr/0058).

A clock that is behind makes what is old look fresh. Nothing is cited by a time before that of any
earlier record, nor before something has set the clock, or an administrator has confirmed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import from_json
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.proof.clock_proof import STEP_S
from benchd.proof.evidence.clock_evidence import ClockStepEvidence, TimeBasis
from benchd.proof.evidence.intake_evidence import TimeConfirmedRecord

STEP: Final = timedelta(seconds=STEP_S)
CONFIRMED_WITHIN: Final = timedelta(minutes=2)
"""How far the rack's time may be from what somebody has seen on another clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeConfirmed:
    """What somebody has confirmed of the rack's time, and where it stands."""

    sequence: int
    at: datetime
    told: TimeConfirmedRecord

    @property
    def holds(self) -> bool:
        """Whether somebody has shown who they are and saw the time that the rack had."""
        return self.told.by.is_shown and abs(self.at - self.told.seen_at) <= CONFIRMED_WITHIN


def known_by(entry: Entry) -> datetime:
    """The latest time that a record knows of: its own, or that before its clock was set back."""
    if entry.kind is not EntryKind.CLOCK_STEPPED:
        return entry.at
    try:
        step = from_json(ClockStepEvidence, entry.data, entry.kind)
    except CertificateGap:
        return entry.at
    return entry.at + timedelta(seconds=step.set_back_s)


def latest_known(records: Iterable[StoredEntry]) -> datetime | None:
    """The latest time that any of these records knows of."""
    return max((known_by(record.entry) for record in records), default=None)


def time_gaps(
    basis: TimeBasis,
    between: tuple[int, int],
    at_hand: Sequence[StoredEntry],
    confirmed: Mapping[int, TimeConfirmed],
) -> Iterator[str]:
    """Why the time isn't to be believed by which something was cited.

    It was cited `between` two records of its job, and by then all `at_hand` that are older stood.
    """
    if not between[0] <= basis.after < between[1]:
        yield "it isn't on record when it was cited"
    before = [record for record in at_hand if record.sequence <= basis.after]
    latest = latest_known(before)
    known = basis.newest if latest is None else max(basis.newest, latest)
    if basis.at + STEP < known:
        yield "it was cited by a clock that was behind the ledger"
    if basis.confirmed is None:
        return
    by = confirmed.get(basis.confirmed)
    if by is None or by.sequence > basis.after or by.told.boot != basis.boot or not by.holds:
        yield f"record {basis.confirmed} doesn't confirm the time by which it was cited"
