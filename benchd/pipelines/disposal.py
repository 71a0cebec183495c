"""What has become of a handset by the ledger's own word: asked before anything is decided."""

from __future__ import annotations

from dataclasses import replace

from benchd.pipelines.handset_jobs import records_of_handset
from benchd.ports import Ledger
from benchd.proof.disposal import DisposalItem, item_of
from benchd.proof.identity.sighting import Sighting, sighting_of, sightings_in
from benchd.proof.identity.takeover import rechecked_in, takes_over
from benchd.words.ids import JobId
from benchd.words.record import StoredEntry


async def disposal_of(ledger: Ledger, job: JobId) -> DisposalItem | None:
    """What has become of an ended job's handset; None where it's sold, runs or isn't known.

    Raises CertificateGap for records that can't be read.
    """
    own = await ledger.entries(job)
    mine = sighting_of(job, own)
    others = await records_of_handset(ledger, mine)
    records = sorted([*own, *others], key=lambda record: record.sequence)
    tied = {each.job: each.tied for each in sightings_in(others)}
    later: dict[JobId, Sighting] = {}

    def is_taken_over(record: StoredEntry) -> bool:
        other = record.entry.job
        if other in (None, job):
            return False
        if other not in later:
            # What it told while the first one still ran is as much its handset's.
            told = [r for r in others if r.entry.job == other and r.sequence < record.sequence]
            later[other] = sighting_of(other, told)
        later[other].take(record)
        by_recheck = rechecked_in(record.entry) == job
        traits = replace(later[other].traits, tied_chip=tied[other])
        return by_recheck or takes_over(mine.traits, traits, record.entry)

    return item_of(job, records, is_taken_over)
