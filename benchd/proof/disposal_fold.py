"""What has become of an ended job's handset: a fold over records, one step for each.

The ledger's own answer and the read model both take these steps, and nothing else does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from benchd.domain.disposal import (
    CLOSED_BY_A_LATER_JOB,
    DISPOSAL_MOVES,
    DOOMED,
    DisposalState,
    opened_by,
)
from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import from_json
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition, Outcome, Reason
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.proof.evidence.disposal_evidence import DisposalEvidence
from benchd.proof.evidence.intake_evidence import UnerasableRecord
from benchd.proof.record_fields import RecordReader


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposalItem:
    """The handset of one ended job."""

    job: JobId
    state: DisposalState
    since: datetime
    ended_at: datetime
    disposition: Disposition
    reason: Reason | None
    run_again_as: JobId | None = None
    """The later job that has taken it over."""
    was_doomed: bool = False
    """Whether it was ever to be destroyed."""

    def moved(self, to: DisposalState, at: datetime) -> DisposalItem:
        """The same in another state."""
        doomed = self.was_doomed or to in DOOMED
        return replace(self, state=to, since=at, was_doomed=doomed)


ENDS: Final = frozenset({EntryKind.JOB_ENDED, EntryKind.ASSET_UNERASABLE})
"""What leaves a handset to be looked after; one that can't be plugged in has no job before that."""


def opened_item(end: Entry) -> DisposalItem | None:
    """What such a record leaves to be done; None where a handset is sold, or no end is told."""
    if end.job is None:
        return None
    if end.kind is EntryKind.ASSET_UNERASABLE:
        return _of_unerasable(end, end.job)
    reader = RecordReader(end.data, end.kind)
    try:
        disposition = reader.word("disposition", Disposition)
        certified = reader.optional_text("certificate") is not None
        state = opened_by(reader.word("outcome", Outcome), disposition, certified=certified)
        told = reader.optional_word("reason", Reason)
    except CertificateGap:
        # An end that can't be understood leaves a handset that somebody has to look after.
        state, disposition, told = DisposalState.HELD, Disposition.HOLD, Reason.RECORD_BROKEN
    if state is None:
        return None
    return DisposalItem(
        job=end.job,
        state=state,
        since=end.at,
        ended_at=end.at,
        disposition=disposition,
        reason=told,
        was_doomed=state in DOOMED,
    )


def _of_unerasable(entry: Entry, case: JobId) -> DisposalItem:
    try:
        disposition = from_json(UnerasableRecord, entry.data, entry.kind).disposition
    except CertificateGap:
        disposition = Disposition.HOLD
    state = opened_by(Outcome.FAILED, disposition, certified=False) or DisposalState.HELD
    return DisposalItem(
        job=case,
        state=state,
        since=entry.at,
        ended_at=entry.at,
        disposition=disposition,
        reason=None,
        was_doomed=state in DOOMED,
    )


def dooms(entry: Entry) -> bool:
    """Whether this record sends a handset to be destroyed, or says that it was.

    A settling that came too late for its item to change counts too: somebody has said so.
    """
    if entry.kind is EntryKind.HANDSET_SETTLED:
        try:
            return disposal_evidence_of(entry).to in DOOMED
        except CertificateGap:
            return False
    return (
        entry.kind is EntryKind.JOB_ENDED and entry.data.get("disposition") == Disposition.DESTROY
    )


def disposal_evidence_of(entry: Entry) -> DisposalEvidence:
    """What a record of a settling says; raises CertificateGap."""
    return from_json(DisposalEvidence, entry.data, entry.kind)


def disposed_item(item: DisposalItem, entry: Entry) -> DisposalItem:
    """After a record of a settling; one that isn't allowed from here changes nothing."""
    try:
        told = disposal_evidence_of(entry)
    except CertificateGap:
        return item
    if told.before is not item.state or told.to not in DISPOSAL_MOVES[item.state]:
        return item
    again = JobId(told.later_job) if told.later_job else item.run_again_as
    return replace(item.moved(told.to, entry.at), run_again_as=again)


def run_again_item(item: DisposalItem, later: JobId, at: datetime) -> DisposalItem:
    """After a later job has met the same handset."""
    if item.state not in CLOSED_BY_A_LATER_JOB or later == item.job:
        return item
    return replace(item.moved(DisposalState.RUN_AGAIN, at), run_again_as=later)


def item_of(
    job: JobId, records: Iterable[StoredEntry], takes_over: Callable[[StoredEntry], bool]
) -> DisposalItem | None:
    """What has become of a job's handset, by its own records and those of other jobs.

    They have to be in order; None where the job hasn't ended, or its handset is sold. `takes_over`
    says whether a record of another job shows that it has the same handset.
    """
    item: DisposalItem | None = None
    ended = False
    for record in records:
        entry = record.entry
        if entry.job == job and entry.kind in ENDS and not ended:
            item, ended = opened_item(entry), True
        elif item is None:
            continue
        elif entry.job == job and entry.kind is EntryKind.HANDSET_SETTLED:
            item = disposed_item(item, entry)
        elif entry.job is not None and takes_over(record):
            item = run_again_item(item, entry.job, entry.at)
    return item
