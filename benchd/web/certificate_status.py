"""Where a job's certificate stands: in its own end, or in that of the recheck that has passed."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.domain.errors import CertificateGap, NotFound
from benchd.domain.ids import JobId
from benchd.domain.job import Reason
from benchd.domain.record import EntryKind
from benchd.proof.handset_jobs import records_of_handset
from benchd.proof.identity.sighting import sighting_of, sightings_in
from benchd.proof.job_history import JobHistory, fold_job
from benchd.proof.recheck_proof import up_to_end
from benchd.web.service import ServedRack


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """A certificate as it stands in the ledger; the rack vouches for it."""

    stands_in: JobId
    """The job in whose end."""
    envelope: bytes


async def history_of(rack: ServedRack, job: JobId) -> JobHistory:
    """What a job's records tell; raises NotFound where there is no such job."""
    records = await rack.ledger.entries(job)
    # What was entered by hand has a number of the same form, and no story.
    by_hand = (EntryKind.ASSET_UNERASABLE, EntryKind.ASSET_ASSESSED)
    if not records or records[0].entry.kind in by_hand:
        message = f"there is no job {job}"
        raise NotFound(message)
    return fold_job(records, rack.issuer)


async def envelope_of(rack: ServedRack, job: JobId) -> bytes:
    """The certificate in a job's own end; raises NotFound for a job without one."""
    history = await history_of(rack, job)
    if history.envelope is None:
        raise NotFound(_why_not(history))
    return history.envelope


async def certificate_of(rack: ServedRack, job: JobId) -> Certified:
    """A job's certificate; raises NotFound for a job without one.

    The paper of a drawn job bears that job's number, and stands in the end of its recheck.
    """
    history = await history_of(rack, job)
    if history.envelope is not None:
        return Certified(stands_in=job, envelope=history.envelope)
    found = await _rechecked(rack, job) if history.reason is Reason.RECHECK_DUE else None
    if found is None:
        raise NotFound(_why_not(history))
    return found


async def _rechecked(rack: ServedRack, job: JobId) -> Certified | None:
    try:
        me = sighting_of(job, up_to_end(await rack.ledger.entries(job)))
        met = sightings_in(await records_of_handset(rack.ledger, me))
    except CertificateGap:
        # Records that can't be read vouch for nothing.
        return None
    for recheck in [other.job for other in met if other.rechecks == job and other.is_certified]:
        history = await history_of(rack, recheck)
        if history.envelope is not None:
            return Certified(stands_in=recheck, envelope=history.envelope)
    return None


def _why_not(history: JobHistory) -> str:
    why = {
        Reason.RECORD_BROKEN: "has a changed record: its certificate isn't shown",
        Reason.RECHECK_DUE: "has no certificate before somebody else has rechecked its handset",
    }
    said = why.get(history.reason) if history.reason is not None else None
    return f"job {history.job} {said or 'has no certificate'}"
