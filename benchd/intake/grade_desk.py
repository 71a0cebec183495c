"""Where people say how a handset looks and works: one record of the ledger for each word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from benchd.domain.errors import CertificateGap, IntakeRefused, NotFound
from benchd.domain.evidence_json import to_json
from benchd.domain.grade import RMJ, GradeScale
from benchd.domain.ids import JobId
from benchd.domain.intake import Tag
from benchd.domain.ports import Clock, Ledger
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.intake.intake_desk import LONGEST_TEXT
from benchd.proof.evidence.intake_evidence import Who
from benchd.proof.grade_book import GradeBook, Graded, GradedRecord, graded_in
from benchd.proof.intake_book import IntakeBook

PIECE_RECORDS: Final = 500

_log = structlog.get_logger()


class GradeReads(Protocol):
    """A ledger that finds the records of one kind."""

    async def of_kind(
        self, kind: EntryKind, after: int = 0, most: int = -1
    ) -> Sequence[StoredEntry]:
        """So many records of one kind after a number, in order."""
        ...


class GradeDesk:
    """Takes grades in. Whatever it refuses has changed nothing."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        intake: Callable[[], IntakeBook],
        scale: GradeScale = RMJ,
    ) -> None:
        """`intake` is the live book of what came in, `scale` the dealer's list."""
        self.scale = scale
        self.book = GradeBook()
        self._ledger = ledger
        self._clock = clock
        self._intake = intake

    async def recall(self, ledger: GradeReads) -> None:
        """Read all that is on record. Raises LedgerFault."""
        upto = 0
        while records := await ledger.of_kind(EntryKind.HANDSET_GRADED, upto, PIECE_RECORDS):
            for record in records:
                self._follow(record)
            upto = records[-1].sequence

    def _follow(self, record: StoredEntry) -> None:
        try:
            self.book.take(record)
        except CertificateGap as gap:
            _log.error("intake_record_unreadable", sequence=record.sequence, detail=str(gap))

    async def grade_asset(self, tag: str, code: str, *, note: str, by: Who) -> Graded:
        """Put on record what a person says of an asset; raises NotFound, IntakeRefused."""
        book = self._intake()
        asset = book.assets.get(Tag(tag))
        if asset is None:
            raise NotFound(f"there is no asset {tag[:LONGEST_TEXT]}: import its lot first")
        jobs = book.bound.get(asset.tag, ())
        job = jobs[-1].job if jobs else None
        return await self._keep(code, note, by, tag=asset.tag, lot=asset.lot, job=job)

    async def grade_job(self, job: str, code: str, *, note: str, by: Who) -> Graded:
        """The same of the handset of a job, and of the asset that it is if it is one."""
        records = await self._ledger.entries(JobId(job))
        if not any(record.entry.kind is EntryKind.JOB_OPENED for record in records):
            raise NotFound(f"there is no job {job[:LONGEST_TEXT]}")
        bound = self._intake().of_job.get(JobId(job))
        tag, lot = (None, None) if bound is None else (bound.told.tag, bound.told.lot)
        return await self._keep(code, note, by, tag=tag, lot=lot, job=job)

    async def _keep(
        self, code: str, note: str, by: Who, *, tag: str | None, lot: str | None, job: str | None
    ) -> Graded:
        grade = self.scale.find(code)
        if grade is None:
            raise IntakeRefused(
                f"there is no grade {code[:LONGEST_TEXT]}: allowed are {self.scale.codes}"
            )
        if len(note) > LONGEST_TEXT or not note.isprintable():
            raise IntakeRefused(f"note has at most {LONGEST_TEXT} printable characters")
        told = GradedRecord(
            tag=tag,
            lot=lot,
            job=job,
            code=grade.code,
            ja=grade.ja,
            en=grade.en,
            note=note,
            by=by,
        )
        entry = Entry(kind=EntryKind.HANDSET_GRADED, at=self._clock.now(), data=to_json(told))
        receipt = await self._ledger.append(entry)
        stored = StoredEntry(sequence=receipt.sequence, entry=entry, hash_hex=receipt.hash_hex)
        self.book.take(stored)
        return graded_in(stored)
