"""The ledger and the key ring, held against each other: neither may know of more than the other."""

from __future__ import annotations

import json

import apsw

from benchd.errors import LedgerBroken
from benchd.ledger.head import Head
from benchd.ledger.witness import Witness
from benchd.signing.ring import KeyRing
from benchd.signing.rotation import statement_digest
from benchd.statements import query

RING_CURE = (
    "Put back the newest key ring, from any copy that was handed out. If a rotation was cut"
    " short, `benchd key rotate` brings it to its end."
)

_ROTATIONS = """
    SELECT sequence, CAST(body AS TEXT) FROM record WHERE kind = 'key_rotated' ORDER BY sequence
"""


def witnesses_of_ring(ring: KeyRing) -> list[Witness]:
    """What each rotation knows of the ledger: its last record under the key that was retired."""
    return [
        Witness(
            told_by=f"the rotation of {rotation.retirement.at:%Y-%m-%d}",
            head=Head(
                sequence=rotation.retirement.sequence,
                hash=bytes.fromhex(rotation.retirement.head_hash),
            ),
        )
        for rotation in ring.rotations
        if rotation.retirement.sequence
    ]


def check_rotations(connection: apsw.Connection, ring: KeyRing) -> None:
    """Raise LedgerBroken for a rotation on record that the ring doesn't have: a key too old."""
    known = {rotation.digest for rotation in ring.rotations}
    for sequence, digest in recorded_rotations(connection):
        if digest not in known:
            message = f"record {sequence} retires a key, and the key ring doesn't know of it"
            raise LedgerBroken(message, sequence=sequence, cure=RING_CURE)


def recorded_rotations(connection: apsw.Connection) -> list[tuple[int, str]]:
    """Each rotation on record: its number, and the digest of its statement."""
    found: list[tuple[int, str]] = []
    for columns in query(connection, _ROTATIONS):
        match columns:
            case (int() as sequence, str() as body):
                found.append((sequence, statement_digest(json.loads(body)["data"]["statement"])))
            case _:
                pass
    return found
