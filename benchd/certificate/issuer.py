"""Signs certificates with the rack's key and keeps them as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from anyio import CapacityLimiter, to_thread

from benchd.certificate.device_form import HANDSET_FORM, CertificateForm, Issuing
from benchd.certificate.envelope import Envelope, encode_envelope, signed_bytes
from benchd.certificate.ledger_claims import Claims
from benchd.certificate.payload import encode_payload
from benchd.certificate.statement_check import FORMS, Rules, gaps_of
from benchd.certificate.written_once import keep_file
from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import Evidence, JobId
from benchd.domain.record import StoredEntry
from benchd.proof.erasure import VerifiedErasure
from benchd.signing.private_key import SigningKey


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
        site_address: str | None = None,
        forms: Sequence[CertificateForm] = (HANDSET_FORM,),
    ) -> None:
        """Certificates name site, its address, version and commit, and are kept in the directory.

        `forms` are those of the kinds of device that the rack certifies.
        """
        self._key = key
        self._directory = directory
        self._site = site
        self._site_address = site_address
        self._benchd_version = benchd_version
        self._benchd_commit = benchd_commit
        self._limiter = CapacityLimiter(1)
        self._forms = {form.kind: form for form in forms}
        if len(self._forms) != len(forms):
            message = "a kind of device has one form of certificate"
            raise ValueError(message)
        # No kind changes what a certificate of benchd's own forms has to say.
        own_rules = {form.predicate_type: form.rules for form in forms}
        self._rules: Mapping[str, Rules] = {**own_rules, **FORMS}
        self._claims = Claims(key.ring, self._rules)

    def issue(self, erasure: VerifiedErasure, at: datetime) -> bytes:
        """The signed envelope for this proof; raises CertificateGap for what it doesn't show."""
        form = self._forms.get(erasure.kind)
        if form is None:
            raise CertificateGap((f"devices of the kind {erasure.kind!r} have no certificate",))
        issuing = Issuing(
            at=at,
            site=self._site,
            site_address=self._site_address,
            benchd_version=self._benchd_version,
            benchd_commit=self._benchd_commit,
            ring=self._key.ring,
        )
        statement: Evidence = to_json(form.statement_of(erasure, issuing))
        match statement:
            case {"predicateType": form.predicate_type, "predicate": {"method": erasure.method}}:
                return sign_statement(statement, self._key, self._rules)
            case _:
                raise CertificateGap(("it names another form or method than its kind has",))

    def vouches(self, job: JobId, envelope: bytes, records: Sequence[StoredEntry]) -> bool:
        """Whether this is the rack's own certificate of this very job and these records of it."""
        claim = self._claims.of(envelope)
        return claim is not None and claim.job == job and claim.rests_on(records)

    async def keep(self, job: JobId, envelope: bytes) -> None:
        """Write the certificate's file, if it isn't there yet; never changes one that is."""
        await to_thread.run_sync(
            partial(keep_file, self._directory, job, envelope), limiter=self._limiter
        )


def sign_statement(
    statement: Evidence, key: SigningKey, forms: Mapping[str, Rules] | None = None
) -> bytes:
    """The signed envelope around a statement; raises CertificateGap unless it certifies.

    `forms` are as for `gaps_of`.
    """
    gaps = gaps_of(statement, forms)
    if gaps:
        raise CertificateGap(gaps)
    try:
        payload = encode_payload(statement)
    except ValueError as error:
        raise CertificateGap((f"the statement can't be written: {error}",)) from error
    return encode_envelope(
        Envelope(payload=payload, key_id=key.key_id, signature=key.sign(signed_bytes(payload)))
    )
