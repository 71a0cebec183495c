"""Whether a file is a certificate that the holder of one public key has signed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from benchd.certificate.envelope import decode_envelope, signed_bytes
from benchd.certificate.payload import decode_payload
from benchd.certificate.statement_check import Rules, gaps_of
from benchd.domain.errors import CertificateInvalid
from benchd.domain.ids import Evidence
from benchd.signing.key_ring import KeyRing
from benchd.signing.public_key import has_signed, public_key_of

MAX_CERTIFICATE_BYTES = 1 << 20


def verify_certificate(
    data: bytes, trusted: bytes | KeyRing, forms: Mapping[str, Rules] | None = None
) -> Evidence:
    """The statement in a certificate; raises CertificateInvalid unless every byte is as signed.

    Only the key that is given counts (PEM), or the ring that leads to it: nothing in the file is
    ever taken for a key. A retired key counts for what its rotation names. Raises UsageRefused
    when that key is none. `forms` are as for `gaps_of`.
    """
    ring = trusted if isinstance(trusted, KeyRing) else KeyRing.of(public_key_of(trusted))
    if len(data) > MAX_CERTIFICATE_BYTES:
        message = f"the file is larger than {MAX_CERTIFICATE_BYTES} bytes: no certificate is"
        raise CertificateInvalid(message)
    try:
        envelope = decode_envelope(data)
    except ValueError as error:
        message = f"the file isn't a certificate of benchd: {error}"
        raise CertificateInvalid(message) from error
    place = ring.place_of(envelope.key_id)
    if place is None:
        raise CertificateInvalid(_of_no_trusted_key(envelope.key_id, ring))
    if not has_signed(ring.keys[place], signed_bytes(envelope.payload), envelope.signature):
        message = "the signature doesn't fit: the certificate has changed since it was signed"
        raise CertificateInvalid(message)
    retired = ring.retired_by(place)
    if retired is not None and certificate_digest(data) not in retired.retirement.certificates:
        message = (
            f"its key was retired on {retired.retirement.at:%Y-%m-%d}, and the rotation doesn't"
            " name this certificate: whoever has the old key can have made it, with any date"
        )
        raise CertificateInvalid(message)
    return _statement(envelope.payload, forms)


def certificate_digest(data: bytes) -> str:
    """What a rotation names a certificate by: SHA-256 of its file, as hex."""
    return hashlib.sha256(data).hexdigest()


def _of_no_trusted_key(key_id: str, ring: KeyRing) -> str:
    if key_id in ring.later:
        return (
            "it was signed by a key that came after the one that was given: get the newest one"
            " from the rack's owner, since a stolen key could have named any other"
        )
    return "the certificate names another key than the one that was given"


def _statement(payload: bytes, forms: Mapping[str, Rules] | None) -> Evidence:
    try:
        statement = decode_payload(payload)
    except ValueError as error:
        message = f"what was signed isn't a statement of benchd: {error}"
        raise CertificateInvalid(message) from error
    gaps = gaps_of(statement, forms)
    if gaps or not isinstance(statement, Mapping):
        message = f"it was signed, but it doesn't certify an erasure: {'; '.join(gaps)}"
        raise CertificateInvalid(message)
    return statement
