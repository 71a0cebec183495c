"""What the ledger's tests share: a rack's key, entries, and ledgers that don't open or verify."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable
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
from benchd.domain.record import Entry, EntryKind, Receipt
from benchd.ledger import export_lines, open_ledger, verify_ledger
from benchd.ledger.checksum_vfs import CHECKSUM_VFS
from benchd.ledger.head_file import head_path
from benchd.ledger.ledger_database import open_for_writing
from benchd.ledger.ledger_verification import damage_of
from benchd.ledger.witness import Witness
from benchd.signing.private_key import SigningKey

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RackKey(SigningKey):
    """An Ed25519 key in memory, the same in every test."""

    private: Ed25519PrivateKey = field(
        default_factory=lambda: Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    )


@dataclass
class FakeClock:
    at: datetime = START

    def now(self) -> datetime:
        return self.at


@dataclass
class Passes:
    """A fake of what the daemon does about a pass over the chain."""

    shares: list[float] = field(default_factory=list)
    told: list[object] = field(default_factory=list)

    def walked(self, share: float) -> None:
        self.shares.append(share)

    def sound(self, at: datetime) -> None:
        self.told.append(at)

    def broken(self, detail: str) -> None:
        self.told.append(detail)

    def diverged(self) -> None:
        self.told.append("outrun")


class Backup:
    """The ledger's files at one moment."""

    def __init__(self, path: Path) -> None:
        self._files = {file: file.read_bytes() for file in (path, head_path(path))}

    def put_back(self) -> None:
        for file, data in self._files.items():
            file.write_bytes(data)


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


def make_entries(numbers: Iterable[int]) -> list[Entry]:
    return [make_entry(number) for number in numbers]


FillLedger = Callable[[int], Awaitable[Path]]


async def add(path: Path, key: RackKey, entries: Iterable[Entry]) -> list[Receipt]:
    """Open the ledger, append to it and close it."""
    async with open_ledger(path, head_key=key) as ledger:
        return [await ledger.append(entry) for entry in entries]


def broken(path: Path, key: RackKey) -> LedgerBroken:
    with pytest.raises(LedgerBroken) as caught:
        verify_ledger(path, key.public_key_pem)
    return caught.value


async def opens(path: Path, key: RackKey, *witnesses: Witness) -> None:
    async with open_ledger(path, head_key=key, witnesses=witnesses):
        pass


async def refused(
    path: Path, key: RackKey, *witnesses: Witness, match: str | None = None
) -> LedgerBroken:
    """A start doesn't open the ledger, and says why."""
    with pytest.raises(LedgerBroken, match=match) as caught:
        await opens(path, key, *witnesses)
    return caught.value


def change(path: Path, sequence: int, *, close: bool = True) -> None:
    """Rewrite an old record together with its own hash, as somebody without the key can."""
    lines = list(export_lines(path))
    previous, body = lines[sequence - 2][9:73].decode(), lines[sequence - 1][82:-2]
    changed = body.replace(b"4096", b"4097") if b"4096" in body else body.replace(b"0.9", b"0.8")
    assert changed != body
    digest = hashlib.sha256(bytes.fromhex(previous) + changed).hexdigest()
    forge(
        path,
        f"UPDATE record SET body = x'{changed.hex()}', hash = x'{digest}'"  # noqa: S608
        f" WHERE sequence = {sequence}",
        close=close,
    )


def make_anew(path: Path, sequence: int, *, close: bool = True) -> None:
    """Change an old record and every hash from there on: the whole chain holds together again."""
    statements: list[str] = []
    previous = bytes(32)
    for number, line in enumerate(export_lines(path), 1):
        body = line[82:-2]
        body = body.replace(b"0.9375", b"0.9999") if number == sequence else body
        digest = hashlib.sha256(previous + body).digest()
        statements.append(
            f"UPDATE record SET previous = x'{previous.hex()}', hash = x'{digest.hex()}',"  # noqa: S608
            f" body = x'{body.hex()}' WHERE sequence = {number}"
        )
        previous = digest
    forge(path, *statements, close=close)


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
