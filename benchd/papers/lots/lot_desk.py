"""Makes the papers of a lot, a day or a consignor while they are sent.

PDFs are made one after the other on the press's own thread, in turns with whoever asks for a single
one: no job waits, the loop is free, and whoever stops reading has stopped it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from typing import Final

import structlog

from benchd.domain.errors import TriedTooOften
from benchd.domain.handset_file import Upto
from benchd.domain.ids import JobId
from benchd.domain.lot_papers import AskedPapers
from benchd.domain.plain_text import printable
from benchd.domain.ports import Clock, Ledger
from benchd.ledger.records.records_access import Records
from benchd.papers.lots.archive import Archive
from benchd.papers.lots.job_selection import Chooser
from benchd.papers.lots.line_of_job import Row
from benchd.papers.lots.lot_lines import Lines
from benchd.papers.lots.lot_signature import sign_lot_papers
from benchd.papers.lots.lot_statement import (
    LOT_PAPERS_TYPE,
    Asked,
    LedgerHead,
    LotPapers,
    NamedFile,
    counted,
)
from benchd.papers.lots.summary_page import LIST_NAME, SUMMARY_NAME, summary_of
from benchd.papers.lots.tables import CSV_NAME, JSON_NAME, csv_of, json_lines_of
from benchd.papers.press import Press
from benchd.proof.grade_book import GradeBook
from benchd.proof.intake_book import IntakeBook
from benchd.proof.ports import CertificateIssuer
from benchd.signing.private_key import SigningKey
from benchd.texts.catalogue import Catalogue

MOST_AT_ONCE: Final = 2
BY_COMMAND: Final = "benchd papers verify"
"""Where lot papers are verified."""
_AGAIN_S: Final = 60.0

_log = structlog.get_logger()


class LotPress:
    """The lot papers of one rack."""

    def __init__(  # noqa: PLR0913 - what they are made of, by whom, and who signs
        self,
        key: SigningKey,
        press: Press,
        catalogue: Catalogue,
        *,
        ledger: Ledger,
        issuer: CertificateIssuer,
        lists: Records,
        book: Callable[[], IntakeBook],
        grades: GradeBook,
        holder: Callable[[JobId], str | None],
        head: Callable[[], int],
        clock: Clock,
        site: str,
        program: tuple[str, str],
    ) -> None:
        """`head` is the number of the ledger's last record, `program` benchd's version and commit.

        `book` is the live book of intake, `grades` what people have given, `holder` the hook that
        holds a job's handset back.
        """
        self._key = key
        self.press = press
        """What prints single certificates, in turn with these."""
        self._catalogue = catalogue
        self._ledger = ledger
        self._issuer = issuer
        self._chooser = Chooser(lists, book, head)
        self._book = book
        self._grades = grades
        self._holder = holder
        self._clock = clock
        self._site = site
        self._version, self._commit = program
        self._running = 0

    @property
    def has_no_room(self) -> bool:
        """Whether as many are being made as may be at once."""
        return self._running >= MOST_AT_ONCE

    async def export(self, asked: AskedPapers) -> AsyncGenerator[bytes]:
        """The ZIP, piece by piece, each made when the one before was taken.

        Raises NotFound, UsageRefused, RecordsUnavailable or TriedTooOften before the first; what
        goes wrong later leaves a ZIP without an end, which nothing takes for a whole one.
        """
        if self.has_no_room:
            message = f"the papers of {MOST_AT_ONCE} others are being made: try again in a while"
            raise TriedTooOften(message, wait_s=_AGAIN_S)
        self._running += 1
        made = self._made(asked)
        # It has begun before anybody has it: then its turn ends with it, however that comes about.
        await anext(made)
        return made

    async def _made(self, asked: AskedPapers) -> AsyncGenerator[bytes]:
        """First nothing, as soon as it's clear what will be made; then the ZIP."""
        archive = Archive()
        try:
            listed, lots = await self._chooser.choose(asked)
            yield b""
            lines = Lines(
                listed, self._ledger, self._issuer, self._book(), self._grades, self._holder
            )
            for job in listed.jobs:
                envelope = await lines.take(job)
                name = lines.rows[-1].line.pdf
                if envelope is not None and name is not None:
                    yield archive.add(name, await self.press.pdf(envelope))
            await lines.take_unseen(lots)
            tables = await self.press.at_work(partial(self._tables, lines.rows))
            for name, data in tables.items():
                yield archive.add(name, data)
            stated = await self.press.at_work(
                partial(self._state, asked, listed.upto, lines.rows, tuple(archive.files))
            )
            signed = await self.press.at_work(partial(sign_lot_papers, stated, self._key))
            yield archive.add(LIST_NAME, signed)
            summary = await self.press.signed_page(
                lambda vouched: summary_of(
                    stated,
                    signed,
                    vouched,
                    self._catalogue,
                    key_id=self._key.key_id,
                ),
                where=BY_COMMAND,
            )
            yield archive.add(SUMMARY_NAME, summary)
            yield archive.close()
            _log.info("papers_made", handsets=stated.counts.handsets, of=str(asked.of))
        finally:
            # Whoever has left gets no end.
            archive.close()
            self._running -= 1

    def _tables(self, rows: Sequence[Row]) -> dict[str, bytes]:
        return {CSV_NAME: csv_of(rows, self._catalogue), JSON_NAME: json_lines_of(rows)}

    def _state(
        self, asked: AskedPapers, upto: Upto, rows: Sequence[Row], files: tuple[NamedFile, ...]
    ) -> LotPapers:
        lines = tuple(row.line for row in rows)
        return LotPapers(
            type=LOT_PAPERS_TYPE,
            site=printable(self._site),
            of=Asked(
                by=asked.of, name=printable(asked.name, 200), begin=asked.begin, end=asked.end
            ),
            made_at=self._clock.now(),
            ledger=LedgerHead(sequence=upto.sequence, hash=upto.hash),
            counts=counted(lines),
            handsets=lines,
            files=files,
            benchd_version=self._version,
            benchd_commit=self._commit,
        )
