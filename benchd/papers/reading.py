"""Reads a signed PDF again: whether both signatures hold, and say the same.

Every byte counts. What PDF and CMS leave open, benchd writes in one way only, and nothing else
is taken: so no edit stays unseen because a lenient reader makes the same of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, cast

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import EmbeddedPdfSignature, validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from benchd.certificate.envelope import decode_envelope
from benchd.errors import CertificateInvalid
from benchd.papers.certificate_pdf import ENVELOPE_NAME, VOUCH_NAME, draft_of
from benchd.papers.cms_form import is_written_as_benchd_writes
from benchd.papers.model import Signed
from benchd.papers.pdf_signing import FIELD
from benchd.papers.typesetting import SettingFailed
from benchd.papers.vouching import HasSigned, Vouched, read_vouch, vouches
from benchd.texts.catalogue import Catalogue
from benchd.words.ids import Evidence

MAX_PDF_BYTES: Final = 4 << 20
PDF: Final = b"%PDF-"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPaper:
    """What a signed PDF has shown."""

    signed: Signed
    signer_sha256: str
    """Of the certificate that signed the page."""
    vouched: bool
    """Whether a key that still counts vouches for that; else the page was compared."""
    page_compared: bool
    """Whether the page is, byte for byte, what this benchd makes of the statement.

    Another version of benchd may set it otherwise: then the rack's signature alone stands for it.
    """


def read_paper(
    pdf: bytes, verify: Callable[[bytes], Evidence], has_signed: HasSigned, catalogue: Catalogue
) -> ReadPaper:
    """What a PDF says that the rack has signed; raises CertificateInvalid.

    `verify` tells what stands in the certificate within, `has_signed` whose word counts: both go
    by keys that the reader has. Blocks, and must run where no event loop does.
    """
    if len(pdf) > MAX_PDF_BYTES:
        message = f"the file is larger than {MAX_PDF_BYTES} bytes: no certificate is"
        raise CertificateInvalid(message)
    try:
        return _read(pdf, verify, has_signed, catalogue)
    except CertificateInvalid:
        raise
    except Exception as error:
        # The readers of PDF, CMS and X.509 beneath raise whatever they stumble over.
        message = f"the file isn't a PDF of benchd: {type(error).__name__}"
        raise CertificateInvalid(message) from error


def files_of(pdf: bytes) -> dict[str, bytes]:
    """The files within a PDF, by their names; raises whatever its reader stumbles over."""
    return _attached(PdfFileReader(BytesIO(pdf), strict=True))


def _read(
    pdf: bytes, verify: Callable[[bytes], Evidence], has_signed: HasSigned, catalogue: Catalogue
) -> ReadPaper:
    envelope, vouched, where = signed_file(pdf, ENVELOPE_NAME)
    signed = Signed(
        statement=verify(envelope),
        envelope=envelope,
        key_id=decode_envelope(envelope).key_id,
        where=where,
    )
    compared = _is_same_page(pdf, signed, vouched, catalogue)
    # A retired key vouches for nothing any more; but a page needs nobody's word that is the same.
    is_vouched = vouches(has_signed, vouched)
    if not is_vouched and not compared:
        message = "the rack's key doesn't vouch for the key that signed the page"
        raise CertificateInvalid(message)
    return ReadPaper(
        signed=signed,
        signer_sha256=vouched.certificate_sha256,
        vouched=is_vouched,
        page_compared=compared,
    )


def signed_file(pdf: bytes, name: str) -> tuple[bytes, Vouched, str]:
    """The file of this name within, what vouches for the page's key, and where to verify it.

    The page and all within it are as its key has signed them; whether the rack vouches for that
    key isn't asked. Raises CertificateInvalid, and whatever the readers beneath stumble over.
    """
    reader = PdfFileReader(BytesIO(pdf), strict=True)
    signatures = reader.embedded_signatures
    if len(signatures) != 1 or signatures[0].field_name != FIELD:
        message = "it doesn't have the one signature that a PDF of benchd has"
        raise CertificateInvalid(message)
    files = _attached(reader)
    if set(files) != {name, VOUCH_NAME}:
        message = "it doesn't have the files that a PDF of benchd has"
        raise CertificateInvalid(message)
    vouched, where = read_vouch(files[VOUCH_NAME])
    _check_page(pdf, signatures[0], vouched)
    return files[name], vouched, where


def _attached(reader: PdfFileReader) -> dict[str, bytes]:
    listed = cast("Any", reader.root)["/Names"]["/EmbeddedFiles"]["/Names"]
    names, files = list(listed)[::2], list(listed)[1::2]
    found = {
        str(name): cast("bytes", file.get_object()["/EF"]["/F"].data)
        for name, file in zip(names, files, strict=True)
    }
    if len(found) != len(files):
        message = "two of its files have one name"
        raise CertificateInvalid(message)
    return found


def _check_page(pdf: bytes, signature: EmbeddedPdfSignature, vouched: Vouched) -> None:
    """Raise unless the vouched key has signed all of the file."""
    signer = cast("Any", signature.signer_cert)
    if hashlib.sha256(signer.dump()).hexdigest() != vouched.certificate_sha256:
        message = "another key has signed the page than the one that is vouched for"
        raise CertificateInvalid(message)
    status = validate_pdf_signature(
        signature,
        # The vouching is what it's trusted for; no revocation is asked for, and no network.
        ValidationContext(trust_roots=[signer], allow_fetching=False),
    )
    whole = status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    if not (status.intact and status.valid and whole) or not is_written_as_benchd_writes(
        pdf, signature
    ):
        message = "the page's signature doesn't fit: the PDF has changed since it was signed"
        raise CertificateInvalid(message)


def _is_same_page(pdf: bytes, signed: Signed, vouched: Vouched, catalogue: Catalogue) -> bool:
    try:
        return pdf.startswith(draft_of(signed, vouched, catalogue))
    except SettingFailed:
        return False
