"""Reads a signed PDF again: whether both signatures hold, and say the same.

Every byte counts. What PDF and CMS leave open, benchd writes in one way only, and nothing else
is taken: so no edit stays unseen because a lenient reader makes the same of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, Final, cast

from pyhanko.pdf_utils.generic import parse_pdf_date
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import EmbeddedPdfSignature, validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from benchd.certificate.certificate_verification import verify_certificate
from benchd.certificate.envelope import decode_envelope
from benchd.domain.errors import CertificateInvalid
from benchd.papers.certificate_pdf import ENVELOPE_NAME, VOUCH_NAME, draft_of
from benchd.papers.cms_form import has_time_stamp, is_written_as_benchd_writes
from benchd.papers.key_voucher import Vouched, read_vouch, vouches
from benchd.papers.paper_content import Signed
from benchd.papers.pdf_signing import FIELD, Added, sign_again
from benchd.papers.press import BY_COMMAND
from benchd.papers.typesetting import SettingFailed
from benchd.signing.key_ring import KeyRing
from benchd.texts.catalogue import Catalogue

MAX_PDF_BYTES: Final = 4 << 20
PDF: Final = b"%PDF-"
_REVISIONS: Final = 2
"""The page as it was set, and its signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPaper:
    """What a signed PDF has shown."""

    signed: Signed
    signer_sha256: str
    """Of the certificate that signed the page."""
    vouched: bool
    """Whether a key that still counts vouches for that; else the page was compared."""
    page_compared: bool
    """Whether all but the signature is, byte for byte, what this benchd makes of the statement.

    Another version of benchd may set it otherwise: then the rack's signature alone stands for it.
    """


def read_paper(pdf: bytes, ring: KeyRing, catalogue: Catalogue) -> ReadPaper:
    """What a PDF says that the rack has signed; raises CertificateInvalid.

    Only the keys that the reader has given count. Blocks, and must run where no event loop does.
    """
    if len(pdf) > MAX_PDF_BYTES:
        message = f"the file is larger than {MAX_PDF_BYTES} bytes: no certificate is"
        raise CertificateInvalid(message)
    try:
        return _read(pdf, ring, catalogue)
    except CertificateInvalid:
        raise
    except Exception as error:
        # The readers of PDF, CMS and X.509 beneath raise whatever they stumble over.
        message = f"the file isn't a PDF of benchd: {type(error).__name__}"
        raise CertificateInvalid(message) from error


def files_of(pdf: bytes) -> dict[str, bytes]:
    """The files within a PDF, by their names; raises whatever its reader stumbles over."""
    return _attached(PdfFileReader(BytesIO(pdf), strict=True))


def is_signed_draft(pdf: bytes, draft: bytes, added: Added) -> bool:
    """Whether a PDF is this draft and its signature, and nothing else in either.

    A revision can change any object of a page that stands before it untouched: that a file begins
    with a draft tells nothing.
    """
    return pdf.startswith(draft) and sign_again(draft, added) == pdf


def _read(pdf: bytes, ring: KeyRing, catalogue: Catalogue) -> ReadPaper:
    envelope, vouched, added = signed_file(pdf, ENVELOPE_NAME)
    signed = Signed(
        statement=verify_certificate(envelope, ring),
        envelope=envelope,
        key_id=decode_envelope(envelope).key_id,
        where=vouched.where,
    )
    compared = _is_same_page(pdf, signed, vouched, added, catalogue)
    is_vouched = vouches(ring.has_signed, vouched)
    if not is_vouched:
        if not compared or not _may_name_its_place(vouched, ring):
            message = "the rack's key doesn't vouch for the key that signed the page"
            raise CertificateInvalid(message)
        # The place on it is nobody's word that counts: it isn't passed on.
        signed = replace(signed, where=BY_COMMAND)
    return ReadPaper(
        signed=signed,
        signer_sha256=vouched.certificate_sha256,
        vouched=is_vouched,
        page_compared=compared,
    )


def _may_name_its_place(vouched: Vouched, ring: KeyRing) -> bool:
    """Whether a page that needs nobody's word, since it is the same, leads nobody astray.

    Anybody can sign such a page, and all of it follows from the certificate but this.
    """
    return vouched.where == BY_COMMAND or vouches(ring.has_ever_signed, vouched)


def signed_file(pdf: bytes, name: str) -> tuple[bytes, Vouched, Added]:
    """The file of this name within, what vouches for the page's key, and what signing has added.

    The page and all within it are as its key has signed them; whether the rack vouches for that
    key isn't asked. Raises CertificateInvalid, and whatever the readers beneath stumble over.
    """
    reader = PdfFileReader(BytesIO(pdf), strict=True)
    signatures = reader.embedded_signatures
    if len(signatures) != 1 or signatures[0].field_name != FIELD:
        message = "it doesn't have the one signature that a PDF of benchd has"
        raise CertificateInvalid(message)
    if reader.total_revisions != _REVISIONS or signatures[0].signed_revision != _REVISIONS - 1:
        message = "it was changed after it was signed, or before: a PDF of benchd never is"
        raise CertificateInvalid(message)
    files = _attached(reader)
    if set(files) != {name, VOUCH_NAME}:
        message = "it doesn't have the files that a PDF of benchd has"
        raise CertificateInvalid(message)
    vouched = read_vouch(files[VOUCH_NAME])
    _check_page(pdf, signatures[0], vouched)
    return files[name], vouched, _added(reader, signatures[0])


def _added(reader: PdfFileReader, signature: EmbeddedPdfSignature) -> Added:
    told = cast("Any", signature.sig_object)
    return Added(
        certificate=cast("Any", signature.signer_cert).dump(),
        name=str(told["/Name"]) if "/Name" in told else None,
        at=parse_pdf_date(told["/M"]),
        file_id=bytes(cast("Any", reader.trailer)["/ID"][1].original_bytes),
        contents=signature.pkcs7_content,
    )


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
    # Without values, nothing is found there that could fail: only what holds is taken.
    stamp = status.timestamp_validity
    stamped = bool(stamp and stamp.intact and stamp.valid) or not has_time_stamp(signature)
    if not (status.intact and status.valid and whole and stamped) or (
        not is_written_as_benchd_writes(pdf, signature)
    ):
        message = "the page's signature doesn't fit: the PDF has changed since it was signed"
        raise CertificateInvalid(message)


def _is_same_page(
    pdf: bytes, signed: Signed, vouched: Vouched, added: Added, catalogue: Catalogue
) -> bool:
    try:
        return is_signed_draft(pdf, draft_of(signed, vouched, catalogue), added)
    except SettingFailed:
        return False
