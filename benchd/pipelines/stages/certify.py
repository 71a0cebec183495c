"""Stage `certify`: folds the ledger's records into a certificate, or refuses."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from benchd.errors import CertificateGap, StageFailed
from benchd.pipelines.certifying import intake_of, issue, turn_to_certify
from benchd.pipelines.contract import JobContext, StageResult
from benchd.pipelines.description import StageDescription
from benchd.pipelines.drawing import drawn_records
from benchd.proof.drawn import RECHECK_STILL_DUE
from benchd.proof.order import RECHECK_DUE
from benchd.words.job import Reason, StageName


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
