"""The key that signs PDFs: P-256, since viewers know no Ed25519, and made from the rack's own key.

There is no second file to keep, to lose or to rotate: whoever has the rack's key has this one, and
its certificate is the same each time. It's self-signed and says nothing that is worth a thing by
itself: the rack's Ed25519 key vouches for it (`vouching.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from benchd.signing.private_key import SigningKey

_PURPOSE: Final = b"benchd: key that signs papers"
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256 (SEC 2, version 2, 2.4.2)."""
_BEGINS: Final = datetime(2020, 1, 1, tzinfo=UTC)
_NEVER_ENDS: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""RFC 5280, 4.1.2.5: a certificate that has no well-defined end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperKey:
    """A private key and its self-signed certificate, both DER."""

    private: bytes = field(repr=False)
    certificate: bytes


def paper_key_of(key: SigningKey) -> PaperKey:
    """The key of papers that belongs to a rack's key; always the same."""
    # Twice the bits that the curve has, so that every scalar is as likely (FIPS 186-5, A.2.1).
    hkdf = HKDF(algorithm=hashes.SHA256(), length=64, salt=None, info=_PURPOSE)
    drawn = int.from_bytes(hkdf.derive(key.private.private_bytes_raw()))
    private = ec.derive_private_key(drawn % (_ORDER - 1) + 1, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"benchd {key.key_id[:16]}")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(int(key.key_id[:30], 16) + 1)
        .not_valid_before(_BEGINS)
        .not_valid_after(_NEVER_ENDS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(private, hashes.SHA256(), ecdsa_deterministic=True)
    )
    return PaperKey(
        private=private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        certificate=certificate.public_bytes(Encoding.DER),
    )
