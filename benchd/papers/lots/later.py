"""Whether a certified handset has been in a later job: by the ledger, not by what was made of it.

A certificate says how a handset was at its time. What a later job has found counts more, so nobody
is told "sellable" because a file that can be lost doesn't know of one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from benchd.errors import RecordsUnavailable
from benchd.ports import Ledger
from benchd.proof.told import imeis_told
from benchd.words.ids import JobId
from benchd.words.lot_papers import Listed
from benchd.words.record import StoredEntry


class LaterJobs:
    """Of what was listed, as of the list's record."""

    def __init__(self, listed: Listed, ledger: Ledger) -> None:
        self._upto = listed.upto.sequence
        self._handset_of: Mapping[JobId, int] = {
            each.line.job: each.line.handset for each in listed.jobs
        }
        self._ledger = ledger

    async def newest_elsewhere(self, job: JobId, imeis: Collection[str]) -> JobId | None:
        """The last job that was told one of these numbers, if it is a later one and isn't listed.

        Raises LedgerFault, and RecordsUnavailable where the list takes one handset for two.
        """
        newest: StoredEntry | None = None
        for imei in imeis:
            for record in await self._ledger.handset_entries(imei):
                tells = record.sequence <= self._upto and imei in imeis_told(record.entry)
                if tells and (newest is None or record.sequence > newest.sequence):
                    newest = record
        later = newest.entry.job if newest is not None else None
        if later is None or later == job:
            return None
        if later not in self._handset_of:
            return later
        if self._handset_of[later] != self._handset_of.get(job):
            raise RecordsUnavailable(f"the file of records takes jobs {job} and {later} for two")
        return None
