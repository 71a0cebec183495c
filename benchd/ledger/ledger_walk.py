"""A whole ledger read from its first record to its last, while no daemon writes to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import apsw

from benchd.domain.errors import LedgerBroken, LedgerFault
from benchd.domain.record import StoredEntry
from benchd.ledger.chain import end_of_chain
from benchd.ledger.head import EMPTY_HEAD, Head
from benchd.ledger.head_file import head_path, read_heads
from benchd.ledger.ledger_database import open_for_reading
from benchd.ledger.ledger_record import Row, unseal
from benchd.ledger.rotation_check import check_gone_on, check_rotations, recorded_rotations
from benchd.ledger.unsigned_tail import check_unsigned
from benchd.ledger.witness import RESTORE_CURE, Witness, check_witnesses
from benchd.signing.key_ring import KeyRing


def walk_ledger(
    path: Path, ring: KeyRing, witnesses: Iterable[Witness], each: Callable[[StoredEntry], None]
) -> Head:
    """Tell of each record in order; the last of them. An empty head where there is no ledger yet.

    Raises LedgerBroken unless chain, signed head and witnesses all hold. Hold the writer's lock.
    """
    if not path.exists():
        return EMPTY_HEAD

    def tell(row: Row) -> None:
        each(unseal(row))

    try:
        heads = read_heads(head_path(path), ring, strict=False)
        signed = heads.signed if heads else None
        with closing(open_for_reading(path)) as connection:
            end = end_of_chain(connection, signed=signed, key=ring, each=tell)
            check_rotations(connection, ring)
            check_witnesses(connection, witnesses)
            check_gone_on(connection, ring, signed)
            check_unsigned(connection, heads)
    except (apsw.Error, OSError) as error:
        message = f"the ledger {path} can't be read: {error}"
        raise LedgerFault(message) from error
    return end


def check_present(path: Path, witnesses: Iterable[Witness]) -> None:
    """Raise LedgerBroken where there is no ledger, and somebody knows of one: a mount is away."""
    known = next(iter(witnesses), None)
    if known is not None and not path.exists():
        sequence = known.head.sequence
        message = f"{known.told_by} names record {sequence}, and there is no ledger {path}"
        raise LedgerBroken(message, sequence=sequence, cure=RESTORE_CURE)


def has_rotation(path: Path, digest: str) -> bool:
    """Whether a rotation is on record."""
    with closing(open_for_reading(path)) as connection:
        return any(digest == known for _, known in recorded_rotations(connection))
