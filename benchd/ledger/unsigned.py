"""How many records may follow the signed head: what a crash leaves there, and no more."""

from __future__ import annotations

from typing import Final

import apsw

from benchd.errors import LedgerBroken
from benchd.ledger.head import Head
from benchd.statements import query

MOST_UNSIGNED: Final = 1
"""Each record is signed for before the next is written, and every start signs anew: a crash
comes between one record and the signature over it, and so never leaves more."""

UNSIGNED_CURE: Final = (
    "Put the newest state back, the ledger and its .head together, or the newest backup with"
    " `benchd ledger restore`. Only if you know for sure that this rack wrote those records:"
    " `benchd ledger restored --unsigned` signs them, and records that nobody had."
)


def check_unsigned(connection: apsw.Connection, signed: Head | None) -> None:
    """Raise LedgerBroken where more records follow the signed head than a crash can leave."""
    reached = signed.sequence if signed else 0
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
