"""What the core asks of the outside world about proofs, as protocols."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from benchd.domain.ids import JobId, SlotName
from benchd.domain.intake import TimeDoubt
from benchd.domain.record import StoredEntry
from benchd.proof.erasure import VerifiedErasure
from benchd.proof.evidence.clock_evidence import TimeBasis
from benchd.proof.evidence.intake_evidence import BoundRecord
from benchd.proof.intake_book import IntakeBook


class Intake(Protocol):
    """What came in, as far as jobs need it."""

    @property
    def book(self) -> IntakeBook:
        """Lots, assets, and what is attested of them; only to be read."""
        ...

    def time_basis(self) -> TimeBasis | TimeDoubt:
        """By which time something with an age may be cited now, or why nothing may."""
        ...

    async def changed(self) -> None:
        """Wait for the next record."""
        ...

    async def bind(self, told: BoundRecord, *, job: JobId, slot: SlotName) -> None:
        """Put on record which asset the handset of a job is."""
        ...


class CertificateIssuer(Protocol):
    """Signs what a complete verification has shown."""

    def issue(self, erasure: VerifiedErasure, at: datetime) -> bytes:
        """The signed envelope for this proof and nothing less; raises CertificateGap."""
        ...

    def vouches(self, job: JobId, envelope: bytes, records: Sequence[StoredEntry]) -> bool:
        """Whether this is the rack's own certificate of this very job and these records of it."""
        ...

    async def keep(self, job: JobId, envelope: bytes) -> None:
        """Write the certificate's file, if it isn't there yet; the ledger has it already."""
        ...
