"""A checkpoint: the centre's signed word that it has a rack's records up to one of them.

It names the root of a hash tree (RFC 9162) over how far the centre had come with every rack, and
the path from this rack's leaf up to it: who holds two racks' checkpoints can hold them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchd.domain.ids import JsonValue
from benchd.ledger.fleet_batch import head_of
from benchd.ledger.head import Head
from benchd.signing import canonical
from benchd.signing.merkle import leads_to, leaf_hash, root_and_path
from benchd.signing.private_key import SigningKey
from benchd.signing.signed_claim import encode_signed, is_signed

CHECKPOINT_TYPE: Final = "urn:benchd:fleet-checkpoint:v1"
MOST_STEPS: Final = 64
"""Of a path: more racks than there can be."""

_DOMAIN: Final = b"benchd fleet checkpoint v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """How far the centre has come with one line of a rack's records: 0 is the first that came."""

    rack: str
    branch: int
    tip: Head

    @property
    def leaf(self) -> bytes:
        """What stands for it in the tree."""
        return _leaf(self.rack, self.branch, self.tip.sequence, self.tip.hash)


@lru_cache(maxsize=1 << 14)
def _leaf(rack: str, branch: int, sequence: int, hash_: bytes) -> bytes:
    told = {"rack": rack, "branch": branch, "sequence": sequence, "hash": hash_.hex()}
    return leaf_hash(canonical.encode(told))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What the centre has signed."""

    of: Branch
    at: datetime
    root: bytes
    size: int
    """How many leaves the tree has."""
    index: int
    path: tuple[bytes, ...]


def encode_checkpoint(branches: list[Branch], index: int, at: datetime, key: SigningKey) -> bytes:
    """The checkpoint for one of all branches, which are in the order of their racks, signed."""
    leaves = [each.leaf for each in branches]
    root, path = root_and_path(leaves, index)
    mine = branches[index]
    claim: dict[str, JsonValue] = {
        "type": CHECKPOINT_TYPE,
        "rack": mine.rack,
        "branch": mine.branch,
        "sequence": mine.tip.sequence,
        "hash": mine.tip.hash.hex(),
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "root": root.hex(),
        "size": len(leaves),
        "index": index,
        "path": [step.hex() for step in path],
    }
    return encode_signed(claim, _DOMAIN, key)


def decode_checkpoint(data: bytes, centre: Ed25519PublicKey) -> Checkpoint:
    """A checkpoint that this centre has signed and whose path holds; raises ValueError."""
    match canonical.decode(data):
        case {
            "type": "urn:benchd:fleet-checkpoint:v1",
            "rack": str() as rack,
            "branch": int() as branch,
            "sequence": int() as sequence,
            "hash": str() as hash_hex,
            "at": str() as at,
            "root": str() as root,
            "size": int() as size,
            "index": int() as index,
            "path": list() as path,
            "signature": str(),
            **others,
        } as told if not others and len(path) <= MOST_STEPS:
            tip = head_of({"sequence": sequence, "hash": hash_hex})
            checkpoint = Checkpoint(
                of=Branch(rack=rack, branch=branch, tip=tip),
                at=datetime.fromisoformat(at),
                root=bytes.fromhex(root),
                size=size,
                index=index,
                path=tuple(bytes.fromhex(str(step)) for step in path),
            )
        case _:
            message = "it doesn't have the form of a checkpoint"
            raise ValueError(message)
    if not is_signed(told, _DOMAIN, centre):
        message = "it isn't signed by the centre's key"
        raise ValueError(message)
    leaf = checkpoint.of.leaf
    if not leads_to(checkpoint.root, leaf, checkpoint.path, index=index, size=size):
        message = "its path doesn't lead to its root"
        raise ValueError(message)
    return checkpoint
