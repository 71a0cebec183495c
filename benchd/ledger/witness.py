"""Who else knows how far the ledger had come: certificates that it made, and anchors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import apsw

from benchd.domain.errors import LedgerBroken
from benchd.domain.ids import JobId
from benchd.domain.sql_statements import query
from benchd.ledger.head import Head

RESTORE_CURE = (
    "Put the newest state back, the ledger and its .head together. If it is lost for good:"
    " `benchd ledger restored` records the loss, and numbers on above all that is known of it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A record that the ledger has to hold, by the word of something outside of it."""

    told_by: str
    head: Head
    job: JobId | None = None
    """Whose end has to be on record too, where a certificate tells."""


def check_witnesses(connection: apsw.Connection, witnesses: Iterable[Witness]) -> None:
    """Raise LedgerBroken at the first that knows more than the ledger: an older state lies here."""
    lost = _lost_ranges(connection)
    for witness in witnesses:
        if any(kept < witness.head.sequence < restored for kept, restored in lost):
            continue
        found = _hash_of(connection, witness.head.sequence)
        if found != witness.head.hash:
            what = "another one" if found else "none"
            message = (
                f"{witness.told_by} names record {witness.head.sequence}, and the ledger has {what}"
                " of that number: an older or a foreign state lies here"
            )
            raise LedgerBroken(message, sequence=witness.head.sequence, cure=RESTORE_CURE)
        # Where a restore came after it, the job's end may be in what was lost.
        restored_later = any(kept >= witness.head.sequence for kept, _ in lost)
        if witness.job and not restored_later and not _has_ended(connection, witness.job):
            message = f"{witness.told_by} certifies job {witness.job}, whose end isn't on record"
            raise LedgerBroken(message, sequence=witness.head.sequence + 1, cure=RESTORE_CURE)


def _hash_of(connection: apsw.Connection, sequence: int) -> bytes | None:
    sql = "SELECT hash FROM record WHERE sequence = ?"
    match next(query(connection, sql, (sequence,)), None):
        case (bytes() as found,):
            return found
        case _:
            return None


def _has_ended(connection: apsw.Connection, job: JobId) -> bool:
    sql = "SELECT 1 FROM record WHERE kind = 'job_ended' AND job = ?"
    return next(query(connection, sql, (job,)), None) is not None


def _lost_ranges(connection: apsw.Connection) -> list[tuple[int, int]]:
    """Between which records numbers were left out; the chain's check has seen each signed."""
    sql = """
        SELECT (SELECT max(sequence) FROM record WHERE sequence < this.sequence), sequence
        FROM record AS this WHERE kind = 'ledger_restored'
    """
    ranges: list[tuple[int, int]] = []
    for columns in query(connection, sql):
        match columns:
            case (kept, int() as restored):
                ranges.append((kept if isinstance(kept, int) else 0, restored))
            case _:
                pass
    return ranges
