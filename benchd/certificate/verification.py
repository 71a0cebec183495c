"""Whether a file is a certificate that the holder of one public key has signed."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature

from benchd.certificate.document import gaps_of
from benchd.certificate.envelope import decode_envelope, signed_bytes
from benchd.certificate.payload import decode_payload
from benchd.errors import CertificateInvalid
from benchd.signing.key import key_id_of
from benchd.signing.public_key import public_key_of
from benchd.words.ids import Evidence

MAX_CERTIFICATE_BYTES = 1 << 20


def verify_certificate(data: bytes, public_key_pem: bytes) -> Evidence:
    """The statement in a certificate; raises CertificateInvalid unless every byte is as signed.

    Only the key that is given counts: nothing in the file is ever taken for a key. Raises
    UsageRefused when that key is none.
    """
    public_key = public_key_of(public_key_pem)
    if len(data) > MAX_CERTIFICATE_BYTES:
        message = f"the file is larger than {MAX_CERTIFICATE_BYTES} bytes: no certificate is"
        raise CertificateInvalid(message)
    try:
        envelope = decode_envelope(data)
    except ValueError as error:
        message = f"the file isn't a certificate of benchd: {error}"
        raise CertificateInvalid(message) from error
    if envelope.key_id != key_id_of(public_key):
        message = "the certificate names another key than the one that was given"
        raise CertificateInvalid(message)
    try:
        public_key.verify(envelope.signature, signed_bytes(envelope.payload))
    except InvalidSignature as error:
        message = "the signature doesn't fit: the certificate has changed since it was signed"
        raise CertificateInvalid(message) from error
    return _statement(envelope.payload)


def _statement(payload: bytes) -> Evidence:
    try:
        statement = decode_payload(payload)
    except ValueError as error:
        message = f"what was signed isn't a statement of benchd: {error}"
        raise CertificateInvalid(message) from error
    gaps = gaps_of(statement)
    if gaps or not isinstance(statement, Mapping):
        message = f"it was signed, but it doesn't certify an erasure: {'; '.join(gaps)}"
        raise CertificateInvalid(message)
    return statement
