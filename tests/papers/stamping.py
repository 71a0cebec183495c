"""Time stamps by a service of the tests' own, and what can be put in their place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import cms
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps import DummyTimeStamper

from tests.papers.forging import range_of, signature_of

SIGNED = ("version", "sid", "digest_algorithm", "signed_attrs", "signature_algorithm", "signature")


def time_stamper() -> DummyTimeStamper:
    """A service of this test's own; no other machine is asked."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "time")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(key, hashes.SHA256())
    )
    der = serialization.Encoding.DER
    private = key.private_bytes(
        der, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return DummyTimeStamper(
        tsa_cert=asn1_x509.Certificate.load(certificate.public_bytes(der)),
        tsa_key=asn1_keys.PrivateKeyInfo.load(private),
        fixed_dt=now,
    )


def stamps_in(pdf: bytes) -> list[Any]:
    [beside] = signature_of(pdf).signer_info["unsigned_attrs"]
    return list(beside["values"])


def beside(*values: Any) -> list[Any]:  # noqa: ANN401 - asn1crypto has no types
    """An attribute with these in the place of its one time stamp."""
    return [cms.CMSAttribute({"type": "signature_time_stamp_token", "values": list(values)})]


def signed_beside(pdf: bytes, attributes: Sequence[Any]) -> bytes:
    """The same signature with other attributes beside it, which it doesn't cover.

    Longer than the file where there is no room for them.
    """
    signature = signature_of(pdf)
    before, after, _ = range_of(pdf)
    data, signer = signature.signed_data, signature.signer_info
    told = {name: signer[name] for name in SIGNED}
    if attributes:
        told["unsigned_attrs"] = cms.CMSAttributes(attributes)
    kept = ("version", "digest_algorithms", "encap_content_info", "certificates")
    again = cms.SignedData(
        {**{name: data[name] for name in kept}, "signer_infos": [cms.SignerInfo(told)]}
    )
    whole = cms.ContentInfo({"content_type": "signed_data", "content": again})
    digits = whole.dump().hex().upper().encode()
    return pdf[: before + 1] + digits.ljust(after - before - 2, b"0") + pdf[after - 1 :]
