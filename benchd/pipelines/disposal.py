"""What has become of a handset by the ledger's own word: asked before anything is decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchd.ports import Ledger
from benchd.proof.disposal import DisposalItem, item_of
from benchd.proof.told import imeis_told
from benchd.words.ids import JobId
from benchd.words.record import StoredEntry


async def disposal_of(ledger: Ledger, job: JobId) -> DisposalItem | None:
    """What has become of an ended job's handset; None where it's sold, runs or isn't known."""
    own = await ledger.entries(job)
    return item_of(job, await with_later_jobs(ledger, own))


async def with_later_jobs(ledger: Ledger, own: Sequence[StoredEntry]) -> list[StoredEntry]:
    """These records and all that tell the same IMEIs, in the order of the ledger."""
    found = {record.sequence: record for record in own}
    for imei in sorted(all_imeis(own)):
        for record in await ledger.handset_entries(imei):
            found.setdefault(record.sequence, record)
    return [found[sequence] for sequence in sorted(found)]


def all_imeis(records: Iterable[StoredEntry]) -> frozenset[str]:
    """Every IMEI that these records tell."""
    return frozenset[str]().union(*(imeis_told(record.entry) for record in records))
