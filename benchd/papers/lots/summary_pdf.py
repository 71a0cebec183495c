"""The PDF of lot papers: the page in both languages, with the signed list inside of it."""

from __future__ import annotations

from typing import Final

from benchd.papers.certificate_pdf import LANGUAGES, VOUCH_NAME, set_documents
from benchd.papers.lots.statement import LotPapers
from benchd.papers.lots.summary_page import SummaryPage
from benchd.papers.typesetting import Attached
from benchd.papers.vouching import Vouched, vouch_json
from benchd.texts.catalogue import Catalogue

LIST_NAME: Final = "lot-papers.json"
SUMMARY_NAME: Final = "summary.pdf"


def summary_of(
    papers: LotPapers,
    envelope: bytes,
    vouched: Vouched,
    catalogue: Catalogue,
    *,
    key_id: str,
) -> bytes:
    """As it is before it is signed: the same bytes anywhere. Raises SettingFailed."""
    pages = SummaryPage(catalogue)
    documents = [
        pages.document(papers, envelope, language, key_id=key_id, where=vouched.where)
        for language in LANGUAGES
    ]
    attached = (
        Attached(
            name=LIST_NAME,
            text=envelope.decode("ascii"),
            kind="application/json",
            about=catalogue.text("paper.lot_attached").ja,
        ),
        Attached(
            name=VOUCH_NAME,
            text=vouch_json(vouched),
            kind="application/json",
            about=catalogue.text("paper.key").ja,
        ),
    )
    return set_documents(documents, at=papers.made_at, attached=attached)
