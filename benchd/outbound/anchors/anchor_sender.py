"""Sends the ledger's head out of the rack, again and again, and keeps each receipt as a record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

import anyio
import structlog

from benchd.domain.errors import AnchorUnreachable, LedgerBroken
from benchd.domain.ids import Evidence
from benchd.domain.ports import Anchor, Clock
from benchd.domain.record import Entry, EntryKind, Receipt
from benchd.ledger.anchor_divergence import DIVERGED, divergence_of
from benchd.ledger.head import Head, decode_head, is_by_retired_key
from benchd.ledger.ledger_access import SqliteLedger
from benchd.ledger.witness import Witness
from benchd.signing.key_ring import KeyRing
from benchd.signing.public_key import Signer

AFTER_FAILURE_S: Final = 60.0
RECEIPTS_ASKED: Final = 1000
"""One anchor may have given so many, ten days' at the usual pace, since another was reached."""

_BY_RETIRED_KEY: Final = (
    "its newest head is signed by a key that the rack has retired: right after a rotation that is"
    " as it should be, later somebody has that key and can write there"
)

_log = structlog.get_logger()


class AnchoringSink(Protocol):
    """Who hears how far the outside has come to know the ledger."""

    def diverged(self) -> None:
        """An anchor knows more than the ledger: an older one was put back."""
        ...

    def anchored_before(self, sequence: int, at: datetime) -> None:
        """Every anchor had this head, as a former daemon has put on record."""
        ...

    def anchored(self, sequence: int, at: datetime) -> None:
        """Every anchor has this head."""
        ...

    def anchor_unreachable(self) -> None:
        """A head couldn't be sent out; the rack goes on."""
        ...


async def witness_of(anchor: Anchor, key: Signer) -> Witness | None:
    """What an anchor knows of the ledger; None where it has no head of this rack yet.

    A head by a retired key counts for nothing: its thief can make any, and what it could tell up to
    its retirement, the ring tells by a key that nobody has stolen.

    Raises AnchorUnreachable, also for a head that the rack hasn't signed: whoever keeps it can
    then say nothing of the ledger.
    """
    signed = await anchor.newest()
    if signed is None:
        return None
    try:
        if isinstance(key, KeyRing) and is_by_retired_key(signed.strip(), key):
            _log.warning("anchor_head_ignored", anchor=anchor.name, detail=_BY_RETIRED_KEY)
            return None
        head = decode_head(signed.strip(), key)
    except ValueError as error:
        message = f"{anchor.name} keeps a head that isn't this rack's: {error}"
        raise AnchorUnreachable(message) from error
    return Witness(told_by=f"the anchor {anchor.name}", head=head)


class Anchoring:
    """One head to all anchors every so often, as long as the daemon lives."""

    def __init__(
        self,
        ledger: SqliteLedger,
        record: Callable[[Entry], Awaitable[Receipt]],
        anchors: Sequence[Anchor],
        *,
        key: Signer,
        clock: Clock,
        sink: AnchoringSink,
        every_s: float,
    ) -> None:
        """`record` keeps an entry; it's the ledger as everybody else uses it."""
        self._ledger = ledger
        self._record = record
        self._anchors = anchors
        self._key = key
        self._clock = clock
        self._sink = sink
        self._every_s = every_s
        self._receipted: int | None = None
        """The last record, as long as nothing but receipts has followed the anchored head."""

    async def run(self) -> None:
        """Send whenever something has happened, until cancelled; at once without anchors."""
        if self._anchors:
            await self.recall()
        while self._anchors:
            reached = await self.send()
            await anyio.sleep(self._every_s if reached else min(self._every_s, AFTER_FAILURE_S))

    async def recall(self) -> None:
        """Tell how far all anchors knew the ledger when a former daemon had sent to them last."""
        known: dict[str, tuple[int, datetime]] = {}
        for receipt in await self._ledger.newest_receipts(RECEIPTS_ASKED):
            match receipt.entry.data:
                case {"anchor": str() as name, "sequence": int() as sequence}:
                    known.setdefault(name, (sequence, receipt.entry.at))
                case _:
                    pass
        heads = [known[anchor.name] for anchor in self._anchors if anchor.name in known]
        # Who knows a later head knows this one, too.
        if heads and len(heads) == len(self._anchors):
            self._sink.anchored_before(*min(heads))

    async def send(self) -> bool:
        """Send the present head to every anchor; whether all of them have it."""
        head, signed = self._ledger.signed_head()
        if head.sequence == self._receipted:
            return True
        receipts: dict[str, str] = {}
        away = False
        for anchor in self._anchors:
            try:
                await self._compare(anchor)
                receipts[anchor.name] = await anchor.keep(signed)
            except AnchorUnreachable as fault:
                _log.warning("anchor_unreachable", detail=str(fault))
                away = True
            except LedgerBroken as error:
                _log.error("ledger_broken", sequence=error.sequence, detail=str(error))
                self._sink.diverged()
                await self._keep_told(error)
        await self._keep(head, receipts)
        reached = len(receipts) == len(self._anchors)
        if reached:
            self._sink.anchored(head.sequence, self._clock.now())
        elif away:
            self._sink.anchor_unreachable()
        return reached

    async def _compare(self, anchor: Anchor) -> None:
        """An anchor that couldn't be asked at start is asked before it is told anything."""
        witness = await witness_of(anchor, self._key)
        if witness is not None:
            await self._ledger.check_witness(witness)

    async def _keep_told(self, error: LedgerBroken) -> None:
        """Once is enough: it is found again at every try."""
        if await divergence_of(self._ledger) is None:
            found: Evidence = {"broken_at": error.sequence, "detail": str(error)}
            entry = Entry(
                kind=EntryKind.LEDGER_CHECKED,
                at=self._clock.now(),
                data={**found, DIVERGED: str(error)},
            )
            await self._record(entry)

    async def _keep(self, head: Head, receipts: dict[str, str]) -> None:
        last = head.sequence
        for name, receipt in receipts.items():
            kept = await self._record(
                Entry(
                    kind=EntryKind.LEDGER_ANCHORED,
                    at=self._clock.now(),
                    data={
                        "anchor": name,
                        "sequence": head.sequence,
                        "hash": head.hash.hex(),
                        "receipt": receipt,
                    },
                )
            )
            # Something else came in between: that is worth a head of its own.
            last = kept.sequence if last >= 0 and kept.sequence == last + 1 else -1
        self._receipted = last if len(receipts) == len(self._anchors) else None
