"""The honest restore: an older ledger was put back, and the rack says so, signed."""

from __future__ import annotations

import os

import anyio
from anyio import to_thread

from benchd.certificate import load_rack_key
from benchd.config import Settings
from benchd.daemon.system import SystemClock
from benchd.daemon.witnesses import witnesses_of
from benchd.ledger.store import LedgerStore
from benchd.naming import operator_name
from benchd.words.record import Entry, EntryKind, Receipt


async def record_restored(settings: Settings, *, operator: str, because: str) -> Receipt:
    """Record that what followed the ledger's last record may be lost, numbered above all known.

    Raises LedgerFault while the daemon runs.
    """
    key = load_rack_key(settings.certificate.key, os.environ)
    witnesses = await witnesses_of(settings, key.ring)
    known = max((witness.head.sequence for witness in witnesses), default=0)
    entry = Entry(
        kind=EntryKind.LEDGER_RESTORED,
        at=SystemClock().now(),
        data={"operator": operator_name(operator), "because": because},
    )

    def write() -> Receipt:
        store = LedgerStore(settings.ledger.path, key, ring=key.ring, behind=True)
        try:
            return store.number_on(entry, known=known)
        finally:
            store.close()

    return await to_thread.run_sync(write, limiter=anyio.CapacityLimiter(1))
