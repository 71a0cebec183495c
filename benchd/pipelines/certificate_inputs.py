"""What a certificate is made of beside the job's own records, its moment, and who is next."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import anyio
from anyio.lowlevel import RunVar

from benchd.domain.record import StoredEntry
from benchd.pipelines.stage_contract import JobContext
from benchd.proof.erasure import VerifiedErasure
from benchd.proof.gate_waiver_proof import bound_in, confirmations_in
from benchd.proof.typed_network import noes_in

AT_ONCE: Final = 4
"""A job that certifies holds all that its records tell; the ledger reads for one at a time, and
a rack whose jobs end together would hold all of them while they wait for it."""

_TURNS = RunVar[anyio.CapacityLimiter]("benchd_certifying")


@asynccontextmanager
async def turn_to_certify(context: JobContext) -> AsyncGenerator[None]:
    """A block in which a job reads its records back: so few at once, whoever was first goes first.

    What is in it waits for nothing but the ledger, which has deadlines of its own; and what the
    others take for it isn't taken from this job's stage, whose handset is erased by now.
    """
    try:
        turns = _TURNS.get()
    except LookupError:
        turns = anyio.CapacityLimiter(AT_ONCE)
        _TURNS.set(turns)
    with context.time.stands_still():
        await turns.acquire()
    try:
        yield
    finally:
        turns.release()


async def intake_of(
    context: JobContext, records: Sequence[StoredEntry], others: Sequence[StoredEntry] = ()
) -> Sequence[StoredEntry]:
    """The records of intake from the lot of a job's handset on; raises CertificateGap.

    Of a handset of no lot, what has come in since it was asked about. With who has confirmed the
    time by which something was cited, and the lists since a × in one of the handset's `others`.
    """
    bound = bound_in(records)
    since = records[0].sequence if bound is None else bound.lot_sequence
    return await context.ledger.intake(min((since, *confirmations_in(records), *noes_in(others))))


def issue(context: JobContext, erasure: VerifiedErasure) -> bytes:
    """The signed envelope, kept for the job's end; raises CertificateGap."""
    # A clock that was set back mustn't date a certificate before what it rests on.
    answered = [answer.at for answer in erasure.answers]
    if erasure.recheck is not None:
        answered += [answer.at for answer in erasure.recheck.answers]
    if (asked_at := erasure.others_asked_at) is not None:
        answered.append(asked_at)
    context.envelope = context.issuer.issue(erasure, max([context.clock.now(), *answered]))
    return context.envelope
