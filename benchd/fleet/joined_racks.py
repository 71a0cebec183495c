"""The racks that have joined: each by its name and the key ring that its records are held to."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg import AsyncConnection

from benchd.domain.errors import NotFound, UsageRefused
from benchd.fleet.fleet_database import FleetDatabase
from benchd.ledger.head import EMPTY_HEAD
from benchd.signing.key_ring import KeyRing, decode_ring

LONGEST_NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedRack:
    """A rack as the centre knows it."""

    number: int
    key_id: str
    ring: KeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchState:
    """How far one line of a rack's records has come."""

    rack: str
    name: str
    branch: int
    why: str
    left_sequence: int
    begun_at: datetime
    sequence: int
    heard_at: datetime


class JoinedRacks:
    """Reads rings as they are asked for; one that a join has replaced is read anew."""

    def __init__(self, database: FleetDatabase) -> None:
        self._database = database
        self._read: dict[str, tuple[int, KeyRing]] = {}

    async def join(self, name: str, ring: KeyRing) -> bool:
        """Let a rack in, or take over its ring after a rotation; whether it is new.

        Raises UsageRefused for a ring that doesn't go on from the one that is known, and for a name
        that another rack has.
        """
        _check_name(name)
        async with self._database.transaction() as connection:
            await connection.execute("LOCK TABLE rack IN SHARE ROW EXCLUSIVE MODE")
            known = await _ring_of(connection, ring.rack)
            if known is not None and not _goes_on(ring, known):
                raise UsageRefused("the ring doesn't go on from the one that the centre knows")
            named = await connection.execute("SELECT key_id FROM rack WHERE name = %s", (name,))
            owner = await named.fetchone()
            if owner is not None and owner[0] != ring.rack:
                raise UsageRefused(f"another rack is called {name!r}")
            made = await connection.execute(
                """
                INSERT INTO rack (key_id, name, ring, trusted_key) VALUES (%s, %s, %s, %s)
                ON CONFLICT (key_id) DO UPDATE SET name = excluded.name, ring = excluded.ring,
                    trusted_key = excluded.trusted_key, ring_version = rack.ring_version + 1
                RETURNING id
                """,
                (ring.rack, name, ring.encode(), ring.trusted.public_bytes_raw()),
            )
            [number] = await made.fetchone() or (0,)
            await connection.execute(
                """
                INSERT INTO branch (rack, branch, why, tip_sequence, tip_hash)
                VALUES (%s, 0, 'first', 0, %s) ON CONFLICT DO NOTHING
                """,
                (number, EMPTY_HEAD.hash),
            )
        return known is None

    async def of(self, key_id: str) -> JoinedRack:
        """The rack whose first key has this id; raises NotFound."""
        async with self._database.transaction() as connection:
            found = await connection.execute(
                "SELECT id, ring_version FROM rack WHERE key_id = %s", (key_id,)
            )
            row = await found.fetchone()
            if row is None:
                raise NotFound("no rack with this key has joined")
            number, version = row
            kept = self._read.get(key_id)
            if kept is None or kept[0] != version:
                ring = await _ring_of(connection, key_id)
                if ring is None:
                    raise NotFound("no rack with this key has joined")
                self._read[key_id] = kept = (version, ring)
        return JoinedRack(number=number, key_id=key_id, ring=kept[1])

    async def states(self) -> list[BranchState]:
        """How far each has come, forks and restores included, by name."""
        async with self._database.transaction() as connection:
            found = await connection.execute(
                """
                SELECT key_id, name, branch, why, left_sequence, begun_at, tip_sequence, heard_at
                FROM branch JOIN rack ON rack.id = branch.rack ORDER BY name, branch
                """
            )
            rows = await found.fetchall()
        return [
            BranchState(
                rack=row[0],
                name=row[1],
                branch=row[2],
                why=row[3],
                left_sequence=row[4],
                begun_at=row[5],
                sequence=row[6],
                heard_at=row[7],
            )
            for row in rows
        ]


async def _ring_of(connection: AsyncConnection, key_id: str) -> KeyRing | None:
    found = await connection.execute(
        "SELECT ring, trusted_key FROM rack WHERE key_id = %s", (key_id,)
    )
    row = await found.fetchone()
    if row is None:
        return None
    return decode_ring(row[0], Ed25519PublicKey.from_public_bytes(row[1]))


def _goes_on(ring: KeyRing, known: KeyRing) -> bool:
    """Whether it has all that the known one has: none is talked back to an older key."""
    kept = len(known.rotations)
    return ring.keys[: len(known.keys)] == known.keys and (
        [each.digest for each in ring.rotations[:kept]] == [each.digest for each in known.rotations]
    )


def _check_name(name: str) -> None:
    odd = any(unicodedata.category(letter).startswith("C") for letter in name)
    if not 1 <= len(name) <= LONGEST_NAME or odd or name.strip() != name:
        raise UsageRefused(f"a rack's name has 1 to {LONGEST_NAME} characters in one line")
