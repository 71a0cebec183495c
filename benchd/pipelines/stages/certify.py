"""Stage `certify`: folds the ledger's records into a certificate, or refuses."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from benchd.errors import CertificateGap, StageFailed
from benchd.pipelines.contract import JobContext, StageResult
from benchd.pipelines.description import StageDescription
from benchd.proof.erasure import verify_erasure
from benchd.proof.order import REQUIRED_STAGES
from benchd.proof.settled import bound_in
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
        needs_adb=True,
        after=REQUIRED_STAGES,
    )

    async def run(self, context: JobContext) -> StageResult:
        """The signed envelope is kept with the job's end, in one record."""
        records = await context.ledger.entries(context.job)
        try:
            bound = bound_in(records)
            # Of a handset of no lot, what has come in since it was asked about.
            since = records[0].sequence if bound is None else bound.lot_sequence
            intake = await context.ledger.intake(since)
            erasure = verify_erasure(context.job, records, intake)
            # A clock that was set back mustn't date a certificate before what it rests on.
            answered = (answer.at for answer in erasure.answers)
            context.envelope = context.issuer.issue(erasure, max(context.clock.now(), *answered))
        except CertificateGap as gap:
            raise StageFailed(Reason.PROOF_INCOMPLETE, str(gap)) from gap
        return StageResult(
            evidence=CertifyEvidence(
                certificate_sha256=hashlib.sha256(context.envelope).hexdigest()
            )
        )
