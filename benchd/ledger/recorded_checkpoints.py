"""The centre's checkpoints on record in the rack's own ledger, and what they say of both sides.

The centre's key stands with each: the rack's signed chain vouches for whom it believed then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchd.domain.errors import LedgerBroken
from benchd.domain.ids import JsonValue
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.domain.sql_statements import query
from benchd.ledger.fleet_checkpoint import CHECKPOINT_TYPE, Checkpoint, decode_checkpoint
from benchd.ledger.head import Head
from benchd.ledger.ledger_record import COLUMNS, row_of, unseal
from benchd.signing import canonical
from benchd.signing.key_ring import KeyRing
from benchd.signing.public_key import Signer

OF_CHECKPOINTS: Final = "WHERE kind IN ('checkpoint_received', 'centre_lacked')"
"""Lets SQLite use the index of these few records."""
NEWEST_OF_CHECKPOINTS: Final = f"{OF_CHECKPOINTS} AND kind = ? ORDER BY sequence DESC LIMIT 1"
OTHER_THAN_RECEIPTS: Final = (
    "WHERE sequence > ? AND sequence <= ?"
    " AND kind NOT IN ('checkpoint_received', 'ledger_anchored') LIMIT 1"
)
"""What somebody outside has said to the ledger isn't worth a word of theirs again."""

_ALL = f"SELECT {COLUMNS} FROM record {OF_CHECKPOINTS} ORDER BY sequence"  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint with the bytes that were signed and the key that has signed them."""

    checkpoint: Checkpoint
    signed: bytes
    centre: Ed25519PublicKey

    @property
    def tip(self) -> Head:
        """The record up to which it acknowledges the ledger."""
        return self.checkpoint.of.tip

    def received_at(self, now: datetime) -> Entry:
        """The record that keeps it."""
        return Entry(kind=EntryKind.CHECKPOINT_RECEIVED, at=now, data=self._told)

    def lacked_at(self, now: datetime, lack: Lack) -> Entry:
        """The record that the centre hadn't what this says."""
        found: dict[str, JsonValue] = {
            "newest": {"sequence": lack.newest.sequence, "hash": lack.newest.hash.hex()},
            "size": lack.size,
        }
        return Entry(kind=EntryKind.CENTRE_LACKED, at=now, data={**self._told, **found})

    @property
    def _told(self) -> dict[str, JsonValue]:
        centre = self.centre.public_bytes_raw().hex()
        return {"checkpoint": canonical.decode(self.signed), "centre": centre}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """What a centre had when it hadn't all that it had signed for."""

    newest: Head
    """Its newest record of this ledger."""
    size: int | None
    """How many lines of records it had of all racks, where those were fewer than before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointReport:
    """The checkpoints on record of a ledger that verifies."""

    count: int
    newest: int
    """The last record that one of them acknowledges; 0 without any."""
    lacked: tuple[int, datetime] | None
    """The last time that the centre hadn't what it had signed for: the record and its time."""


def recorded_checkpoint(stored: StoredEntry) -> SignedCheckpoint | None:
    """What such a record holds; None for a form of another release. Raises ValueError."""
    match stored.entry.data:
        case {"checkpoint": {"type": str() as form} as told, "centre": str() as centre} if (
            form == CHECKPOINT_TYPE
        ):
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(centre))
            signed = canonical.encode(told)
        case _:
            return None
    checkpoint = decode_checkpoint(signed, key)
    return SignedCheckpoint(checkpoint=checkpoint, signed=signed, centre=key)


def check_checkpoints(connection: apsw.Connection, key: Signer) -> CheckpointReport:
    """Raise LedgerBroken for a checkpoint that doesn't hold, or is of another ledger than this."""
    count, newest, lacked = 0, 0, None
    for columns in query(connection, _ALL):
        stored = unseal(row_of(columns, sequence=0))
        try:
            kept = recorded_checkpoint(stored)
        except ValueError as error:
            message = f"record {stored.sequence} keeps a checkpoint that doesn't hold: {error}"
            raise LedgerBroken(message, sequence=stored.sequence) from error
        if kept is None:
            continue
        _check_own(connection, kept, stored.sequence, key)
        if stored.entry.kind is EntryKind.CENTRE_LACKED:
            lacked = (stored.sequence, stored.entry.at)
        else:
            count, newest = count + 1, max(newest, kept.tip.sequence)
    return CheckpointReport(count=count, newest=newest, lacked=lacked)


def _check_own(
    connection: apsw.Connection, kept: SignedCheckpoint, sequence: int, key: Signer
) -> None:
    """It names a record that this ledger has: by its hash none that came later."""
    rack = kept.checkpoint.of.rack
    found = query(connection, "SELECT hash FROM record WHERE sequence = ?", (kept.tip.sequence,))
    is_own = not isinstance(key, KeyRing) or rack == key.rack
    if next(found, None) != (kept.tip.hash,) or not is_own:
        message = (
            f"record {sequence} keeps a checkpoint of record {kept.tip.sequence}, and this ledger"
            " never had that one"
        )
        raise LedgerBroken(message, sequence=sequence)
