"""Signs a PDF as PAdES has it (ETSI EN 319 142-1, baseline B, with a time stamp baseline T)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, Final, cast

from asn1crypto import keys, x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.extensions import DeveloperExtension
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko_certvalidator.registry import SimpleCertificateStore

from benchd.papers.paper_key import PaperKey

FIELD: Final = "benchd"
SPARE: Final = 16
"""Bytes that a signature without a time stamp may leave of its room.

ECDSA's differ by a few in length. The least that can be put beside one takes 19: there is no room.
"""


EXTENDED: Final = "/1.7"
"""The version of PDF that PDF/A-3 rests on."""


class NoTimeStamp(Exception):
    """The service for time stamps doesn't answer, or not as RFC 3161 has it."""


class _AddsOnly(IncrementalPdfFileWriter):
    """Adds a signature and leaves the page's own description as PDF/A has it.

    pyHanko would write the description anew, in a spelling of its own and with another time.
    """

    def _update_meta(self) -> None:
        """Nothing: what it says was true when the page was set, and nothing of that changes."""

    def ensure_output_version(self, version: tuple[int, int]) -> None:
        """Nothing: PDF/A-3 is PDF 1.7, and a signature of this kind needs no later one."""

    def register_extension(self, ext: DeveloperExtension) -> None:
        """Name what builds on 1.7; what is in 2.0 anyway is no extension that 1.7 could name."""
        if str(ext.base_version) == EXTENDED:
            super().register_extension(ext)

    def name_file(self, file_id: bytes) -> None:
        """Write this id, and none that is drawn."""
        both = (self.document_id[0], file_id)
        self._document_id = generic.ArrayObject(map(generic.ByteStringObject, both))


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What a signature adds to a draft, and no second one would add the same."""

    certificate: bytes
    """Of its key, DER."""
    name: str | None
    at: datetime
    file_id: bytes
    """Of the signed file; the draft keeps its own."""
    contents: bytes
    """The signature itself, in all of its room."""


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
    signed = BytesIO()
    try:
        cast("Any", signers).sign_pdf(
            _AddsOnly(BytesIO(draft)),
            _metadata(name),
            signer,
            timestamper=time_stamps,
            # A service's answers differ in length; without one, there is no room for one.
            bytes_reserved=None if time_stamps else _room(signer),
            output=signed,
        )
    except TimestampRequestError as error:
        raise NoTimeStamp(str(error)) from error
    except SigningError as error:
        if time_stamps is None:
            raise
        message = (
            "the service's second answer is far longer than its first: there is no room for it"
        )
        raise NoTimeStamp(message) from error
    return signed.getvalue()


def sign_again(draft: bytes, added: Added) -> bytes:
    """The PDF that this signature makes of a draft: the same bytes, or it's of another draft.

    No key is needed. Raises whatever pyHanko stumbles over where the signature is none of benchd.
    """
    writer = _AddsOnly(BytesIO(draft))
    writer.name_file(added.file_id)
    signer = signers.ExternalSigner(
        signing_cert=cast("Any", x509.Certificate).load(added.certificate),
        cert_registry=SimpleCertificateStore(),
        signature_value=b"",
    )
    session: Any = signers.PdfSigner(_metadata(added.name), signer).init_signing_session(writer)
    session.system_time = added.at
    prepared = session.prepare_tbs_document(None, bytes_reserved=2 * len(added.contents))
    digest, signed = prepared.digest_tbs_document(output=BytesIO())
    digest.fill_with_cms(signed, added.contents)
    return cast("bytes", signed.getvalue())


def _room(signer: signers.Signer) -> int:
    """In digits, of which a byte has two."""
    trying = cast("Any", signer).async_sign(bytes(32), "sha256", dry_run=True, use_pades=True)
    tried: Any = asyncio.run(trying)
    return 2 * (len(tried.dump()) + SPARE // 2)


def _metadata(name: str | None) -> signers.PdfSignatureMetadata:
    return signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        name=name,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        subfilter=SigSeedSubFilter.PADES,
    )
