"""A centre on a real database, asked without a network; its tables are read beside it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx2
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from benchd.fleet.centre_server import open_centre
from benchd.fleet.fleet_database import open_database
from benchd.fleet.joined_racks import JoinedRacks
from benchd.ledger.fleet_checkpoint import Checkpoint, decode_checkpoint
from benchd.signing.key_ring import KeyRing
from benchd.signing.private_key import SigningKey
from tests.fleet.written_ledger import WrittenLedger

NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Centre:
    """What a test asks it."""

    app: FastAPI
    racks: JoinedRacks
    conninfo: str
    key: SigningKey = field(
        default_factory=lambda: SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    )

    async def join(self, ledger: WrittenLedger, name: str = "rack 1") -> None:
        await self.racks.join(name, KeyRing.of(ledger.key.public_key()))

    async def post(self, rack: str, what: str, body: bytes) -> httpx2.Response:
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app), base_url="http://centre"
        ) as client:
            return await client.post(f"/v1/racks/{rack}/{what}", content=body)

    async def send(self, ledger: WrittenLedger, after: int, end: int | None = None) -> Checkpoint:
        """A batch that it takes."""
        answer = await self.post(ledger.rack, "records", ledger.batch(after, end))
        assert answer.status_code == 200, answer.text
        return self.checkpoint(answer)

    def checkpoint(self, answer: httpx2.Response) -> Checkpoint:
        told = json.dumps(
            answer.json()["checkpoint"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return decode_checkpoint(told.encode(), self.key.public)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.conninfo) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    def records(self, branch: int = 0) -> list[tuple[int, bytes, bytes]]:
        """Of the only rack there is."""
        rows = self.rows(
            f"SELECT sequence, hash, body FROM record WHERE branch = {branch} ORDER BY 1"  # noqa: S608
        )
        return [(int(str(row[0])), bytes(row[1]), bytes(row[2])) for row in rows]  # type: ignore[arg-type]


@asynccontextmanager
async def centre(
    conninfo: str, now: Callable[[], datetime] = lambda: NOW
) -> AsyncGenerator[Centre]:
    async with open_database(conninfo) as database:
        key = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))
        app = await open_centre(database, key, now)
        yield Centre(app=app, racks=JoinedRacks(database), conninfo=conninfo, key=key)
