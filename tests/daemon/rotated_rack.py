"""A rack on disk that sells handsets, whose key is rotated, and whose backup is put back."""

from __future__ import annotations

import base64
import json
import shutil
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchd.certificate import (
    DsseIssuer,
    SigningKey,
    create_key,
    load_key,
    load_rack_key,
    sign_statement,
)
from benchd.config import Settings, load_settings
from benchd.daemon.key_rotation import NOTHING_LEFT, Leave, Rotated, rotate_key
from benchd.daemon.ledger_witnesses import witnesses_of
from benchd.daemon.rack_backup import back_up
from benchd.daemon.restore_break import Restored, restore_backup
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition, JobEnd, Outcome
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import open_ledger
from benchd.ledger.ledger_database import open_for_writing
from benchd.ledger.ledger_record import COLUMNS, row_of, seal, unseal
from benchd.proof.erasure import verify_erasure
from benchd.signing.key_ring import KeyRing, decode_ring
from benchd.signing.key_store import KeyFiles
from benchd.signing.rotation import Retired
from benchd.slots.slot_records import end_record
from tests.certificate.certificate_rack import records_of_an_erasure

RECIPES = Path(__file__).parents[2] / "configs" / "recipes"
AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
FIRST, SECOND, THIRD = JOBS = tuple(JobId(f"20261124-A1-000{number}") for number in (1, 2, 3))

CONFIG = """
site.name = "大宮"
recipes.directory = "recipes"
models.fresh_pictures = "fresh"
adb.home = "adb"
http.socket = "s"
certificate = { key = "key.pem", directory = "certificates" }
ledger = { path = "state/ledger.db" }
"""


def settings_in(folder: Path) -> Settings:
    return load_settings(folder / "benchd.toml")


def make_rack(folder: Path) -> Settings:
    """A rack with its first key and nothing else yet."""
    shutil.copytree(RECIPES, folder / "recipes")
    for name in ("certificates", "state"):
        (folder / name).mkdir()
    (folder / "benchd.toml").write_text(CONFIG)
    create_key(folder / "key.pem")
    return settings_in(folder)


def files_of(settings: Settings) -> KeyFiles:
    return KeyFiles(settings.certificate.key)


def key_of(settings: Settings) -> SigningKey:
    return load_rack_key(settings.certificate.key, {})


def issuer_of(settings: Settings, key: SigningKey) -> DsseIssuer:
    return DsseIssuer(
        key=key, directory=settings.certificate.directory, site="大宮", benchd_version="1"
    )


async def sell(settings: Settings, name: str) -> bytes:
    """One handset through all of it, by the key that signs now: its certificate."""
    key, job = key_of(settings), JobId(name)
    async with open_ledger(settings.ledger.path, head_key=key, ring=key.ring) as ledger:
        for record in records_of_an_erasure():
            await ledger.append(replace(record.entry, job=job))
        erasure = verify_erasure(job, await ledger.entries(job))
        issuer = issuer_of(settings, key)
        envelope = issuer.issue(erasure, AT)
        end = JobEnd(outcome=Outcome.PASSED, disposition=Disposition.SELLABLE, reason=None)
        told = end_record(end, envelope.decode())
        await ledger.append(Entry(kind=EntryKind.JOB_ENDED, at=AT, job=job, data=told))
        await issuer.keep(job, envelope)
    return envelope


async def rotated(
    settings: Settings, why: Retired = Retired.ROTATED, leave: Leave = NOTHING_LEFT
) -> Rotated:
    return await rotate_key(settings, why=why, operator="佐藤", because="each year", leave=leave)


class Rack:
    """Three handsets sold, each under a key of its own; and a thief who kept every key."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stolen: list[SigningKey] = []
        self.certificates: list[bytes] = []

    async def live(self) -> None:
        for job in JOBS:
            if self.certificates:
                await rotated(self.settings)
            self.stolen.append(load_key(self.settings.certificate.key))
            self.certificates.append(await sell(self.settings, job))

    @property
    def ring_file(self) -> bytes:
        return files_of(self.settings).ring.read_bytes()

    def ring(self, generation: int = -1) -> KeyRing:
        """What somebody trusts who has the public key of this generation, and the ring."""
        return decode_ring(self.ring_file, self.stolen[generation].public)


def forged(certificate: bytes, key: SigningKey, **other: object) -> bytes:
    """Another certificate of the same words but these, signed by a key that was stolen."""
    statement: Any = json.loads(base64.b64decode(json.loads(certificate)["payload"]))
    statement["predicate"].update(other)
    return sign_statement(statement, key)


def at_once(_: float) -> None:
    """No pause between two pieces."""


def backup_of(rack: Settings, folder: Path) -> Path:
    path, _ = back_up(rack, folder, pace=at_once)
    return path


async def restore(rack: Settings, backup: Path, *, replaces: bool = False) -> Restored:
    return await restore_backup(
        rack, backup, operator="佐藤", because="disk replaced", replaces=replaces
    )


async def starts(rack: Settings) -> int:
    """What a daemon finds at its start: its ledger's last record, with every witness heard."""
    key = key_of(rack)
    async with open_ledger(
        rack.ledger.path,
        head_key=key,
        ring=key.ring,
        witnesses=await witnesses_of(rack, key.ring),
    ) as ledger:
        return ledger.head.sequence


def lies_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith("lock")
    }


def append_unsigned(ledger: Path, count: int) -> None:
    """Records of an honest job once more, for another: they hold, but the head isn't over them."""
    with closing(open_for_writing(ledger)) as connection:
        rows = list(connection.execute(f"SELECT {COLUMNS} FROM record ORDER BY sequence"))  # noqa: S608
        before = [row_of(columns, sequence=number) for number, columns in enumerate(rows, 1)]
        last = before[-1]
        for copied in before[:count]:
            entry = replace(unseal(copied).entry, job=JobId("20270101-A1-0001"))
            last = seal(entry, sequence=last.sequence + 1, previous=last.hash)
            values = [getattr(last, name.strip()) for name in COLUMNS.split(",")]
            connection.execute(
                f"INSERT INTO record ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?)",  # noqa: S608
                values,
            )
