"""Draws whether a handset is rechecked: on record before anything depends on it, and only once."""

from __future__ import annotations

from collections.abc import Sequence

from benchd.pipelines.contract import JobContext
from benchd.pipelines.handset_jobs import records_of_handset
from benchd.proof.drawn import draw_in, is_drawn, owed_by, share_of
from benchd.proof.evidence.forms import to_json
from benchd.proof.evidence.recheck import DRAW_BYTES, DrawRecord
from benchd.proof.identity.sighting import sighting_of
from benchd.words.record import Entry, EntryKind, StoredEntry


async def drawn_records(
    context: JobContext,
) -> tuple[Sequence[StoredEntry], Sequence[StoredEntry]]:
    """The job's records, with its draw where one is due, and those of its handset's other jobs.

    Raises CertificateGap for records that can't be read.
    """
    records = await context.ledger.entries(context.job)
    me = sighting_of(context.job, records)
    others = await records_of_handset(context.ledger, me)
    share, owed = share_of(records), owed_by(me, others)
    if draw_in(records) is not None or not (share or owed):
        return records, others
    token = context.entropy.token(DRAW_BYTES).hex()
    draw = DrawRecord(share=share, token=token, owed=owed, drawn=is_drawn(share, token, owed))
    await context.ledger.append(
        Entry(
            kind=EntryKind.RECHECK_DRAWN,
            at=context.clock.now(),
            slot=context.slot,
            occupancy=records[0].entry.occupancy,
            job=context.job,
            data=to_json(draw),
        )
    )
    return await context.ledger.entries(context.job), others
