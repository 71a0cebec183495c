"""Stage `certify_drawn`: certifies the drawn job that its recheck has passed, or refuses."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from benchd.domain.errors import CertificateGap, StageFailed
from benchd.domain.ids import JobId
from benchd.domain.job import Reason, StageName
from benchd.pipelines.certificate_inputs import intake_of, issue, turn_to_certify
from benchd.pipelines.other_racks import ask_other_racks
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.pipelines.stages.certify import CertifyEvidence
from benchd.proof.erasure import JobHeld, verify_drawn_erasure
from benchd.proof.handset_jobs import records_of_handset
from benchd.proof.identity.sighting import sighting_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifyDrawnStage:
    """Reads the records of both jobs back from the ledger, and of all others of the handset."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.CERTIFY_DRAWN,
        destructive=False,
        needs_access=False,
        after=(StageName.FIND_DRAWN, StageName.RECHECK),
    )

    async def run(self, context: JobContext) -> StageResult:
        """The drawn job's certificate is kept with this job's end, in one record."""
        found = context.evidence.find_drawn
        if found is None:
            raise StageFailed(Reason.PROOF_INCOMPLETE, "nobody knows which job it is of")
        drawn = JobId(found.drawn_job)
        try:
            seen = sighting_of(drawn, await context.ledger.entries(drawn))
            await ask_other_racks(context, seen, StageName.CERTIFY_DRAWN)
            async with turn_to_certify(context):
                return await self._certified(context, drawn)
        except CertificateGap as gap:
            raise StageFailed(Reason.PROOF_INCOMPLETE, str(gap)) from gap

    async def _certified(self, context: JobContext, drawn: JobId) -> StageResult:
        records = await context.ledger.entries(drawn)
        others = await records_of_handset(context.ledger, sighting_of(drawn, records))
        erasure = verify_drawn_erasure(
            JobHeld(job=drawn, records=records),
            JobHeld(job=context.job, records=await context.ledger.entries(context.job)),
            await intake_of(context, records, others),
            others,
        )
        envelope = issue(context, erasure)
        return StageResult(
            evidence=CertifyEvidence(certificate_sha256=hashlib.sha256(envelope).hexdigest())
        )
