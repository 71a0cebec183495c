"""Keeps what the centre has acknowledged, beside the ledger and in it, and holds the centre to it.

Beside the ledger stands the newest checkpoint. In the ledger one is put on record at most once an
hour, and only where something other than such receipts was acknowledged since the last: its own
record is sent and acknowledged, too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from anyio import to_thread
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchd.domain.errors import LedgerFault
from benchd.domain.record import Entry, EntryKind, Place, Receipt
from benchd.ledger.durable_files import replace_file
from benchd.ledger.fleet_checkpoint import decode_checkpoint
from benchd.ledger.follower import LedgerFeed
from benchd.ledger.head import Head
from benchd.ledger.recorded_checkpoints import (
    NEWEST_OF_CHECKPOINTS,
    OTHER_THAN_RECEIPTS,
    Lack,
    SignedCheckpoint,
    recorded_checkpoint,
)
from benchd.outbound.fleet.ports import Taken

RECORD_EVERY_S: Final = 3600.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperParts:
    """What a keeper works with."""

    feed: LedgerFeed
    file: Path
    """Keeps the newest checkpoint: what the centre has acknowledged, by its own word."""
    record: Callable[[Entry], Awaitable[Receipt]]
    """The ledger as everybody else adds to it."""
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    centre: Ed25519PublicKey
    rack: str


class CheckpointKeeper:
    """Implements `Checkpoints` for one centre and one ledger."""

    def __init__(self, parts: KeeperParts) -> None:
        self._parts = parts
        self._recalled = False
        self._known: SignedCheckpoint | None = None
        """The newest of this centre's that names a record of this ledger."""
        self._pending: SignedCheckpoint | None = None
        """The newest that isn't on record."""
        self._recorded = 0
        """The last record that a checkpoint on record acknowledges."""
        self._due_at = 0.0

    async def acknowledged(self) -> Head | None:
        """The last record of this ledger that the centre has signed for. Raises LedgerFault."""
        if not self._recalled:
            await self._recall()
            self._recalled = True
        return None if self._known is None else self._known.tip

    async def compare(self, newest: Head) -> None:
        """The centre has this and nothing later of the records that it has signed for."""
        if self._known is not None and newest.sequence < self._known.tip.sequence:
            known, self._known = self._known, None
            await self._keep_lack(known, Lack(newest=newest, size=None))

    async def received(self, taken: Taken, *, is_ours: bool) -> None:
        """A checkpoint has come; `is_ours` says whether the ledger has the record that it names."""
        now = SignedCheckpoint(
            checkpoint=taken.checkpoint, signed=taken.signed, centre=self._parts.centre
        )
        if is_ours:
            before, self._known, self._pending = self._known, now, now
            # No line of records is ever taken out of a centre.
            if before is not None and now.checkpoint.size < before.checkpoint.size:
                await self._keep_lack(before, Lack(newest=now.tip, size=now.checkpoint.size))
        await self._keep_beside(taken.signed)

    async def record_due(self) -> None:
        """Put the newest on record where it is time. Raises LedgerFault where nothing is read."""
        kept = self._pending
        if kept is None or self._parts.monotonic() < self._due_at:
            return
        self._pending = None
        between = (self._recorded, kept.tip.sequence)
        if not await self._parts.feed.select(OTHER_THAN_RECEIPTS, *between):
            return
        self._due_at = self._parts.monotonic() + RECORD_EVERY_S
        self._recorded = kept.tip.sequence
        await self._record(kept)

    async def _recall(self) -> None:
        """What former daemons have kept: the later one of what is on record and what is beside."""
        for kept in (await self._on_record(), await self._beside()):
            if kept is None or not await self._is_own(kept):
                continue
            if self._known is None or kept.tip.sequence > self._known.tip.sequence:
                self._known = kept

    async def _on_record(self) -> SignedCheckpoint | None:
        """The newest on record; the next is put there an hour after it."""
        select = self._parts.feed.select
        newest = await select(NEWEST_OF_CHECKPOINTS, EntryKind.CHECKPOINT_RECEIVED.value)
        if not newest:
            return None
        ago_s = (self._parts.now() - newest[0].entry.at).total_seconds()
        # One from the future was recorded before the clock was set back.
        rest_s = RECORD_EVERY_S - ago_s if ago_s >= 0 else 0.0
        self._due_at = self._parts.monotonic() + rest_s
        try:
            kept = recorded_checkpoint(newest[0])
        except ValueError:
            return None  # `benchd ledger verify` says so
        self._recorded = 0 if kept is None else kept.tip.sequence
        return kept

    async def _is_own(self, kept: SignedCheckpoint) -> bool:
        """Whether this centre has signed it for a record that this ledger has."""
        if kept.centre != self._parts.centre or kept.checkpoint.of.rack != self._parts.rack:
            return False
        place = Place(sequence=kept.tip.sequence, hash=kept.tip.hash.hex())
        return bool(await self._parts.feed.has(place))

    async def _beside(self) -> SignedCheckpoint | None:
        """What stands beside the ledger, if this centre has signed it."""
        try:
            signed = await self._threaded(self._parts.file.read_bytes)
            checkpoint = decode_checkpoint(signed, self._parts.centre)
        except (OSError, ValueError):
            return None
        return SignedCheckpoint(checkpoint=checkpoint, signed=signed, centre=self._parts.centre)

    async def _keep_beside(self, signed: bytes) -> None:
        """It is nobody's to wait for: the next one says as much, and more."""
        try:
            await self._threaded(partial(replace_file, self._parts.file, signed))
        except OSError as error:
            _not_kept(error.strerror)

    async def _keep_lack(self, known: SignedCheckpoint, lack: Lack) -> None:
        """Somebody has to look: an older state of the centre was put back."""
        _log.error("fleet_centre_lacked", sequence=known.tip.sequence, newest=lack.newest.sequence)
        entry = known.lacked_at(self._parts.now(), lack)
        select = self._parts.feed.select
        try:
            told = await select(NEWEST_OF_CHECKPOINTS, EntryKind.CENTRE_LACKED.value)
            # After a start it is found again until the centre has signed for something new.
            if [each.entry.data for each in told] != [entry.data]:
                await self._parts.record(entry)
        except LedgerFault as fault:
            _not_kept(str(fault))

    async def _record(self, kept: SignedCheckpoint) -> None:
        """A ledger that takes nothing costs this record alone: who else needs it finds out."""
        try:
            await self._parts.record(kept.received_at(self._parts.now()))
        except LedgerFault as fault:
            _not_kept(str(fault))

    async def _threaded(self, call: Callable[[], bytes | None]) -> bytes:
        return await to_thread.run_sync(call, limiter=self._parts.feed.thread) or b""


def _not_kept(why: str | None) -> None:
    _log.warning("fleet_checkpoint_not_kept", detail=why)
