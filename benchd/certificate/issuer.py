"""Signs certificates with the rack's key and keeps them as files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from anyio import CapacityLimiter, to_thread

from benchd.certificate.claims import Claims
from benchd.certificate.document import gaps_of
from benchd.certificate.envelope import Envelope, encode_envelope, signed_bytes
from benchd.certificate.keeping import keep_file
from benchd.certificate.payload import encode_payload
from benchd.certificate.statement import statement_of
from benchd.errors import CertificateGap
from benchd.proof.erasure import VerifiedErasure
from benchd.proof.evidence.forms import to_json
from benchd.signing.key import SigningKey
from benchd.signing.pictures import has_signed_picture
from benchd.words.ids import Evidence, JobId
from benchd.words.record import StoredEntry


class DsseIssuer:
    """The `CertificateIssuer` of one rack. Make it inside the event loop that uses it."""

    def __init__(
        self,
        *,
        key: SigningKey,
        directory: Path,
        site: str,
        benchd_version: str,
        benchd_commit: str = "unknown",
    ) -> None:
        """Certificates name site, version and commit, and are kept in the directory."""
        self._key = key
        self._directory = directory
        self._site = site
        self._benchd_version = benchd_version
        self._benchd_commit = benchd_commit
        self._limiter = CapacityLimiter(1)
        self._claims = Claims(key.ring)

    def issue(self, erasure: VerifiedErasure, at: datetime) -> bytes:
        """The signed envelope for this proof; raises CertificateGap for what it doesn't show."""
        picture = erasure.evidence.initialise.picture
        if picture is not None and not has_signed_picture(self._key.ring, picture):
            raise CertificateGap(("initialise: the picture isn't signed by this rack",))
        statement = statement_of(
            erasure,
            at=at,
            site=self._site,
            benchd_version=self._benchd_version,
            benchd_commit=self._benchd_commit,
        )
        return sign_statement(to_json(statement), self._key)

    def vouches(self, job: JobId, envelope: bytes, records: Sequence[StoredEntry]) -> bool:
        """Whether this is the rack's own certificate of this very job and these records of it."""
        claim = self._claims.of(envelope)
        return claim is not None and claim.job == job and claim.rests_on(records)

    async def keep(self, job: JobId, envelope: bytes) -> None:
        """Write the certificate's file, if it isn't there yet; never changes one that is."""
        await to_thread.run_sync(
            partial(keep_file, self._directory, job, envelope), limiter=self._limiter
        )


def sign_statement(statement: Evidence, key: SigningKey) -> bytes:
    """The signed envelope around a statement; raises CertificateGap unless it certifies."""
    gaps = gaps_of(statement)
    if gaps:
        raise CertificateGap(gaps)
    try:
        payload = encode_payload(statement)
    except ValueError as error:
        raise CertificateGap((f"the statement can't be written: {error}",)) from error
    return encode_envelope(
        Envelope(payload=payload, key_id=key.key_id, signature=key.sign(signed_bytes(payload)))
    )
