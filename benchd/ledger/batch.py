"""Entries that share a commit: sealed one after the other, each refusal its own entry's alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchd.ledger.head import Head
from benchd.ledger.record import Row, seal
from benchd.words.record import Entry, Receipt

MOST_RECORDS: Final = 64
"""More would hold up those that come next for longer than another sync does."""
MOST_BYTES: Final = 4 << 20
"""After this many no further entry is taken, however small it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The rows of one commit, and what there is to say to who asked for them."""

    rows: Sequence[Row]
    answers: list[Receipt | Exception]
    """For each entry that was taken, in their order; a receipt counts once the rows are stored."""


def seal_batch(entries: Sequence[Entry], *, after: Head) -> Batch:
    """Link entries to the chain, the first at least and as many more as one commit takes."""
    rows: list[Row] = []
    answers: list[Receipt | Exception] = []
    last, size = after, 0
    for entry in entries[:MOST_RECORDS]:
        try:
            row = seal(entry, sequence=last.sequence + 1, previous=last.hash)
        except Exception as refusal:  # noqa: BLE001 - one entry's fault, whatever it is
            answers.append(refusal)
            continue
        rows.append(row)
        answers.append(receipt_of(row))
        last, size = Head(sequence=row.sequence, hash=row.hash), size + len(row.body)
        if size >= MOST_BYTES:
            break
    return Batch(rows=rows, answers=answers)


def receipt_of(row: Row) -> Receipt:
    """What whoever asked for a row is told once it is on disk."""
    return Receipt(sequence=row.sequence, hash_hex=row.hash.hex())
