"""Certificates and their papers, as a rack makes them."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchd.certificate import SigningKey, sign_statement, verify_certificate
from benchd.papers.certificate_pdf import draft_of
from benchd.papers.model import Signed
from benchd.papers.pdf_signing import sign_pdf
from benchd.papers.press import BY_COMMAND
from benchd.papers.reading import ReadPaper, read_paper
from benchd.papers.vouching import vouched_for
from benchd.signing.public_key import has_signed, public_key_of
from benchd.texts.catalogue import Catalogue

CATALOGUE = Catalogue.load()


def signed(statement: Any, key: SigningKey) -> Signed:  # noqa: ANN401 - JSON
    return Signed(
        statement=statement,
        envelope=sign_statement(statement, key),
        key_id=key.key_id,
        where=BY_COMMAND,
    )


def draft(statement: Any, key: SigningKey) -> bytes:  # noqa: ANN401 - JSON
    return draft_of(signed(statement, key), vouched_for(key)[1], CATALOGUE)


def paper(statement: Any, key: SigningKey) -> bytes:  # noqa: ANN401 - JSON
    return sign_pdf(draft(statement, key), vouched_for(key)[0], name="大宮")


def read(pdf: bytes, key: SigningKey) -> ReadPaper:
    """As whoever has this rack's public key reads it."""
    pem = key.public_key_pem
    return read_paper(
        pdf,
        partial(verify_certificate, trusted=pem),
        partial(has_signed, public_key_of(pem)),
        CATALOGUE,
    )
