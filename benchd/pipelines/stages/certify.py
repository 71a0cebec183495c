"""Stage `certify`: folds the ledger's records into a certificate, or refuses.

Whether the handset is drawn for a recheck is on record before anything depends on it, once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from benchd.domain.errors import CertificateGap, StageFailed
from benchd.domain.evidence_json import to_json
from benchd.domain.job import Reason, StageName
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.pipelines.certificate_inputs import intake_of, issue, turn_to_certify
from benchd.pipelines.other_racks import ask_other_racks
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.proof.evidence.recheck_evidence import DRAW_BYTES, DrawRecord
from benchd.proof.handset_jobs import records_of_handset
from benchd.proof.identity.sighting import sighting_of
from benchd.proof.recheck_draw import RECHECK_STILL_DUE, draw_in, is_drawn, owed_by, share_of
from benchd.proof.stage_order import RECHECK_DUE


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifyEvidence:
    """Which certificate was made; it stands in the job's end."""

    certificate_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifyStage:
    """Reads the records back from the ledger: what isn't in there hasn't happened."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.CERTIFY,
        destructive=False,
        needs_access=True,
        skipped_for=frozenset({RECHECK_DUE}),
    )

    async def run(self, context: JobContext) -> StageResult:
        """The signed envelope is kept with the job's end, in one record.

        A handset that is drawn gets none: everything else is proven, and its recheck is due.
        """
        try:
            mine = sighting_of(context.job, await context.ledger.entries(context.job))
            await ask_other_racks(context, mine, StageName.CERTIFY)
            async with turn_to_certify(context):
                return await self._certified(context)
        except CertificateGap as gap:
            if gap.missing != (RECHECK_STILL_DUE,):
                raise StageFailed(Reason.PROOF_INCOMPLETE, str(gap)) from gap
        context.due = Reason.RECHECK_DUE
        return StageResult(skipped_because=RECHECK_DUE)

    async def _certified(self, context: JobContext) -> StageResult:
        records, others = await drawn_records(context)
        intake = await intake_of(context, records, others)
        envelope = issue(context, context.profile.verify(context.job, records, intake, others))
        return StageResult(
            evidence=CertifyEvidence(certificate_sha256=hashlib.sha256(envelope).hexdigest())
        )


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
