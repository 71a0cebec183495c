"""Where the ledger's files lie, over all the daemons that write to them.

A daemon that dies leaves its files as they are at that moment; the next one opens a copy of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchd.domain.record import Entry, Receipt, StoredEntry
from benchd.ledger.head import EMPTY_HEAD, Head
from benchd.ledger.head_file import head_path, reset_head
from benchd.ledger.ledger_record import unseal
from benchd.ledger.ledger_store import LedgerStore
from benchd.ledger.reader import LedgerReader
from benchd.ledger.witness import Witness
from benchd.signing.private_key import SigningKey
from benchd.signing.public_key import public_key_of


class Disk:
    """Holds one ledger, and knows what was acknowledged of it."""

    def __init__(self, folder: Path, key: SigningKey) -> None:
        self._folder = folder
        self._key = key
        self._lives = 0
        self.public_key: Ed25519PublicKey = public_key_of(key.public_key_pem)
        self.acknowledged: list[Receipt] = []
        self._cut_off: set[str] = set()
        # A row that is as it was is unsealed once: half of a search's time was spent on that.
        self._unseal = cache(unseal)

    def acknowledge(self, receipt: Receipt) -> None:
        """Somebody has heard of a record; it may be gone by then, by a hand at the file."""
        if receipt.hash_hex not in self._cut_off:
            self.acknowledged.append(receipt)

    def cut_off(self, records: Iterable[StoredEntry]) -> None:
        """A hand at the file has taken these; what shared a commit may still be told of."""
        self._cut_off.update(record.hash_hex for record in records)

    @property
    def here(self) -> Path:
        """The ledger of the present daemon, or as the last one has left it."""
        return self._path(self._lives)

    def begin_life(self) -> None:
        """Another daemon is about to start: it finds what the last one has left."""
        before = self._path(self._lives)
        self._lives += 1
        self.here.parent.mkdir()
        if before.parent.exists():
            _copy(before.parent, self.here.parent)
            shutil.rmtree(before.parent)

    def open(self, witnesses: Sequence[Witness]) -> tuple[LedgerStore, LedgerReader]:
        """The ledger, checked as every start checks it."""
        return LedgerStore(self.here, self._key, witnesses), self._reader()

    def write(self, entries: Iterable[Entry]) -> None:
        """Put records into it before any daemon works."""
        store = LedgerStore(self.here, self._key)
        for entry in entries:
            store.append(entry)
        store.close()

    def records(self) -> list[StoredEntry]:
        """All that stands there, each with its hash recomputed."""
        with closing(self._reader()) as reader:
            return reader.select("ORDER BY sequence")

    def _reader(self) -> LedgerReader:
        return LedgerReader(self.here, unseal=self._unseal)

    def set_aside(self) -> None:
        """Somebody has a copy of it as it is now."""
        _copy(self.here.parent, self._aside)

    def put_back(self) -> None:
        """That copy takes the place of what lies there."""
        shutil.rmtree(self.here.parent)
        _copy(self._aside, self.here.parent)

    def reset_head(self) -> None:
        """The head lies there that once was signed for the record which is the last now."""
        records = self.records()
        last = records[-1] if records else None
        head = Head(sequence=last.sequence, hash=bytes.fromhex(last.hash_hex)) if last else None
        reset_head(head_path(self.here), head or EMPTY_HEAD, self._key)

    def number_on(self, entry: Entry, *, known: int) -> tuple[int, Receipt]:
        """Record a restore; the last number that was kept, and the receipt."""
        store = LedgerStore(self.here, self._key)
        kept = store.head.sequence
        receipt = store.number_on(entry, known=known)
        store.close()
        return kept, receipt

    @property
    def _aside(self) -> Path:
        return self._folder / "aside"

    def _path(self, life: int) -> Path:
        return self._folder / str(life) / "ledger.db"


def _copy(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for file in source.iterdir():
        shutil.copyfile(file, target / file.name)
