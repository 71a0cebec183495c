"""Checks a certificate as JSON or PDF, and tells what was checked, by which key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchd.certificate.certificate_verification import verify_certificate
from benchd.certificate.envelope import decode_envelope
from benchd.certificate.payload import decode_payload
from benchd.certificate.statement_check import gaps_of
from benchd.domain.errors import CertificateInvalid
from benchd.domain.ids import Evidence
from benchd.papers.certificate_pdf import ENVELOPE_NAME
from benchd.papers.paper_content import Signed
from benchd.papers.signed_pdf import PDF, files_of, read_paper
from benchd.signing.key_ring import KeyRing
from benchd.texts.catalogue import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A certificate, and what of it was checked; None stands for what its kind doesn't have."""

    kind: Literal["json", "pdf"]
    signed: Signed
    signature: bool
    """Whether it was signed by the rack; False where nobody has looked."""
    paper_key_sha256: str | None = None
    paper_key_vouched: bool | None = None
    page_compared: bool | None = None


def check(data: bytes, ring: KeyRing, catalogue: Catalogue, *, where: str) -> Checked:
    """Whether every byte is as signed, in a PDF by both its keys; raises CertificateInvalid.

    Only the keys that the reader has given count. `where` is told of a JSON file, which names no
    place.
    """
    if data.startswith(PDF):
        paper = read_paper(data, ring, catalogue)
        return Checked(
            kind="pdf",
            signed=paper.signed,
            signature=True,
            paper_key_sha256=paper.signer_sha256,
            paper_key_vouched=paper.vouched,
            page_compared=paper.page_compared,
        )
    statement = verify_certificate(data, ring)
    return Checked(kind="json", signed=_signed(statement, data, where), signature=True)


def look(data: bytes, *, where: str) -> Checked:
    """What a file says of itself, with no signature checked; raises CertificateInvalid."""
    kind: Literal["json", "pdf"] = "pdf" if data.startswith(PDF) else "json"
    try:
        envelope = files_of(data)[ENVELOPE_NAME] if kind == "pdf" else data
        statement = decode_payload(decode_envelope(envelope).payload)
    except CertificateInvalid:
        raise
    except Exception as error:
        # Whatever a reader beneath stumbles over: nobody has checked this file.
        message = f"the file isn't a certificate of benchd: {type(error).__name__}"
        raise CertificateInvalid(message) from error
    gaps = gaps_of(statement)
    if gaps or not isinstance(statement, dict):
        message = f"it doesn't certify an erasure: {'; '.join(gaps)}"
        raise CertificateInvalid(message)
    return Checked(kind=kind, signed=_signed(statement, envelope, where), signature=False)


def _signed(statement: Evidence, envelope: bytes, where: str) -> Signed:
    key_id = decode_envelope(envelope).key_id
    return Signed(statement=statement, envelope=envelope, key_id=key_id, where=where)
