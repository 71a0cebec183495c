"""The centre's whole state, signed: the leaves of its tree, kept elsewhere, show what it has lost.

Which records a rack still has, it sends again to a centre that was put back. What neither has any
more is told by this alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg import AsyncConnection

from benchd.domain.ids import JsonValue
from benchd.fleet.fleet_database import FleetDatabase
from benchd.ledger.fleet_batch import head_of
from benchd.ledger.fleet_checkpoint import Branch
from benchd.ledger.head import Head
from benchd.signing import canonical
from benchd.signing.merkle import root_of
from benchd.signing.private_key import SigningKey
from benchd.signing.signed_claim import encode_signed, is_signed

LEAVES_TYPE: Final = "urn:benchd:fleet-leaves:v1"
_DOMAIN: Final = b"benchd fleet leaves v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafList:
    """How far the centre had come with every line of every rack's records."""

    at: datetime
    leaves: tuple[Branch, ...]


async def branches_of(connection: AsyncConnection) -> list[Branch]:
    """The leaves as they are now, in the tree's order."""
    found = await connection.execute(
        """
        SELECT key_id, branch, tip_sequence, tip_hash
        FROM branch JOIN rack ON rack.id = branch.rack ORDER BY key_id COLLATE "C", branch
        """
    )
    return [branch_of(*row) for row in await found.fetchall()]


@lru_cache(maxsize=1 << 14)
def branch_of(rack: str, branch: int, sequence: int, hash_: bytes) -> Branch:
    """A leaf, of which nearly all are those of before."""
    return Branch(rack=rack, branch=branch, tip=Head(sequence=sequence, hash=hash_))


def encode_leaves(leaves: list[Branch], at: datetime, key: SigningKey) -> bytes:
    """The list as it is kept."""
    claim: dict[str, JsonValue] = {
        "type": LEAVES_TYPE,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "root": root_of([each.leaf for each in leaves]).hex(),
        "leaves": [
            {
                "rack": each.rack,
                "branch": each.branch,
                "sequence": each.tip.sequence,
                "hash": each.tip.hash.hex(),
            }
            for each in leaves
        ],
    }
    return encode_signed(claim, _DOMAIN, key)


def decode_leaves(data: bytes, centre: Ed25519PublicKey) -> LeafList:
    """A list that this centre has signed; raises ValueError."""
    match canonical.decode(data):
        case {
            "type": "urn:benchd:fleet-leaves:v1",
            "at": str() as at,
            "root": str() as root,
            "leaves": list() as told,
            "signature": str(),
            **others,
        } as whole if not others:
            pass
        case _:
            message = "it doesn't have the form of a list of leaves"
            raise ValueError(message)
    if not is_signed(whole, _DOMAIN, centre):
        message = "it isn't signed by the centre's key"
        raise ValueError(message)
    leaves = tuple(_leaf(each) for each in told)
    if root_of([each.leaf for each in leaves]).hex() != root:
        message = "its leaves don't lead to its root"
        raise ValueError(message)
    return LeafList(at=datetime.fromisoformat(at), leaves=leaves)


def _leaf(told: JsonValue) -> Branch:
    match told:
        case {"rack": str() as rack, "branch": int() as branch, **tip}:
            return Branch(rack=rack, branch=branch, tip=head_of(tip))
        case _:
            message = "one of its leaves doesn't have the form of one"
            raise ValueError(message)


def lost_between(older: LeafList, newer: LeafList) -> list[Branch]:
    """What the older list has and the newer one hasn't: each leaf stays or grows, none goes."""
    now: Mapping[tuple[str, int], Head] = {
        (each.rack, each.branch): each.tip for each in newer.leaves
    }
    return [each for each in older.leaves if not _has_grown(each, now)]


def _has_grown(leaf: Branch, now: Mapping[tuple[str, int], Head]) -> bool:
    tip = now.get((leaf.rack, leaf.branch))
    return tip is not None and (tip.sequence > leaf.tip.sequence or tip == leaf.tip)


async def lost_in(database: FleetDatabase, leaves: Iterable[Branch]) -> list[Branch]:
    """Those of these leaves whose record the centre hasn't, in whatever branch it stands now.

    A record's hash stands for all before it: who has it has one history with the list.
    """
    asked = list(leaves)
    async with database.transaction() as connection:
        found = await connection.execute(
            """
            SELECT key_id, hash FROM unnest(%s::text[], %s::bytea[]) AS told (key, tip)
            JOIN rack ON key_id = told.key JOIN record ON record.rack = rack.id AND hash = told.tip
            """,
            ([each.rack for each in asked], [each.tip.hash for each in asked]),
        )
        records = {(str(row[0]), bytes(row[1])) for row in await found.fetchall()}
        racks = {each.rack for each in await branches_of(connection)}
    return [
        each
        for each in asked
        if each.rack not in racks
        or (each.tip.sequence and (each.rack, each.tip.hash) not in records)
    ]
