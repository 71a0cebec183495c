"""What went to the centre and what came from it, in order; signatures by docs/fleet.md alone."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.fleet.written_ledger import text_of

Tip = tuple[str, int, bytes]
"""A rack, and a record of it by number and hash."""


@dataclass(frozen=True)
class Answered:
    """An answer about a handset, as the centre has signed it."""

    asked: int
    """When its question went to the centre, by the order of all that went through."""
    at: int
    """When it came back, by the same."""
    question: dict[str, Any]
    told: dict[str, Any]

    @property
    def lease(self) -> int | None:
        return None if self.told["lease"] is None else int(self.told["lease"]["number"])

    @property
    def job(self) -> tuple[str, str]:
        return self.question["rack"], self.question["job"]


@dataclass
class Noted:
    """All racks' lines write into one."""

    centre: Ed25519PublicKey
    count: int = 0
    acknowledged: list[tuple[int, Tip]] = field(default_factory=list)
    """When, and up to which record."""
    sent: list[tuple[int, Tip]] = field(default_factory=list)
    """Batches on their way, taken or not."""
    answers: list[Answered] = field(default_factory=list)

    def goes(self, path: str, body: bytes) -> int:
        """A request is about to be handed to the centre; when that is."""
        self.count += 1
        if path.endswith("/records"):
            # One that was cut or forged has nothing that counts.
            try:
                head = json.loads(gzip.decompress(body).split(b"\n", 1)[0])["head"]
            except (EOFError, OSError, ValueError):
                return self.count
            tip = (path.split("/")[3], int(head["sequence"]), bytes.fromhex(head["hash"]))
            self.sent.append((self.count, tip))
        return self.count

    def comes(self, asked: int, path: str, body: bytes, answer: bytes) -> None:
        """What the centre says; whether the rack ever hears of it isn't known here."""
        self.count += 1
        told = json.loads(answer)
        if path.endswith("/records"):
            checkpoint = self._signed(told["checkpoint"], b"benchd fleet checkpoint v1\n")
            place = (checkpoint["rack"], checkpoint["sequence"], bytes.fromhex(checkpoint["hash"]))
            self.acknowledged.append((self.count, place))
        elif path.endswith("/questions"):
            signed = self._signed(told, b"benchd fleet answer v1\n")
            assert signed["question"] == sha256(body).hexdigest()
            self.answers.append(Answered(asked, self.count, json.loads(body), signed))

    def _signed(self, told: dict[str, Any], words: bytes) -> dict[str, Any]:
        claim = {name: each for name, each in told.items() if name != "signature"}
        self.centre.verify(bytes.fromhex(told["signature"]), words + text_of(claim))
        return claim
