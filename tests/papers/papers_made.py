"""Certificates and their papers, as a rack makes them."""

from __future__ import annotations

from typing import Any

from benchd.certificate import SigningKey, sign_statement
from benchd.papers.certificate_pdf import draft_of
from benchd.papers.key_voucher import Vouched, vouched_for
from benchd.papers.paper_content import Signed
from benchd.papers.paper_key import PaperKey
from benchd.papers.pdf_signing import sign_pdf
from benchd.papers.press import BY_COMMAND
from benchd.papers.signed_pdf import ReadPaper, read_paper
from benchd.signing.key_ring import KeyRing
from benchd.signing.public_key import public_key_of
from benchd.texts.catalogue import Catalogue

CATALOGUE = Catalogue.load()


def signed(statement: Any, key: SigningKey) -> Signed:  # noqa: ANN401 - JSON
    return Signed(
        statement=statement,
        envelope=sign_statement(statement, key),
        key_id=key.key_id,
        where=BY_COMMAND,
    )


def vouching(key: SigningKey) -> tuple[PaperKey, Vouched]:
    """As a rack without an address of its own has it."""
    return vouched_for(key, where=BY_COMMAND)


def draft(statement: Any, key: SigningKey) -> bytes:  # noqa: ANN401 - JSON
    return draft_of(signed(statement, key), vouching(key)[1], CATALOGUE)


def paper(statement: Any, key: SigningKey) -> bytes:  # noqa: ANN401 - JSON
    return sign_pdf(draft(statement, key), vouching(key)[0], name="大宮")


def read(pdf: bytes, key: SigningKey) -> ReadPaper:
    """As whoever has this rack's public key reads it."""
    return read_paper(pdf, KeyRing.of(public_key_of(key.public_key_pem)), CATALOGUE)
