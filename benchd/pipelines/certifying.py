"""What a certificate is made of beside the job's own records, and the moment that it bears."""

from __future__ import annotations

from collections.abc import Sequence

from benchd.pipelines.contract import JobContext
from benchd.proof.erasure import VerifiedErasure
from benchd.proof.settled import bound_in
from benchd.words.record import StoredEntry


async def intake_of(context: JobContext, records: Sequence[StoredEntry]) -> Sequence[StoredEntry]:
    """The records of intake from the lot of a job's handset on; raises CertificateGap.

    Of a handset of no lot, what has come in since it was asked about.
    """
    bound = bound_in(records)
    since = records[0].sequence if bound is None else bound.lot_sequence
    return await context.ledger.intake(since)


def issue(context: JobContext, erasure: VerifiedErasure) -> bytes:
    """The signed envelope, kept for the job's end; raises CertificateGap."""
    # A clock that was set back mustn't date a certificate before what it rests on.
    answered = [answer.at for answer in erasure.answers]
    if erasure.recheck is not None:
        answered += [answer.at for answer in erasure.recheck.answers]
    context.envelope = context.issuer.issue(erasure, max(context.clock.now(), *answered))
    return context.envelope
