"""The PDF of a certificate, as it is before it is signed: the same bytes anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Final

from benchd.domain.ids import JsonValue
from benchd.papers.certificate_page import CertificatePage
from benchd.papers.key_voucher import Vouched, vouch_json
from benchd.papers.paper_content import Document, Signed
from benchd.papers.qr import qr_svg
from benchd.papers.statement_paths import StatementPaths, moment_of
from benchd.papers.typesetting import Attached, set_pdf
from benchd.texts.catalogue import Catalogue

ENVELOPE_NAME: Final = "certificate.json"
VOUCH_NAME: Final = "paper-key.json"
LANGUAGES: Final = ("ja", "en")


def draft_of(signed: Signed, vouched: Vouched, catalogue: Catalogue) -> bytes:
    """Both pages, with the certificate's own file and what vouches for the paper's key.

    Work for the processor: call it from a worker thread. Raises SettingFailed.
    """
    pages = CertificatePage(catalogue)
    told = StatementPaths(signed.statement)
    documents = [pages.document(signed, language) for language in LANGUAGES]
    attached = (
        Attached(
            name=ENVELOPE_NAME,
            text=signed.envelope.decode("ascii"),
            kind="application/json",
            about=catalogue.text("paper.attached").ja,
        ),
        Attached(
            name=VOUCH_NAME,
            text=vouch_json(vouched),
            kind="application/json",
            about=catalogue.text("paper.key").ja,
        ),
    )
    at = moment_of(told, "predicate.issued_at")
    return set_documents(documents, at=at, attached=attached)


def set_documents(
    documents: Sequence[Document], *, at: datetime, attached: Sequence[Attached]
) -> bytes:
    """A page for each of them, which says which of them it is.

    Raises SettingFailed.
    """
    data: dict[str, JsonValue] = {
        "title": f"{documents[0].title} {documents[0].named}",
        "author": documents[0].author,
        "pages": [_page(document) for document in documents],
    }
    return set_pdf(_source(), data, at=at, attached=attached)


def _page(document: Document) -> JsonValue:
    whole = asdict(document)
    return {**whole, "code": qr_svg(document.code)}


@cache
def _source() -> str:
    return resources.files("benchd.papers").joinpath("faces/certificate.typ").read_text("utf-8")
