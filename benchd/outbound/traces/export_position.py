"""Up to which record of the ledger traces have been told, as it is kept over a restart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from benchd.domain.record import Place
from benchd.ledger.durable_files import replace_file

LARGEST_PLACE_BYTES: Final = 4096


class PlaceFile:
    """Keeps the place in a file beside the ledger: plain blocking calls."""

    def __init__(self, ledger: Path) -> None:
        self._path = ledger.with_name(f"{ledger.name}.traces")

    def read(self) -> Place | None:
        """None where there is none, or none that can be read; raises OSError."""
        try:
            with self._path.open("rb") as file:
                return _decoded(file.read(LARGEST_PLACE_BYTES))
        except FileNotFoundError:
            return None

    def keep(self, place: Place) -> None:
        """Returns when it's on disk; raises OSError."""
        told = {"sequence": place.sequence, "hash": place.hash}
        replace_file(self._path, json.dumps(told).encode())


def _decoded(data: bytes) -> Place | None:
    try:
        told: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    match told:
        case {"sequence": int() as sequence, "hash": str() as hash_hex} if sequence >= 0:
            return Place(sequence=sequence, hash=hash_hex)
        case _:
            return None
