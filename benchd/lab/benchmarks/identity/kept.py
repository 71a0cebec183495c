"""A ledger in memory that finds a handset's jobs by an index of each trait, as the real one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchd.domain.handset import Trait
from benchd.domain.ids import JobId, SlotName
from benchd.domain.imei import tac_of
from benchd.domain.record import Entry, EntryKind, Receipt, StoredEntry
from benchd.proof.disposal_fold import dooms
from benchd.proof.record_subject import TOLD_UNDER


class KeptInMemory:
    """Implements `benchd.domain.ports.Ledger`; its hashes are numbers, since nobody is at it."""

    def __init__(self) -> None:
        self.last = 0
        self._of_job: dict[JobId, list[StoredEntry]] = {}
        self._tellers: dict[tuple[Trait, str], dict[JobId, None]] = {}
        self._kept: set[JobId] = set()
        self._of_tac: dict[str, list[StoredEntry]] = {}

    def put(self, entry: Entry) -> StoredEntry:
        """Keep one more."""
        self.last += 1
        stored = StoredEntry(sequence=self.last, entry=entry, hash_hex=f"{self.last:064x}")
        job = entry.job
        if job is None:
            return stored
        self._of_job.setdefault(job, []).append(stored)
        if entry.kind is EntryKind.RECHECK_DRAWN or dooms(entry):
            self._kept.add(job)
        evidence = entry.data.get("evidence")
        if entry.kind is EntryKind.STAGE_ENDED and isinstance(evidence, Mapping):
            for trait, keys in TOLD_UNDER.items():
                for value in map(evidence.get, keys):
                    if isinstance(value, str) and value:
                        self._tellers.setdefault((trait, value), {})[job] = None
            if isinstance(imei := evidence.get("imei"), str):
                self._of_tac.setdefault(tac_of(imei), []).append(stored)
        return stored

    async def append(self, entry: Entry) -> Receipt:
        """Keep one more."""
        stored = self.put(entry)
        return Receipt(sequence=stored.sequence, hash_hex=stored.hash_hex)

    async def entries(self, job: JobId) -> Sequence[StoredEntry]:
        """All records of one job."""
        return self.of(job)

    def of(self, job: JobId) -> Sequence[StoredEntry]:
        """The same at once."""
        return tuple(self._of_job.get(job, ()))

    async def handset_jobs(self, trait: Trait, value: str, limit: int) -> Sequence[JobId]:
        """The newest jobs that tell this, and all that doom or have drawn its handset."""
        newest = list(self._tellers.get((trait, value), ()))[::-1]
        return [job for at, job in enumerate(newest) if at < limit or job in self._kept]

    async def records_of_tac(self, tac: str, limit: int) -> Sequence[StoredEntry]:
        """Some records in which a handset told an IMEI of this type allocation code over adb."""
        return self._of_tac.get(tac, ())[:limit]

    async def open_jobs(self) -> Sequence[StoredEntry]:
        """One after another: none stays open."""
        return ()

    async def slot_entries(self, slot: SlotName) -> Sequence[StoredEntry]:
        """Nobody asks: nothing is taken up again."""
        del slot
        return ()

    async def job_ids(self, limit: int) -> Sequence[JobId]:
        """The newest first."""
        return list(self._of_job)[::-1][:limit]

    async def intake(self, since: int) -> Sequence[StoredEntry]:
        """The book follows each record as it is written: nobody asks."""
        del since
        return ()
