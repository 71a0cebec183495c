"""What a certificate says of its rack's own ledger, once its signature has verified."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchd.certificate.certificate_verification import verify_certificate
from benchd.certificate.statement_check import Rules
from benchd.domain.errors import CertificateInvalid
from benchd.domain.ids import JobId
from benchd.domain.record import StoredEntry
from benchd.signing.key_ring import KeyRing

MOST_KNOWN = 4096
"""A certificate is verified once, not at every look: 0.6 ms each, and a list shows a thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Which records of the ledger a certificate rests on."""

    job: JobId
    """In whose end it stands: the job of the recheck, where there was one."""
    last_sequence: int
    head_hash: str
    evidence_sha256: str

    def rests_on(self, records: Sequence[StoredEntry]) -> bool:
        """Whether these, all of one job, are the records that it was made of."""
        digest = hashlib.sha256()
        for record in records:
            if record.sequence <= self.last_sequence:
                digest.update(bytes.fromhex(record.hash_hex))
        return digest.hexdigest() == self.evidence_sha256


class Claims:
    """Reads certificates with the keys of one rack, and remembers what it has read."""

    def __init__(self, trusted: bytes | KeyRing, forms: Mapping[str, Rules] | None = None) -> None:
        """`forms` are as for `gaps_of`."""
        self._trusted = trusted
        self._forms = forms
        self._known: dict[bytes, Claim | None] = {}

    def of(self, envelope: bytes) -> Claim | None:
        """The claim of a certificate; None for anything that the key's holder hasn't signed."""
        name = hashlib.sha256(envelope).digest()
        if name not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[name] = self._read(envelope)
        return self._known[name]

    def _read(self, envelope: bytes) -> Claim | None:
        try:
            statement = verify_certificate(envelope, self._trusted, self._forms)
        except CertificateInvalid:
            return None
        match statement:
            case {
                "subject": [{"digest": {"sha256": str()}}],
                "predicate": {
                    "recheck": {
                        "passed": {"job": str() as job, "evidence_sha256": str() as evidence}
                    },
                    "ledger": {"last_sequence": int() as last, "head_hash": str() as head},
                },
            } | {
                "subject": [{"digest": {"sha256": str() as evidence}}],
                "predicate": {
                    "job": str() as job,
                    "ledger": {"last_sequence": int() as last, "head_hash": str() as head},
                },
            }:
                return Claim(
                    job=JobId(job), last_sequence=last, head_hash=head, evidence_sha256=evidence
                )
            case _:
                return None


def certificates_in(directory: Path) -> list[Path]:
    """The files of certificates in a folder, the newest first; raises OSError."""
    # A job's name begins with its day, so names are in the order of days.
    files = sorted(directory.glob("[!.]*.json"), key=lambda file: file.name, reverse=True)
    return [file for file in files if file.is_file()]


def claims_in(directory: Path, claims: Claims, newest: int) -> Iterator[tuple[Path, Claim]]:
    """The claims of the newest certificates in a folder; files that are none are passed over."""
    for file in certificates_in(directory)[:newest]:
        claim = claims.of(file.read_bytes())
        if claim is not None:
            yield file, claim
