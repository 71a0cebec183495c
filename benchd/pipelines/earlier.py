"""What this rack's ledger knows of a handset that was here before, told by its IMEIs.

The ledger decides, never the read model that finds the same things faster.
"""

from __future__ import annotations

from collections.abc import Collection

from benchd.errors import CertificateGap
from benchd.pipelines.contract import JobContext
from benchd.proof.binding import Known
from benchd.proof.disposal import dooms
from benchd.proof.evidence.job import JobEvidence
from benchd.proof.intake_book import IntakeBook
from benchd.proof.reading import RecordReader
from benchd.words.imei import is_imei
from benchd.words.intake import Tag
from benchd.words.job import Disposition, Gate, Reason
from benchd.words.record import Entry, EntryKind, StoredEntry
from benchd.words.slot import EarlierEnd

NO_REASON = "—"
MOST_RECORDS = 100
"""Of each IMEI; one that dooms is enough."""
MOST_NAMED = 3
"""Of the jobs that a question names; the record has them all."""


async def earlier_end(context: JobContext, imeis: Collection[str]) -> EarlierEnd | None:
    """How the last ended job of a handset with one of these IMEIs has ended."""
    records = await _records(context, imeis)
    doomed = any(dooms(record.entry) for record in records)
    ends = (_end_of(record.entry, doomed=doomed) for record in records)
    return next((end for end in ends if end is not None), None)


async def let_by_somebody_in_charge(context: JobContext, number: str | None) -> tuple[str, ...]:
    """What sent this handset to be destroyed; StageFailed unless it's let in.

    Earlier jobs, and the tags of assets that were entered by hand as not erasable. Asked only where
    a certificate is wanted: without one nothing is sold.
    """
    told = Known.of(JobEvidence(inspect=context.evidence.inspect)).imeis
    imeis = told | ({number} if number and is_imei(number) else set[str]())
    records = [r for r in await _records(context, imeis) if dooms(r.entry)]
    jobs = dict.fromkeys(r.entry.job for r in records if r.entry.job is not None)
    book = context.intake.book
    dead = {tag: told for tag, told in book.unerasable.items() if _imei_of(book, tag) in imeis}
    doomed_by = (*jobs, *dead)
    if doomed_by and context.certifies:
        ends = (_end_of(record.entry, doomed=True) for record in records)
        reasons = (*(end.reason for end in ends if end), *(told.reason for told in dead.values()))
        reason = next(iter(reasons), None)
        facts = {
            **context.handset_facts(),
            "earlier_job": ", ".join(doomed_by[:MOST_NAMED]),
            "earlier_reason": reason or NO_REASON,
        }
        await context.approved(Gate.DESTROYED_BEFORE, Reason.DESTROY_STANDS, facts)
    return doomed_by


def _imei_of(book: IntakeBook, tag: Tag) -> str | None:
    asset = book.assets.get(tag)
    return asset.line.imei if asset else None


def _end_of(entry: Entry, *, doomed: bool) -> EarlierEnd | None:
    """How a job ended by its record; None for any other record, and for one that can't be read."""
    if entry.kind is not EntryKind.JOB_ENDED or entry.job is None:
        return None
    reader = RecordReader(entry.data, entry.kind)
    try:
        reason = reader.optional_text("reason")
        return EarlierEnd(
            job=entry.job,
            at=entry.at,
            disposition=Disposition(reader.text("disposition")),
            reason=Reason(reason) if reason else None,
            doomed=doomed,
        )
    except (CertificateGap, ValueError):
        return None


async def _records(context: JobContext, imeis: Collection[str]) -> list[StoredEntry]:
    """The newest first; this job itself hasn't ended yet."""
    found: dict[int, StoredEntry] = {}
    for imei in sorted(imeis):
        for record in await context.ledger.handset_ends(imei, MOST_RECORDS):
            if record.entry.job != context.job:
                found[record.sequence] = record
    return [found[sequence] for sequence in sorted(found, reverse=True)]
