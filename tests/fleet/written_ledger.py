"""A ledger written from docs/fleet.md alone, by none of benchd's own hashing or signing."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NOTHING = (0, bytes(32))
"""Before the first record."""
SERIAL = "R58M00000X1"


def text_of(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass
class WrittenLedger:
    """What a rack has on record, as number, hash and body."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    records: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    day: str = "2026-11-24"
    """By the rack's own clock."""

    @property
    def rack(self) -> str:
        return sha256(self.key.public_key().public_bytes_raw()).hexdigest()

    @property
    def places(self) -> list[tuple[int, bytes]]:
        """From the empty ledger to the newest record."""
        return [NOTHING, *((number, hash_) for number, hash_, _ in self.records)]

    def add(self, told: str = "", count: int = 1, kind: str = "config_changed") -> None:
        for _ in range(count):
            last = self.places[-1]
            self.put(last[0] + 1, kind, {"told": told})

    def put(self, number: int, kind: str, data: object, job: str | None = None) -> None:
        body = text_of(
            {
                "sequence": number,
                "kind": kind,
                "at": f"{self.day}T09:{number // 60 % 60:02}:{number % 60:02}.000000Z",
                "slot": None,
                "occupancy": None,
                "job": job,
                "data": data,
            }
        )
        self.records.append((number, sha256(self.places[-1][1] + body).digest(), body))

    def restore(self, kept: int, number: int) -> None:
        """All but so many records are lost, and that is on record."""
        del self.records[kept:]
        sequence, hash_ = self.places[-1]
        claim = {"kept_sequence": sequence, "kept_hash": hash_.hex(), "sequence": number}
        signature = self.key.sign(b"benchd ledger restored v1\n" + text_of(claim)).hex()
        data = {"kept_sequence": sequence, "kept_hash": hash_.hex(), "signature": signature}
        self.put(number, "ledger_restored", {**data, "known_sequence": 0})

    def copy(self) -> WrittenLedger:
        return WrittenLedger(key=self.key, records=list(self.records))

    def head(self, place: tuple[int, bytes]) -> dict[str, object]:
        claim = {"sequence": place[0], "hash": place[1].hex()}
        signature = self.key.sign(b"benchd ledger head v1\n" + text_of(claim)).hex()
        return {**claim, "signature": signature}

    def batch(self, after: int, end: int | None = None) -> bytes:
        """The records after so many, up to so many."""
        bodies = [body for _, _, body in self.records[after:end]]
        return self.packed(
            self.places[after], bodies, self.head(self.places[:][after + len(bodies)])
        )

    def packed(self, after: tuple[int, bytes], bodies: list[bytes], head: object) -> bytes:
        first = {"after": {"sequence": after[0], "hash": after[1].hex()}, "head": head}
        return gzip.compress(b"\n".join([text_of(first), *bodies]))


def large_ledger() -> WrittenLedger:
    """Twenty records of a job and others, which can't be packed to less than a large batch."""
    noise = random.Random(1)
    ledger = WrittenLedger()
    opened = {"recipe": "sale", "usb_serial": SERIAL}
    ledger.put(1, "job_opened", opened, job="job-1")
    for number in range(2, 20):
        ledger.put(number, "config_changed", {"told": noise.randbytes(512).hex()})
    evidence = {"form": 6, "evidence": {"serial": SERIAL}, "stage": "read_identity"}
    ledger.put(20, "stage_ended", evidence, job="job-1")
    return ledger
