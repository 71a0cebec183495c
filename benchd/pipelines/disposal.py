"""What has become of a handset by the ledger's own word: asked before anything is decided."""

from __future__ import annotations

from benchd.pipelines.handset_jobs import records_of_handset
from benchd.ports import Ledger
from benchd.proof.disposal import DisposalItem, item_of
from benchd.proof.identity.handset import Handsets
from benchd.proof.identity.sighting import sighting_of, sightings_in
from benchd.words.ids import JobId


async def disposal_of(ledger: Ledger, job: JobId) -> DisposalItem | None:
    """What has become of an ended job's handset; None where it's sold, runs or isn't known.

    A later job takes it over only where it is certainly of the same handset. Raises
    CertificateGap for records that can't be read.
    """
    own = await ledger.entries(job)
    me = sighting_of(job, own)
    others = await records_of_handset(ledger, me)
    same = {each.job for each in Handsets(me, sightings_in(others)).mine.sightings}
    records = [*own, *(record for record in others if record.entry.job in same)]
    return item_of(job, sorted(records, key=lambda record: record.sequence))
