"""Up to which record of the ledger traces have been told, as it is kept over a restart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A record of the ledger, by number and hash; of the number 0 before its first."""

    sequence: int = 0
    hash: str = ""


class PlaceKeeper(Protocol):
    """Keeps the place: plain blocking calls that raise OSError."""

    def read(self) -> Place | None:
        """None where there is none, or none that can be read."""
        ...

    def keep(self, place: Place) -> None:
        """Returns when it's on disk."""
        ...


def decode_place(data: bytes) -> Place | None:
    """A place as it was kept; None for anything else."""
    try:
        told: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    match told:
        case {"sequence": int() as sequence, "hash": str() as hash_hex} if sequence >= 0:
            return Place(sequence=sequence, hash=hash_hex)
        case _:
            return None


def encode_place(place: Place) -> bytes:
    """The bytes to keep."""
    return json.dumps({"sequence": place.sequence, "hash": place.hash}).encode()
