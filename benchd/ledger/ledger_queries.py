"""What is read from a ledger, by slots and visitors alike, as questions to SQLite."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from benchd.domain.handset import Trait
from benchd.domain.ids import JobId, SlotName
from benchd.domain.record import OF_INTAKE, EntryKind, Place, StoredEntry
from benchd.ledger.open_jobs import RunningJobs, check_written

AFTER = "WHERE sequence > ? ORDER BY sequence LIMIT ?"
NEWEST = "ORDER BY sequence DESC LIMIT 1"
_OPEN_JOBS = """
    WHERE kind = 'job_opened' AND NOT EXISTS (
        SELECT 1 FROM record WHERE kind = 'job_ended' AND job = this.job
    )
    ORDER BY sequence
"""
_LAST_OCCUPANCY = """
    WHERE slot = ?1 AND occupancy = (
        SELECT max(occupancy) FROM record WHERE slot = ?1 AND occupancy IS NOT NULL
    )
    ORDER BY sequence
"""
_OF_INTAKE = f"""
    WHERE sequence >= ? AND kind IN ({", ".join(f"'{kind.value}'" for kind in OF_INTAKE)})
    ORDER BY sequence LIMIT ?
"""
INTAKE_PAGE = 500
"""Records: of the largest ones that is a second's work."""
_NEWEST_JOBS = "WHERE kind = 'job_opened' ORDER BY sequence DESC LIMIT ?"


def _told(*keys: str) -> str:
    """An expression that is indexed: what a stage's evidence has under the first of these keys."""
    values = [f"json_extract(CAST(body AS TEXT), '$.data.evidence.{key}')" for key in keys]
    value = values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"
    return f"iif(json_valid(CAST(body AS TEXT)), {value}, NULL)"


_IMEI = _told("imei")
_OTHER_NUMBER = _told("second_imei", "screen_number")
_TOLD_IN: Mapping[Trait, tuple[str, ...]] = {
    Trait.IMEI: (_IMEI, _OTHER_NUMBER, _told("second_number")),
    Trait.SERIAL: (_told("serial"), _OTHER_NUMBER),
    Trait.CHIP: (_told("chip"),),
}


def _handset_jobs(trait: Trait) -> str:
    """The newest jobs that tell it, and all of them that doom its handset or have drawn it."""
    tellers = " UNION ".join(
        f"SELECT job FROM record WHERE kind = 'stage_ended' AND {told} = ?1"  # noqa: S608
        for told in _TOLD_IN[trait]
    )
    return f"""
    WHERE kind = 'job_opened' AND job IN (
        WITH mine AS MATERIALIZED ({tellers})
        SELECT job FROM (
            SELECT job FROM record WHERE kind = 'job_opened' AND job IN mine
            ORDER BY sequence DESC LIMIT ?2
        )
        UNION SELECT job FROM record WHERE kind = 'recheck_drawn' AND job IN mine
        UNION SELECT job FROM record WHERE kind = 'job_ended' AND job IN mine
            AND json_extract(CAST(body AS TEXT), '$.data.disposition') = 'destroy'
        UNION SELECT job FROM record WHERE kind = 'handset_settled' AND job IN mine
            AND json_extract(CAST(body AS TEXT), '$.data.to') IN ('to_destroy', 'destroyed')
    )
    ORDER BY sequence DESC
"""  # noqa: S608


_HANDSET_JOBS: Mapping[Trait, str] = {trait: _handset_jobs(trait) for trait in Trait}
_OF_TAC = f"WHERE kind = 'stage_ended' AND {_IMEI} >= ?1 AND {_IMEI} < ?2 LIMIT ?3"


class LedgerReads(ABC):
    """The reads of a `Ledger`."""

    def __init__(self, running: RunningJobs) -> None:
        self._running = running

    @abstractmethod
    async def select(self, condition: str, *values: str | int) -> list[StoredEntry]:
        """The records that an SQL condition picks."""

    async def entries(self, job: JobId) -> Sequence[StoredEntry]:
        """All records of one job in order, their hashes recomputed and compared.

        While it runs they are compared with what was written, too: a certificate rests on them.
        """
        written = self._running.written(job)
        records = await self.select("WHERE job = ? ORDER BY sequence", job)
        check_written(written, records)
        return records

    async def open_jobs(self) -> Sequence[StoredEntry]:
        """The JOB_OPENED record of each job without JOB_ENDED."""
        return await self.select(_OPEN_JOBS)

    async def slot_entries(self, slot: SlotName) -> Sequence[StoredEntry]:
        """All records of the last occupancy of a slot; empty where it never had one."""
        return await self.select(_LAST_OCCUPANCY, slot)

    async def handset_jobs(self, trait: Trait, value: str, limit: int) -> Sequence[JobId]:
        """The newest jobs that tell this of their handset, and all that doom or have drawn it."""
        opened = await self.select(_HANDSET_JOBS[trait], value, limit)
        return [stored.entry.job for stored in opened if stored.entry.job is not None]

    async def records_of_tac(self, tac: str, limit: int) -> Sequence[StoredEntry]:
        """Some records in which a handset told an IMEI of this type allocation code over adb."""
        return await self.select(_OF_TAC, tac, f"{tac}:", limit)

    async def job_ids(self, limit: int) -> Sequence[JobId]:
        """The newest jobs first."""
        opened = await self.select(_NEWEST_JOBS, max(0, limit))
        return [stored.entry.job for stored in opened if stored.entry.job is not None]

    async def intake(self, since: int) -> Sequence[StoredEntry]:
        """All records of intake from this number on, in order; read a page at a time."""
        found: list[StoredEntry] = []
        while True:
            page = await self.select(_OF_INTAKE, since, INTAKE_PAGE)
            found += page
            if len(page) < INTAKE_PAGE:
                return found
            since = page[-1].sequence + 1

    async def entry_at(self, sequence: int) -> StoredEntry | None:
        """The record of this number."""
        found = await self.select("WHERE sequence = ?", sequence)
        return found[0] if found else None

    async def entries_after(self, sequence: int, most: int) -> Sequence[StoredEntry]:
        """So many records after a known one, in order."""
        return await self.select(AFTER, sequence, most)

    async def newest(self) -> StoredEntry | None:
        """The last record."""
        found = await self.select(NEWEST)
        return found[0] if found else None

    async def of_kind(
        self, kind: EntryKind, after: int = 0, most: int = -1
    ) -> Sequence[StoredEntry]:
        """So many records of one kind after a number, in order, or all of them.

        Without looking at all others where the kind has an index of its own.
        """
        # Not as a value: SQLite then couldn't know that the index is for it.
        condition = f"WHERE kind = '{kind.value}' AND sequence > ? ORDER BY sequence LIMIT ?"
        return await self.select(condition, after, most)

    async def has(self, place: Place) -> bool | None:
        """Whether the record of this number has this hash; None where there is no such record."""
        record = await self.entry_at(place.sequence)
        return None if record is None else record.hash_hex == place.hash
