"""The one spelling of a signature in a PDF of benchd.

What a CMS signature covers is the page; of its own wrapping, its fields beside and the hexadecimal
digits that it is written in, much can be changed and the signature still holds. So the wrapping is
made anew from what is covered, and has to be the same.
"""

from __future__ import annotations

from typing import Any, Final, cast

from asn1crypto import algos, cms, core
from pyhanko.sign.validation import EmbeddedPdfSignature

_SHA256: Final[dict[str, Any]] = {"algorithm": "sha256", "parameters": core.Null()}
_TIME_STAMP: Final = "signature_time_stamp_token"


def is_written_as_benchd_writes(pdf: bytes, signature: EmbeddedPdfSignature) -> bool:
    """Whether the bytes that the signature leaves out are those that benchd would have written."""
    ranges = cast("Any", signature).byte_range
    before, after = int(ranges[1]), int(ranges[2])
    digits = _wrapped(signature).hex().upper().encode()
    room = after - before - 2
    return pdf[before:after] == b"<" + digits.ljust(room, b"0") + b">"


def _wrapped(signature: EmbeddedPdfSignature) -> bytes:
    # asn1crypto has no types.
    told, signer = cast("Any", signature.signer_info), cast("Any", signature.signer_cert)
    fields: dict[str, Any] = {
        "version": "v1",
        "sid": cms.SignerIdentifier(
            name="issuer_and_serial_number",
            value=cms.IssuerAndSerialNumber(
                {"issuer": signer.issuer, "serial_number": signer.serial_number}
            ),
        ),
        "digest_algorithm": algos.DigestAlgorithm(_SHA256),
        "signed_attrs": told["signed_attrs"],
        "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
        "signature": told["signature"].native,
    }
    beside = told["unsigned_attrs"]
    if [each["type"].native for each in beside] == [_TIME_STAMP]:
        # Its own signature is checked with the page's.
        fields["unsigned_attrs"] = beside
    data: Any = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [algos.DigestAlgorithm(_SHA256)],
            "encap_content_info": {"content_type": "data"},
            "certificates": [signer],
            "signer_infos": [cms.SignerInfo(fields)],
        }
    )
    whole: Any = cms.ContentInfo({"content_type": "signed_data", "content": data})
    return cast("bytes", whole.dump())
