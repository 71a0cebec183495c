"""The one spelling of a signature in a PDF of benchd.

What a CMS signature covers is the page; of its own wrapping, its fields beside and the hexadecimal
digits that it is written in, much can be changed and the signature still holds. So the wrapping is
made anew from what is covered, and has to be the same. The same goes for the place: a signature
dictionary may say that it lies elsewhere, or that less of the file is covered than there is.
"""

from __future__ import annotations

from typing import Any, Final, cast

from asn1crypto import algos, cms, core
from pyhanko.sign.validation import EmbeddedPdfSignature

from benchd.papers.pdf_signing import SPARE

_SHA256: Final[dict[str, Any]] = {"algorithm": "sha256", "parameters": core.Null()}
_TIME_STAMP: Final = "signature_time_stamp_token"


def is_written_as_benchd_writes(pdf: bytes, signature: EmbeddedPdfSignature) -> bool:
    """Whether the bytes that it leaves out are those that benchd would have written, and no more.

    A time stamp in it is taken as it is: whether it holds is to be asked of its own signature.
    """
    begin, before, after, rest = map(int, cast("Any", signature).byte_range)
    if begin != 0 or not 0 < before < after or after + rest != len(pdf) or rest <= 0:
        return False
    wrapped, room = _wrapped(signature), (after - before - 2) // 2
    if not has_time_stamp(signature) and room - len(wrapped) > SPARE:
        # One was there, or there would be room for one.
        return False
    filled = wrapped.ljust(room, b"\0")
    # What was checked has to be what stands there, and not what a dictionary elsewhere says.
    stands = pdf[before:after] == b"<" + filled.hex().upper().encode() + b">"
    return stands and signature.pkcs7_content == filled


def has_time_stamp(signature: EmbeddedPdfSignature) -> bool:
    """Whether there is anything beside the signature, which can only be the one time stamp."""
    return bool(_beside(signature))


def _beside(signature: EmbeddedPdfSignature) -> Any:  # noqa: ANN401 - asn1crypto has no types
    return cast("Any", signature.signer_info)["unsigned_attrs"]


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
    beside = _beside(signature)
    if [(each["type"].native, len(each["values"])) for each in beside] == [(_TIME_STAMP, 1)]:
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
