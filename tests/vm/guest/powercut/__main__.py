"""Write a ledger, cut its power again and again, and tell as JSON what a start then missed.

Usage: python3 -m powercut CUTS [--careless]; `--careless` has SQLite sync nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.certificate import SigningKey
from benchd.domain.errors import LedgerFault
from benchd.domain.evidence_json import FORM
from benchd.domain.ids import JobId, SlotName
from benchd.domain.ports import Ledger
from benchd.domain.record import Entry, EntryKind, Receipt, StoredEntry
from benchd.ledger import SqliteLedger, ledger_database, ledger_store, open_ledger
from benchd.observe.announcing_ledger import announcing

from .logged_disk import logged_disk, mounted_copy
from .write_log import WriteLog

ROUNDS: Final = 40
SLOTS: Final = 12
LEDGER: Final = "ledger.db"
AT: Final = datetime(2026, 11, 27, tzinfo=UTC)
KEY: Final = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@dataclass(slots=True)
class Told:
    """What has been heard of the ledger, in its order."""

    receipts: list[Receipt] = field(default_factory=list[Receipt])
    published: list[Entry] = field(default_factory=list[Entry])
    commits: list[int] = field(default_factory=list[int])

    def stored(self, entry: Entry) -> None:
        """As a subscriber of the daemon's."""
        self.published.append(entry)

    def recalled(self, entry: Entry) -> None:
        """Nothing was there before."""
        raise AssertionError(entry)

    def failed(self) -> None:
        """A subscriber's mistake would be ours."""
        raise AssertionError

    def missed(self, found: Sequence[StoredEntry], receipts: int, published: int) -> str | None:
        """What of the first that were heard of isn't there."""
        hashes = {stored.sequence: stored.hash_hex for stored in found}
        for receipt in self.receipts[:receipts]:
            if hashes.get(receipt.sequence) != receipt.hash_hex:
                return f"record {receipt.sequence} was acknowledged"
        if [stored.entry for stored in found][:published] != self.published[:published]:
            return f"{published} were published"
        return None


async def write(folder: Path, told: Told, mark: Callable[[str], None]) -> None:
    """Let many slots append at once, and mark in the log who has heard of what."""

    async def work(ledger: Ledger, slot: int, number: int) -> None:
        entry = Entry(
            kind=EntryKind.STAGE_ENDED,
            at=AT,
            slot=SlotName(f"S{slot:02}"),
            occupancy=1,
            job=JobId(f"job-{slot}"),
            data={"form": FORM, "number": number, "said": "x" * 300},
        )
        told.receipts.append(await ledger.append(entry))

    async with open_ledger(folder / LEDGER, head_key=KEY, committed=told.commits.append) as opened:
        ledger = announcing(opened, [told], told.failed)
        for number in range(ROUNDS):
            async with anyio.create_task_group() as group:
                for slot in range(SLOTS):
                    group.start_soon(partial(work, ledger, slot, number))
            mark(f"{len(told.receipts)}/{len(told.published)}")


async def found_in(folder: Path) -> Sequence[StoredEntry]:
    """What a start finds, before it adds a record of its own."""
    async with open_ledger(folder / LEDGER, head_key=KEY) as ledger:
        found = await everything(ledger)
        await ledger.append(Entry(kind=EntryKind.DAEMON_STARTED, at=AT))
    return found


async def everything(ledger: SqliteLedger) -> Sequence[StoredEntry]:
    """All records, their hashes recomputed."""
    return await ledger.entries_after(0, ROUNDS * SLOTS + 1)


async def cut(folder: Path, log: WriteLog, told: Told, cuts: int) -> list[str]:
    """What was missed after each of so many cuts, drawn among all writes and right at marks."""
    chance = random.Random(20261127)
    marks = [at for at, entry in enumerate(log.entries, start=1) if entry.mark is not None]
    drawn = [
        chance.choice((chance.randint(marks[0], len(log.entries)), chance.choice(marks)))
        for _ in range(cuts)
    ]
    disk = folder / "disk-then"
    shutil.copyfile(folder / "before", disk)
    descriptor = os.open(disk, os.O_RDWR | os.O_CLOEXEC)
    missed: list[str] = []
    done, heard = 0, (0, 0)
    for at in sorted(drawn):
        for entry in log.entries[done:at]:
            log.apply(entry, descriptor)
            if entry.mark is not None:
                receipts, published = entry.mark.split("/")
                heard = int(receipts), int(published)
        done = at
        with mounted_copy(disk, folder) as there:
            try:
                fault = told.missed(await found_in(there), *heard)
            except LedgerFault as error:
                fault = str(error)
        if fault is not None:
            missed.append(f"after {at} of {len(log.entries)} writes: {fault}")
    os.close(descriptor)
    return missed


def sync_nothing() -> None:
    """Have SQLite believe that a disk needs no time."""
    real: Callable[..., Any] = ledger_database.query

    def careless(connection: Any, sql: str, *values: Any) -> Any:  # noqa: ANN401 - as the real one
        return real(connection, sql.replace("synchronous = full", "synchronous = off"), *values)

    setattr(ledger_database, "query", careless)  # noqa: B010 - it has no such place by its type


async def main(cuts: int, *, careless: bool) -> None:
    """Print what came of it."""
    ledger_store.CHECKPOINT_PAGES = 60
    if careless:
        sync_nothing()
    told = Told()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        folder = Path(name)
        with logged_disk(folder) as disk:
            await write(disk.mounted, told, disk.mark)
        log = WriteLog(folder / "log")
        missed = await cut(folder, log, told, cuts)
        log.close()
    json.dump(
        {
            "records": len(told.receipts),
            "commits": len(told.commits),
            "writes": len(log.entries),
            "cuts": cuts,
            "missed": missed,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("cuts", type=int)
    options.add_argument("--careless", action="store_true")
    asked = options.parse_args()
    anyio.run(partial(main, asked.cuts, careless=asked.careless))
