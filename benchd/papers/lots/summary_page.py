"""The page of lot papers and its PDF, which has the signed list in it.

It says how many handsets stand where, and nothing that the list doesn't say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from benchd.papers.certificate_pdf import LANGUAGES, VOUCH_NAME, set_documents
from benchd.papers.lots.statement import LotPapers
from benchd.papers.lots.tables import disposition_in_words, reason_in_words
from benchd.papers.model import Document, Line, Section
from benchd.papers.page_words import PageWords, bounded
from benchd.papers.told import japanese_time
from benchd.papers.typesetting import Attached
from benchd.papers.vouching import Vouched, vouch_json
from benchd.texts.catalogue import Catalogue
from benchd.texts.paper_words import PaperWord
from benchd.texts.sentences import Sentences
from benchd.texts.templates import Language, Texts
from benchd.words.lot_papers import PapersOf

LIST_NAME: Final = "lot-papers.json"
SUMMARY_NAME: Final = "summary.pdf"
MOST_REASONS: Final = 20
"""On the page; the list has all of them."""
_Named = Callable[[str, Catalogue], Texts]
"""A value in words, in both languages."""
_TITLE_OF: Final = {
    PapersOf.LOT: PaperWord.LOT_OF_LOT,
    PapersOf.DAY: PaperWord.LOT_OF_DAY,
    PapersOf.CONSIGNOR: PaperWord.LOT_OF_CONSIGNOR,
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
            title=words.word(PaperWord.LOT_TITLE),
            head=(
                words.line(_TITLE_OF[papers.of.by], bounded(papers.of.name)),
                words.line(PaperWord.LOT_MADE_AT, japanese_time(papers.made_at)),
                words.line(PaperWord.SITE, bounded(papers.site)),
                words.line(PaperWord.LOT_DIGEST, digest),
                words.line(PaperWord.KEY, key_id),
            ),
            sections=tuple(self._sections(papers, words, where)),
            code=f"BENCHD:PAPERS:{digest}:{where}".upper(),
            code_says=words.word(PaperWord.LOT_CODE),
        )

    def _sections(self, papers: LotPapers, words: PageWords, where: str) -> Iterator[Section]:
        counts = papers.counts
        told = {
            PaperWord.LOT_ALL: counts.handsets,
            PaperWord.LOT_CERTIFIED: counts.certified,
            PaperWord.LOT_HELD: counts.held,
            PaperWord.LOT_NOT_CERTIFIED: counts.not_certified,
            PaperWord.LOT_RUNNING: counts.running,
            PaperWord.LOT_NOT_RUN: counts.not_run,
            PaperWord.LOT_SEEN_AGAIN: counts.seen_again,
        }
        yield words.section(
            PaperWord.LOT_HANDSETS,
            *(words.line(word, str(count)) for word, count in told.items()),
        )
        yield words.section(
            PaperWord.LOT_SAYS,
            words.line(
                PaperWord.LOT_SAYS,
                words.word(PaperWord.LOT_SAYS_CERTIFIED),
                words.word(PaperWord.LOT_SAYS_HELD),
                words.word(PaperWord.LOT_SAYS_REST),
                words.word(PaperWord.LOT_SAYS_SEEN_AGAIN),
                words.word(PaperWord.LOT_SAYS_WHEN, last=str(papers.ledger.sequence)),
                words.word(PaperWord.LOT_SAYS_HANDSET),
                shown=False,
            ),
            warns=True,
        )
        yield self._counted(words, PaperWord.LOT_GOES, counts.by_disposition, disposition_in_words)
        yield self._counted(words, PaperWord.LOT_WHY, counts.by_reason, reason_in_words)
        program = f"benchd {papers.benchd_version} {papers.benchd_commit[:12]}"
        yield words.section(
            PaperWord.RECORD,
            words.line(
                PaperWord.LEDGER,
                words.word(
                    PaperWord.LOT_LEDGER,
                    last=str(papers.ledger.sequence),
                    value=papers.ledger.hash,
                ),
            ),
            words.line(PaperWord.LOT_FILES, str(len(papers.files))),
            words.line(PaperWord.LOT_PROGRAM, bounded(program)),
        )
        yield words.section(
            PaperWord.VERIFY,
            words.line(
                PaperWord.VERIFY,
                words.word(PaperWord.LOT_HOW_TO_VERIFY),
                words.word(PaperWord.WHERE_TO_VERIFY, where=where),
                shown=False,
            ),
        )

    def _counted(
        self, words: PageWords, title: PaperWord, counts: Mapping[str, int], named: _Named
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
            lines.append(words.line(PaperWord.LOT_OTHERS, str(rest)))
        nothing = words.line(title, words.word(PaperWord.NONE), shown=False)
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
            about=catalogue.paper(PaperWord.LOT_ATTACHED).ja,
        ),
        Attached(
            name=VOUCH_NAME,
            text=vouch_json(vouched),
            kind="application/json",
            about=catalogue.paper(PaperWord.KEY).ja,
        ),
    )
    return set_documents(documents, at=papers.made_at, attached=attached)
