"""How many records may follow what the rack has signed: what a crash leaves there, and no more."""

from __future__ import annotations

from typing import Final

import apsw

from benchd.domain.errors import LedgerBroken
from benchd.domain.sql_statements import query
from benchd.ledger.head import Head
from benchd.ledger.head_file import SignedHeads

MOST_UNSIGNED: Final = 1
"""A lone record is signed for before the next is written, several that share a commit are before
it, and every start signs anew: a crash comes between one record and the signature over it, and so
never leaves more."""

UNSIGNED_CURE: Final = (
    "Put the newest state back, the ledger and its .head together, or the newest backup with"
    " `benchd ledger restore`. Only if you know for sure that this rack wrote those records:"
    " `benchd ledger restored --unsigned` signs them, and records that nobody had."
)


def signed_up_to(connection: apsw.Connection, heads: SignedHeads | None) -> int:
    """The number of the last record that the rack has signed for, after its commit or before it.

    The chain up to there has to hold, which isn't looked at here.
    """
    if heads is None:
        return 0
    if heads.prepared is not None and _is_there(connection, heads.prepared):
        return heads.prepared.sequence
    return heads.signed.sequence


def check_unsigned(connection: apsw.Connection, heads: SignedHeads | None) -> None:
    """Raise LedgerBroken where more unsigned records are at the end than a crash can leave."""
    reached = signed_up_to(connection, heads)
    sql = "SELECT count(*), min(sequence) FROM record WHERE sequence > ?"
    match next(query(connection, sql, (reached,)), None):
        case (int() as count, int() as first) if count > MOST_UNSIGNED:
            message = (
                f"the rack has signed its ledger up to record {reached}, and {count} records follow"
                f" that nobody has signed; a crash leaves {MOST_UNSIGNED} at most"
            )
            raise LedgerBroken(message, sequence=first, cure=UNSIGNED_CURE)
        case _:
            pass


def _is_there(connection: apsw.Connection, head: Head) -> bool:
    sql = "SELECT hash FROM record WHERE sequence = ?"
    return next(query(connection, sql, (head.sequence,)), None) == (head.hash,)
