"""What a rack has certified with one key, by its own ledger: what the key still counts for."""

from __future__ import annotations

from pathlib import Path

from benchd.certificate.certificate_verification import certificate_digest
from benchd.certificate.envelope import decode_envelope
from benchd.certificate.ledger_claims import Claims, certificates_in
from benchd.domain.ids import JobId
from benchd.domain.record import EntryKind, StoredEntry
from benchd.signing.key_ring import KeyRing
from benchd.signing.public_key import key_id_of


class Issued:
    """Looks at each record of a ledger in order, and keeps what certifies."""

    def __init__(self, ring: KeyRing) -> None:
        """Take the keys until now; the newest is the one that is retired."""
        self.certificates: set[str] = set()
        self.doubtful: set[str] = set()
        """Certificates that the ledger holds, and that their own records don't bear."""
        self._claims = Claims(ring)
        self._key_id = key_id_of(ring.trusted)
        self._of_job: dict[JobId, list[StoredEntry]] = {}

    def left_out(self, directory: Path) -> list[Path]:
        """Files of certificates that the key has signed, and that the ledger doesn't hold.

        Raises OSError for one that can't be read.
        """
        return [file for file in certificates_in(directory) if self._is_left_out(file.read_bytes())]

    def see(self, stored: StoredEntry) -> None:
        """The next record."""
        job = stored.entry.job
        if job is None:
            return
        records = self._of_job.setdefault(job, [])
        records.append(stored)
        if stored.entry.kind is EntryKind.JOB_ENDED:
            del self._of_job[job]
            told = stored.entry.data.get("certificate")
            if isinstance(told, str) and told:
                self._certified(job, told.encode(), records)

    def _is_left_out(self, envelope: bytes) -> bool:
        digest = certificate_digest(envelope)
        if digest in self.certificates or digest in self.doubtful:
            return False
        # Only what verifies until now: a retired key's is in its own rotation, or is nothing.
        return (
            self._claims.of(envelope) is not None
            and decode_envelope(envelope).key_id == self._key_id
        )

    def _certified(self, job: JobId, envelope: bytes, records: list[StoredEntry]) -> None:
        claim = self._claims.of(envelope)
        if claim is None or claim.job != job or not claim.rests_on(records):
            self.doubtful.add(certificate_digest(envelope))
        elif decode_envelope(envelope).key_id == self._key_id:
            self.certificates.add(certificate_digest(envelope))
