"""The ledger and the key ring, held against each other: neither may know of more than the other."""

from __future__ import annotations

import json

import apsw

from benchd.domain.errors import LedgerBroken
from benchd.domain.ids import JsonValue
from benchd.domain.sql_statements import query
from benchd.ledger.head import Head
from benchd.ledger.witness import RESTORE_CURE, Witness
from benchd.signing.key_ring import KeyRing
from benchd.signing.rotation import Rotation, statement_digest

RING_CURE = (
    "Put back the newest key ring, from any copy that was handed out. If a rotation was cut"
    " short, `benchd key rotate` brings it to its end."
)

_ROTATIONS = """
    SELECT sequence, CAST(body AS TEXT) FROM record WHERE kind = 'key_rotated' ORDER BY sequence
"""
_LAST_RESTORE = "SELECT max(sequence) FROM record WHERE kind = 'ledger_restored'"


def witnesses_of_ring(ring: KeyRing) -> list[Witness]:
    """What each rotation knows of the ledger: its last record under the key that was retired."""
    return [
        Witness(
            told_by=_name(rotation),
            head=Head(
                sequence=rotation.retirement.sequence,
                hash=bytes.fromhex(rotation.retirement.head_hash),
            ),
        )
        for rotation in ring.rotations
        if rotation.retirement.sequence
    ]


def check_rotations(connection: apsw.Connection, ring: KeyRing) -> None:
    """Raise LedgerBroken for a rotation on record that isn't the ring's there: a key too old."""
    known = {(_place(rotation), rotation.digest) for rotation in ring.rotations}
    for found in recorded_rotations(connection):
        if found not in known:
            message = f"record {found[0]} retires a key, and the key ring doesn't know of it"
            raise LedgerBroken(message, sequence=found[0], cure=RING_CURE)


def check_gone_on(connection: apsw.Connection, ring: KeyRing, signed: Head | None) -> None:
    """Raise LedgerBroken unless the ledger has gone on under the ring's newest key.

    Up to a rotation the retired key's thief can sign a head too. So a head above the last one is
    asked for, which only the newest key can sign, and that each rotation stands on record; or,
    above it, a restore that a later key has signed.
    """
    if not ring.rotations:
        return
    last, reached = ring.rotations[-1], signed.sequence if signed else 0
    if reached < _place(last):
        message = (
            f"the ledger is signed up to record {reached} alone, where a retired key may have"
            f" signed it, and {_name(last)} is record {_place(last)}: an older or a foreign state"
            " lies here"
        )
        raise LedgerBroken(message, sequence=_place(last), cure=RESTORE_CURE)
    recorded = {sequence for sequence, _ in recorded_rotations(connection)}
    restored = _last_restore(connection)
    for rotation in ring.rotations:
        place = _place(rotation)
        if place not in recorded and restored <= place:
            message = (
                f"record {place} isn't {_name(rotation)}, which the key ring has there: an older or"
                " a foreign state lies here"
            )
            raise LedgerBroken(message, sequence=place, cure=RESTORE_CURE)


def recorded_rotations(connection: apsw.Connection) -> list[tuple[int, str]]:
    """Each rotation on record: its number, and its statement's digest; "" where it has none."""
    found: list[tuple[int, str]] = []
    for columns in query(connection, _ROTATIONS):
        match columns:
            case (int() as sequence, str() as body):
                found.append((sequence, _digest(body)))
            case _:
                pass
    return found


def _digest(body: str) -> str:
    try:
        told: JsonValue = json.loads(body)
        match told:
            case {"data": {"statement": dict() as statement}}:
                return statement_digest(statement)
            case _:
                return ""
    except (ValueError, RecursionError):
        return ""


def _last_restore(connection: apsw.Connection) -> int:
    """The number of the last restore on record; the chain's check has seen it signed."""
    match next(query(connection, _LAST_RESTORE), None):
        case (int() as sequence,):
            return sequence
        case _:
            return 0


def _place(rotation: Rotation) -> int:
    """The number of its record."""
    return rotation.retirement.sequence + 1


def _name(rotation: Rotation) -> str:
    return f"the rotation of {rotation.retirement.at:%Y-%m-%d}"
