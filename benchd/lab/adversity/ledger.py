"""The real ledger on a disk in memory: it can be slow, can fail, and a daemon can die over it.

`LedgerStore` is called on the spot, since threads have no place in virtual time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import anyio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchd.domain.errors import LedgerFault
from benchd.domain.handset import Trait
from benchd.domain.ids import JobId, SlotName
from benchd.domain.record import OF_INTAKE, Entry, EntryKind, Receipt, StoredEntry
from benchd.lab.adversity.disk import Disk
from benchd.lab.adversity.points import Points
from benchd.ledger.head import Head
from benchd.ledger.ledger_access import SqliteLedger
from benchd.ledger.open_jobs import check_written
from benchd.ledger.witness import Witness
from benchd.proof.disposal_fold import dooms
from benchd.proof.record_subject import tells

COMMIT_S: Final = 0.002
"""What comes within this time shares a commit."""
LONGEST_S: Final = 10.0
"""After this a disk hangs, and the ledger gives up."""
KEPT: Final = "kept:"
"""Begins the names of points after a record is on disk and before anybody hears of it."""

_OF_HANDSET: Final = (EntryKind.RECHECK_DRAWN, EntryKind.JOB_ENDED, EntryKind.HANDSET_SETTLED)


@dataclass(slots=True)
class _Waiting:
    """An entry whose append waits for the commit of its moment."""

    entry: Entry
    answer: Receipt | Exception | None = None


class SimulatedLedger(SqliteLedger):
    """The ledger for the life of one daemon, without the threads of the real one."""

    def __init__(
        self,
        disk: Disk,
        points: Points,
        *,
        witnesses: Sequence[Witness],
        saw: Callable[[StoredEntry], None],
        remembers: bool = False,
    ) -> None:
        """`remembers`: nobody is at its file, so that what was read once is as it was."""
        self._disk = disk
        self._store, self._reader = disk.open(witnesses)
        self.public_key: Ed25519PublicKey = disk.public_key
        self._points = points
        self._saw = saw
        self.dead = False
        """Whether its daemon has died: nothing of what it does now ever happened."""
        self.fails = False
        self._waiting: list[_Waiting] = []
        self._remembers = remembers
        self._read: list[StoredEntry] = []

    async def append(self, entry: Entry) -> Receipt:
        """Keep a record together with those of the same moment, unless a blow comes in between."""
        point, waiting = point_of(entry), _Waiting(entry)
        with anyio.CancelScope(shield=True):
            await self._reach_the_disk(entry.slot or "", point)
            self._waiting.append(waiting)
            await anyio.sleep(COMMIT_S)
        if waiting.answer is None:
            self._serves()
            self._commit()
        self._points.passes(entry.slot or "", KEPT + point)
        self._serves()
        if not isinstance(waiting.answer, Receipt):
            raise waiting.answer or LedgerFault("this ledger gave no answer")
        self._disk.acknowledge(waiting.answer)
        return waiting.answer

    async def _reach_the_disk(self, slot: str, point: str) -> None:
        hang_s = self._points.passes(slot, point).hang_s
        await anyio.sleep(min(hang_s, LONGEST_S))
        self.fails = self.fails or hang_s > LONGEST_S

    def _commit(self) -> None:
        answers = self._store.append_all([waiting.entry for waiting in self._waiting])
        taken, self._waiting = self._waiting[: len(answers)], self._waiting[len(answers) :]
        for waiting, answer in zip(taken, answers, strict=True):
            waiting.answer = answer
            if isinstance(answer, Receipt):
                # On disk it counts, also where the daemon dies before anybody hears of it.
                told = StoredEntry(
                    sequence=answer.sequence, entry=waiting.entry, hash_hex=answer.hash_hex
                )
                self._saw(told)

    def _serves(self) -> None:
        if self.dead or self.fails:
            raise LedgerFault("the disk of this ledger is gone")

    async def entries(self, job: JobId) -> Sequence[StoredEntry]:
        """All records of one job."""
        self._serves()
        written = self._store.running.written(job)
        records = self._of_job(job)
        check_written(written, records)
        return records

    def _of_job(self, job: JobId) -> Sequence[StoredEntry]:
        if self._remembers:
            return [record for record in self.all() if record.entry.job == job]
        return self._reader.select("WHERE job = ? ORDER BY sequence", (job,))

    async def open_jobs(self) -> Sequence[StoredEntry]:
        """The first record of each job that has no end."""
        records = self.all()
        ended = {r.entry.job for r in records if r.entry.kind is EntryKind.JOB_ENDED}
        opened = [r for r in records if r.entry.kind is EntryKind.JOB_OPENED]
        return [record for record in opened if record.entry.job not in ended]

    async def slot_entries(self, slot: SlotName) -> Sequence[StoredEntry]:
        """All records of the slot's last occupancy."""
        mine = [record for record in self.all() if record.entry.slot == slot]
        newest = max((record.entry.occupancy or 0 for record in mine), default=0)
        return [record for record in mine if record.entry.occupancy == newest]

    async def handset_jobs(self, trait: Trait, value: str, limit: int) -> Sequence[JobId]:
        """The newest jobs that tell this of their handset, and all that doom or have drawn it."""
        records = self.all()
        told = {record.entry.job for record in records if tells(record.entry, trait, value)}
        drawn = {r.entry.job for r in records if r.entry.kind is EntryKind.RECHECK_DRAWN}
        kept = drawn | {record.entry.job for record in records if dooms(record.entry)}
        opened = [r.entry.job for r in records if r.entry.kind is EntryKind.JOB_OPENED]
        jobs = [job for job in reversed(opened) if job in told]
        return [job for n, job in enumerate(jobs) if job is not None and (n < limit or job in kept)]

    async def records_of_tac(self, tac: str, limit: int) -> Sequence[StoredEntry]:
        """Some records in which a handset told an IMEI of this type allocation code over adb."""
        found = [record for record in self.all() if _imei_of(record).startswith(tac)]
        return found[:limit]

    async def job_ids(self, limit: int) -> Sequence[JobId]:
        """The newest jobs first."""
        opened = [r.entry.job for r in self.all() if r.entry.kind is EntryKind.JOB_OPENED]
        return [job for job in reversed(opened) if job is not None][:limit]

    async def intake(self, since: int) -> Sequence[StoredEntry]:
        """All records of intake from this number on."""
        self._serves()
        return [r for r in self.all() if r.sequence >= since and r.entry.kind in OF_INTAKE]

    @property
    def head(self) -> Head:
        """The last record that is stored."""
        return self._store.head

    def signed_head(self) -> tuple[Head, bytes]:
        """The last record that is stored, and the rack's own word for it."""
        return self._store.signed_head()

    async def select(self, condition: str, *values: str | int) -> list[StoredEntry]:
        """The records that an SQL condition picks."""
        self._serves()
        return self._reader.select(condition, values)

    async def follow(self, after: Head, most: int) -> tuple[Head, int]:
        """How far the chain holds within so many records after a known one, and how many."""
        return self._reader.follow(after, most, self.public_key)

    async def check_witness(self, witness: Witness) -> None:
        """Raise LedgerBroken if it names a record that the ledger doesn't have."""
        self._reader.check_witness(witness)

    def all(self) -> list[StoredEntry]:
        """Every record, each with its hash recomputed as it is read."""
        if not self._remembers:
            return self._reader.select("ORDER BY sequence")
        last = self._read[-1].sequence if self._read else 0
        self._read += self._reader.select("WHERE sequence > ? ORDER BY sequence", (last,))
        return list(self._read)

    def close(self) -> None:
        """The daemon ends in good order, or has died: then its files were copied by nobody yet."""
        self._reader.close()
        self._store.close()


def _imei_of(record: StoredEntry) -> str:
    evidence = record.entry.data.get("evidence")
    return str(evidence.get("imei")) if isinstance(evidence, Mapping) else ""


def point_of(entry: Entry) -> str:
    """What the storm calls the moment at which this is kept."""
    of = entry.data.get("stage") or entry.data.get("gate")
    return f"{entry.kind}:{of}" if of else str(entry.kind)
