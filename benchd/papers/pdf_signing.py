"""Signs a PDF as PAdES has it (ETSI EN 319 142-1, baseline B, with a time stamp baseline T)."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final, cast

from asn1crypto import keys, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.timestamps import HTTPTimeStamper, TimeStamper
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko_certvalidator.registry import SimpleCertificateStore

from benchd.papers.paper_key import PaperKey

FIELD: Final = "benchd"
TIME_STAMP_S: Final = 10
"""How long a time stamp is waited for, seconds."""


class NoTimeStamp(Exception):
    """The service for time stamps doesn't answer, or not as RFC 3161 has it."""


class _AddsOnly(IncrementalPdfFileWriter):
    """Adds a signature and leaves the page's own description as PDF/A has it.

    pyHanko would write the description anew, in a spelling of its own and with another time.
    """

    def _update_meta(self) -> None:
        """Nothing: what it says was true when the page was set, and nothing of that changes."""


def sign_pdf(
    draft: bytes, key: PaperKey, *, name: str, time_stamps: TimeStamper | None = None
) -> bytes:
    """The PDF with one invisible signature over all of it, after which nothing may change.

    It says when it was signed by this machine's clock; a time stamp, where there is a service for
    it, says it by that service's. Blocks, and must run where no event loop does: a worker thread.
    Raises NoTimeStamp where the service has none to give.
    """
    signer = signers.SimpleSigner(
        # asn1crypto has no types.
        signing_cert=cast("Any", x509.Certificate).load(key.certificate),
        signing_key=cast("Any", keys.PrivateKeyInfo).load(key.private),
        cert_registry=SimpleCertificateStore(),
    )
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        name=name,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        subfilter=SigSeedSubFilter.PADES,
    )
    signed = BytesIO()
    try:
        cast("Any", signers).sign_pdf(
            _AddsOnly(BytesIO(draft)),
            metadata,
            signer,
            timestamper=time_stamps,
            output=signed,
        )
    except TimestampRequestError as error:
        raise NoTimeStamp(str(error)) from error
    return signed.getvalue()


def time_stamps_of(url: str | None) -> TimeStamper | None:
    """An RFC 3161 service by its address; none where there is no address."""
    return HTTPTimeStamper(url, timeout=TIME_STAMP_S) if url else None
