"""What the ledger's tests share: a rack's key and entries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.domain.errors import LedgerBroken
from benchd.domain.evidence_json import FORM
from benchd.domain.ids import Evidence, JobId, SlotName
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import verify_ledger
from benchd.ledger.checksum_vfs import CHECKSUM_VFS
from benchd.ledger.ledger_database import open_for_writing
from benchd.ledger.ledger_verification import damage_of
from benchd.signing.key import SigningKey

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RackKey(SigningKey):
    """An Ed25519 key in memory, the same in every test."""

    private: Ed25519PrivateKey = field(
        default_factory=lambda: Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    )


def make_entry(number: int, data: Evidence | None = None) -> Entry:
    """One of a run of entries: ten to a job, thirty to an occupancy, in two slots."""
    kinds = (EntryKind.JOB_OPENED, *[EntryKind.STAGE_ENDED] * 8, EntryKind.JOB_ENDED)
    return Entry(
        kind=kinds[number % 10],
        at=START + timedelta(milliseconds=number),
        slot=SlotName(f"A{number // 10 % 2 + 1}"),
        occupancy=number // 30 + 1,
        job=JobId(f"job-{number // 10}"),
        data=data
        or {
            "stage": "上書き消去",
            "form": FORM,
            "bytes_written": number * 4096,
            "coverage": 0.9375,
        },
    )


FillLedger = Callable[[int], Awaitable[Path]]


def broken(path: Path, key: RackKey) -> LedgerBroken:
    with pytest.raises(LedgerBroken) as caught:
        verify_ledger(path, key.public_key_pem)
    return caught.value


def forge(path: Path, *statements: str, close: bool = True) -> None:
    """Change a ledger as its owner can: by SQL, with the triggers dropped and put back.

    With `close` nobody has it open, and its file holds all of it.
    """
    if close:
        open_for_writing(path).close()
    with closing(apsw.Connection(str(path), vfs=CHECKSUM_VFS)) as connection:
        triggers = list(
            connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        )
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, sql in triggers:
            connection.execute(str(sql))
    if close:
        assert damage_of(path, settled=True) is None
