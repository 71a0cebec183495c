"""People on a real ledger and a real file, with PINs that cost next to nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchd.ledger import open_ledger
from benchd.people.register import People
from benchd.people.secrets import Argon2Cost, Secrets
from benchd.people.store import SecretStore
from benchd.words.people import By
from benchd.words.record import Entry, Receipt

CHEAP = Argon2Cost(iterations=1, memory_kib=8, lanes=1)
KEY = bytes(range(32))
BY = By(actor=None, source="files, uid 0")
NOW = datetime(2026, 11, 26, 1, 0, tzinfo=UTC)

Append = Callable[[Entry], Awaitable[Receipt]]


@dataclass(slots=True)
class HandClock:
    """Moves when it is told to."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class RackKey:
    """An Ed25519 key in memory."""

    private: Ed25519PrivateKey = field(
        default_factory=lambda: Ed25519PrivateKey.from_private_bytes(KEY)
    )

    @property
    def public_key_pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


def secrets_file(folder: Path) -> Path:
    return folder / "ledger.sqlite.people"


@asynccontextmanager
async def people_in(
    folder: Path,
    *,
    key: bytes = KEY,
    clock: HandClock | None = None,
    around: Callable[[Append], Append] = lambda append: append,
) -> AsyncGenerator[People]:
    """A start on what lies in this folder; `around` may break the ledger."""
    async with open_ledger(folder / "ledger.sqlite", head_key=RackKey()) as ledger:
        store = SecretStore(secrets_file(folder))
        try:
            secrets = Secrets(key, CHEAP)
            people = People(ledger, around(ledger.append), store, secrets, clock or HandClock())
            await people.load()
            yield people
        finally:
            store.close()
