"""The file of the signed head beside a ledger: two slots, written in turn and in place.

The head is on disk before a record is acknowledged, so it may be older than the ledger, and
the ledger is never older than it. Writing in place costs one sync of one sector where a new
file and its rename cost three (0.2 ms against 0.7 ms on an idle disk); a power cut in the
middle of it spoils one slot at most, and the other still holds what was written before.

Before several records are committed at once, a slot tells how far the ledger has come and where
they will lead (`prepared.py`). It is written as a head is, over the older slot.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from benchd.domain.errors import LedgerBroken
from benchd.ledger.durable_files import replace_file
from benchd.ledger.head import Head, decode_head, encode_head
from benchd.ledger.prepared_head import Prepared, decode_prepared, encode_prepared, is_prepared
from benchd.signing.private_key import SigningKey
from benchd.signing.public_key import Signer

SLOT_BYTES = 512
SLOTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHeads:
    """What the rack has signed of its ledger."""

    signed: Head
    """It has come so far."""
    prepared: Head | None = None
    """It was about to come so far, all at once: it has, or hasn't."""


def head_path(ledger: Path) -> Path:
    """Where the head of a ledger lies."""
    return ledger.with_name(ledger.name + ".head")


def reset_head(path: Path, head: Head, key: SigningKey) -> None:
    """Write the file anew, both slots with the same head."""
    replace_file(path, _slot(encode_head(head, key)) * SLOTS)


class HeadFile:
    """The head of an open ledger. Its descriptor is kept: a process that has none left goes on."""

    def __init__(self, path: Path, head: Head, key: SigningKey) -> None:
        """Write the file anew, with the head that the ledger has now."""
        self._path = path
        self._key = key
        reset_head(path, head, key)
        self._newest = 0
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)

    def prepare(self, prepared: Prepared) -> None:
        """Put on disk which head several records are about to lead to, before they are there."""
        self._write(encode_prepared(prepared, self._key))

    def advance(self, head: Head) -> None:
        """Put a head that follows the last one on disk."""
        self._write(encode_head(head, self._key))

    def _write(self, signed: bytes) -> None:
        if os.fstat(self._descriptor).st_nlink == 0:
            message = f"{self._path} was taken away"
            raise OSError(message)
        # Never over the newest: a cut in the middle of this must leave it. Numbers can't say which
        # slot that is, since several records at once may be an even number of them.
        older = (self._newest + 1) % SLOTS
        if os.pwrite(self._descriptor, _slot(signed), older * SLOT_BYTES) < SLOT_BYTES:
            message = f"{self._path} could be written only in part"
            raise OSError(message)
        os.fdatasync(self._descriptor)
        self._newest = older

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


def read_heads(path: Path, key: Signer, *, strict: bool) -> SignedHeads | None:
    """The newest head in the file and what was to follow it; None where there is no file.

    Raises LedgerBroken when no slot verifies, or when `strict` and one doesn't.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    found: list[SignedHeads] = []
    faults: list[str] = []
    if len(data) != SLOTS * SLOT_BYTES:
        faults.append(f"it has {len(data)} bytes and not {SLOTS * SLOT_BYTES}")
    for start in range(0, SLOTS * SLOT_BYTES, SLOT_BYTES):
        try:
            found.append(_heads(data[start : start + SLOT_BYTES], key))
        except ValueError as error:
            faults.append(str(error))
    if not found or (strict and faults):
        message = f"the ledger's head file doesn't verify: {'; '.join(faults)}"
        raise LedgerBroken(message, sequence=0)
    newest = max(heads.signed.sequence for heads in found)
    # The newest stands in both slots once something is prepared after it.
    latest = [heads for heads in found if heads.signed.sequence == newest]
    return next((heads for heads in latest if heads.prepared), latest[0])


def read_head(path: Path, key: Signer, *, strict: bool) -> Head | None:
    """The newest head in the file; None where there is no file. Raises what `read_heads` does."""
    heads = read_heads(path, key, strict=strict)
    return heads.signed if heads else None


def _slot(signed: bytes) -> bytes:
    return signed.ljust(SLOT_BYTES - 1) + b"\n"


def _heads(slot: bytes, key: Signer) -> SignedHeads:
    text = slot.removesuffix(b"\n").rstrip(b" ")
    if _slot(text) != slot:
        message = "a slot isn't filled as benchd fills it"
        raise ValueError(message)
    if not is_prepared(text):
        return SignedHeads(signed=decode_head(text, key))
    prepared = decode_prepared(text, key)
    return SignedHeads(signed=prepared.reached, prepared=prepared.next)
