"""The page of lot papers and its PDF, which has the signed list in it.

It says how many handsets stand where, and nothing that the list doesn't say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from benchd.domain.lot_papers import PapersOf
from benchd.domain.plain_text import Language
from benchd.papers.certificate_pdf import LANGUAGES, VOUCH_NAME, set_documents
from benchd.papers.key_voucher import Vouched, vouch_json
from benchd.papers.lots.lot_statement import LotPapers
from benchd.papers.lots.tables import disposition_in_words, reason_in_words
from benchd.papers.page_words import PageWords, bounded
from benchd.papers.paper_content import Document, Line, Section
from benchd.papers.statement_paths import japanese_time
from benchd.papers.typesetting import Attached
from benchd.texts.catalogue import Catalogue
from benchd.texts.templates import Texts
from benchd.texts.translated_sentences import Sentences

LIST_NAME: Final = "lot-papers.json"
SUMMARY_NAME: Final = "summary.pdf"
MOST_REASONS: Final = 20
"""On the page; the list has all of them."""
_Named = Callable[[str, Catalogue], Texts]
"""A value in words, in both languages."""
_TITLE_OF: Final = {
    PapersOf.LOT: "paper.lot_of_lot",
    PapersOf.DAY: "paper.lot_of_day",
    PapersOf.CONSIGNOR: "paper.lot_of_consignor",
}


class SummaryPage:
    """Makes the pages of lot papers, in both languages."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Reads its sentences once."""
        self._catalogue = catalogue
        self._sentences = Sentences.load(catalogue)

    def document(
        self, papers: LotPapers, envelope: bytes, language: Language, *, key_id: str, where: str
    ) -> Document:
        """The page of a list that was signed as `envelope`."""
        words = PageWords(language, self._catalogue, self._sentences)
        digest = hashlib.sha256(envelope).hexdigest()
        return Document(
            language=language,
            title=words.word("paper.lot_title"),
            named=bounded(papers.of.name),
            author=bounded(papers.site),
            verdict="",
            head=(
                words.line(_TITLE_OF[papers.of.by], bounded(papers.of.name)),
                words.line("paper.lot_made_at", japanese_time(papers.made_at)),
                words.line("paper.site", bounded(papers.site)),
                words.line("paper.lot_digest", digest),
                words.line("paper.key", key_id),
            ),
            sections=tuple(self._sections(papers, words, where)),
            code=f"BENCHD:PAPERS:{digest}:{where}".upper(),
            code_says=words.word("paper.lot_code"),
        )

    def _sections(self, papers: LotPapers, words: PageWords, where: str) -> Iterator[Section]:
        counts = papers.counts
        told = {
            "paper.lot_all": counts.handsets,
            "paper.lot_certified": counts.certified,
            "paper.lot_held": counts.held,
            "paper.lot_not_certified": counts.not_certified,
            "paper.lot_running": counts.running,
            "paper.lot_not_run": counts.not_run,
            "paper.lot_seen_again": counts.seen_again,
        }
        yield words.section(
            "paper.lot_handsets",
            *(words.line(word, str(count)) for word, count in told.items()),
        )
        yield words.section(
            "paper.lot_says",
            words.line(
                "paper.lot_says",
                words.word("paper.lot_says_certified"),
                words.word("paper.lot_says_held"),
                words.word("paper.lot_says_rest"),
                words.word("paper.lot_says_seen_again"),
                words.word("paper.lot_says_when", last=str(papers.ledger.sequence)),
                words.word("paper.lot_says_handset"),
                shown=False,
            ),
            warns=True,
        )
        yield self._counted(words, "paper.lot_goes", counts.by_disposition, disposition_in_words)
        yield self._counted(words, "paper.lot_why", counts.by_reason, reason_in_words)
        program = f"benchd {papers.benchd_version} {papers.benchd_commit[:12]}"
        yield words.section(
            "paper.record",
            words.line(
                "paper.ledger",
                words.word(
                    "paper.lot_ledger",
                    last=str(papers.ledger.sequence),
                    value=papers.ledger.hash,
                ),
            ),
            words.line("paper.lot_files", str(len(papers.files))),
            words.line("paper.lot_program", bounded(program)),
        )
        yield words.section(
            "paper.verify",
            words.line(
                "paper.verify",
                words.word("paper.lot_how_to_verify"),
                words.word("paper.where_to_verify", where=where),
                shown=False,
            ),
        )

    def _counted(
        self, words: PageWords, title: str, counts: Mapping[str, int], named: _Named
    ) -> Section:
        """The most frequent first; what there is no room for as one line."""
        ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        lines = [
            Line(
                label=bounded(named(value, self._catalogue).to(words.language)),
                values=(str(count),),
            )
            for value, count in ranked[:MOST_REASONS]
        ]
        if rest := sum(count for _, count in ranked[MOST_REASONS:]):
            lines.append(words.line("paper.lot_others", str(rest)))
        nothing = words.line(title, words.word("paper.none"), shown=False)
        return words.section(title, *(lines or [nothing]))


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
