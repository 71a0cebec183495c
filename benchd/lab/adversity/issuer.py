"""The real issuer, whose files are kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from benchd.certificate import DsseIssuer, SigningKey
from benchd.domain.ids import JobId
from benchd.domain.record import StoredEntry
from benchd.proof.erasure import VerifiedErasure


class SimulatedIssuer:
    """Implements `benchd.proof.ports.CertificateIssuer`."""

    def __init__(self, key: SigningKey) -> None:
        self._real = DsseIssuer(
            key=key, directory=Path("/nonexistent"), site="Adversity", benchd_version="0"
        )
        self.kept: dict[JobId, bytes] = {}

    def issue(self, erasure: VerifiedErasure, at: datetime) -> bytes:
        """The signed envelope, by the rack's own code."""
        return self._real.issue(erasure, at)

    def vouches(self, job: JobId, envelope: bytes, records: Sequence[StoredEntry]) -> bool:
        """Whether it's this rack's own, by the rack's own code."""
        return self._real.vouches(job, envelope, records)

    async def keep(self, job: JobId, envelope: bytes) -> None:
        """Remember it."""
        self.kept[job] = envelope
