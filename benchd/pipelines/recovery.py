"""At start: jobs that a dead daemon left open are settled, never continued on trust."""

from __future__ import annotations

import structlog

from benchd.domain.ids import JobId
from benchd.domain.job import DISPOSITION_OF, Outcome, Reason
from benchd.domain.ports import Clock, Ledger
from benchd.domain.record import Entry, EntryKind
from benchd.proof.job_history import ending_of
from benchd.proof.ports import CertificateIssuer

_log = structlog.get_logger()


async def close_open_jobs(ledger: Ledger, clock: Clock) -> int:
    """End every open job as INTERRUPTED and return how many there were.

    The handset itself is asked afterwards: if it's still in its slot, a new job proves
    everything again.
    """
    opened = await ledger.open_jobs()
    for record in opened:
        entry = record.entry
        await ledger.append(
            Entry(
                kind=EntryKind.JOB_ENDED,
                at=clock.now(),
                slot=entry.slot,
                occupancy=entry.occupancy,
                job=entry.job,
                data={
                    "outcome": Outcome.INTERRUPTED,
                    "disposition": DISPOSITION_OF[Reason.DAEMON_STOPPED],
                    "reason": Reason.DAEMON_STOPPED,
                    "detail": "the daemon ended while this job was running",
                    "certificate": None,
                },
            )
        )
        _log.warning("job_interrupted", slot=entry.slot, job=entry.job)
    return len(opened)


async def keep_certificates(ledger: Ledger, issuer: CertificateIssuer, newest: int) -> list[JobId]:
    """Write the files of certificates that the ledger holds; a crash may have come in between."""
    kept: list[JobId] = []
    for job in await ledger.job_ids(newest):
        # Only how it ended: reading all evidence of hundreds of jobs would hold the start up.
        end = ending_of(await ledger.entries(job), issuer)
        if end is not None and end.envelope is not None:
            await issuer.keep(job, end.envelope)
            kept.append(job)
    return kept
