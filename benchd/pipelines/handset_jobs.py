"""All that the ledger holds of one handset's jobs: by its IMEIs, its serial and its chip."""

from __future__ import annotations

from benchd.ports import Ledger
from benchd.proof.drawn import JobMet
from benchd.words.record import StoredEntry

MOST_JOBS = 100
"""The newest of each serial and chip: many handsets may have one serial."""


async def records_of_handset(ledger: Ledger, met: JobMet) -> list[StoredEntry]:
    """Those that tell its IMEIs, with draws, ends and what became of it; of serial and chip all.

    In order. Handsets with the same serial are among them: whoever reads them tells them apart.
    """
    found: dict[int, StoredEntry] = {}
    for imei in sorted(met.imeis):
        found |= {record.sequence: record for record in await ledger.handset_entries(imei)}
    jobs = [job for chip in sorted(met.chips) for job in await ledger.chip_jobs(chip, MOST_JOBS)]
    for serial in sorted(met.serials):
        jobs += await ledger.serial_jobs(serial, MOST_JOBS)
    for job in dict.fromkeys(jobs):
        if job != met.job:
            found |= {record.sequence: record for record in await ledger.entries(job)}
    return [found[sequence] for sequence in sorted(found)]
