"""What a store has written of each job that hasn't ended: in memory, where no hand reaches it.

A certificate rests on what is read back from the file. Whoever rewrites a running job's record
there, with its own hash, must find that it isn't the one that was written.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchd.domain.errors import LedgerBroken
from benchd.domain.ids import JobId
from benchd.domain.record import EntryKind, StoredEntry
from benchd.ledger.head import Head
from benchd.ledger.ledger_record import Row


class RunningJobs:
    """The numbers and hashes of the records of running jobs."""

    def __init__(self) -> None:
        self._written: dict[str, list[Head]] = {}

    def note(self, row: Row) -> None:
        """A record is on disk."""
        if row.job is None:
            return
        if row.kind == EntryKind.JOB_OPENED:
            self._written[row.job] = []
        if row.kind == EntryKind.JOB_ENDED:
            self._written.pop(row.job, None)
        elif row.job in self._written:
            self._written[row.job].append(Head(sequence=row.sequence, hash=row.hash))

    def written(self, job: JobId) -> tuple[Head, ...]:
        """What there has to be of a job; to be asked before its records are read."""
        return tuple(self._written.get(job, ()))


def check_written(written: Sequence[Head], records: Sequence[StoredEntry]) -> None:
    """Raise LedgerBroken unless all that was written of a job stands there, and nothing between."""
    last = written[-1].sequence if written else 0
    found = [
        Head(sequence=record.sequence, hash=bytes.fromhex(record.hash_hex))
        for record in records
        if record.sequence <= last
    ]
    if written and found != list(written):
        wrong = next((head for head in written if head not in found), written[0])
        message = f"record {wrong.sequence} or one beside it isn't as it was written"
        raise LedgerBroken(message, sequence=wrong.sequence)
