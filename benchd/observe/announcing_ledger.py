"""A ledger that tells a subscriber what it has stored: persisted first, told after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol, TypeVar

import anyio
import structlog

from benchd.domain.handset import Trait
from benchd.domain.ids import JobId, SlotName
from benchd.domain.ports import Ledger
from benchd.domain.record import Entry, Receipt, StoredEntry

_log = structlog.get_logger()

_Event = TypeVar("_Event")

PAUSE_AFTER_FAULT_S = 1.0


class LedgerSubscriber(Protocol):
    """Learns from records; must be quick, since the job waits for it."""

    def stored(self, entry: Entry) -> None:
        """A record is on disk."""
        ...

    def recalled(self, entry: Entry) -> None:
        """A former daemon's job that is still open."""
        ...


def bulkhead(
    tell: Callable[[_Event], None], failed: Callable[[], None]
) -> Callable[[_Event], None]:
    """The same without its faults: they are logged and counted, and go no further."""

    def guarded(what: _Event) -> None:
        try:
            tell(what)
        except Exception as fault:  # noqa: BLE001 - a subscriber's mistake never costs a job
            # What it was about may be a serial, so it isn't logged with the fault.
            _log.error("subscriber_failed", error=type(fault).__name__)
            failed()

    return guarded


async def keep_following(follow: Callable[[], Awaitable[None]], failed: Callable[[], None]) -> None:
    """Run a watcher for ever; its faults are logged and counted, and it begins again."""
    while True:
        try:
            await follow()
        except Exception as fault:  # noqa: BLE001 - the same bulkhead, for watchers
            _log.error("subscriber_failed", error=type(fault).__name__)
            failed()
        await anyio.sleep(PAUSE_AFTER_FAULT_S)


class AnnouncingLedger:
    """Implements `benchd.domain.ports.Ledger` around another one; the subscriber can't break it."""

    def __init__(
        self, ledger: Ledger, subscriber: LedgerSubscriber, failed: Callable[[], None]
    ) -> None:
        self._ledger = ledger
        self._stored = bulkhead(subscriber.stored, failed)
        self._recalled = bulkhead(subscriber.recalled, failed)

    async def append(self, entry: Entry) -> Receipt:
        """Returns when the record is on disk and the subscriber has heard of it."""
        receipt = await self._ledger.append(entry)
        self._stored(entry)
        return receipt

    async def entries(self, job: JobId) -> Sequence[StoredEntry]:
        """All records of one job in order, their hashes recomputed and compared."""
        return await self._ledger.entries(job)

    async def open_jobs(self) -> Sequence[StoredEntry]:
        """The JOB_OPENED record of each job without JOB_ENDED."""
        found = await self._ledger.open_jobs()
        for stored in found:
            self._recalled(stored.entry)
        return found

    async def slot_entries(self, slot: SlotName) -> Sequence[StoredEntry]:
        """All records of the last occupancy of a slot; empty where it never had one."""
        return await self._ledger.slot_entries(slot)

    async def handset_jobs(self, trait: Trait, value: str, limit: int) -> Sequence[JobId]:
        """The newest jobs that tell this of their handset, and all that doom or have drawn it."""
        return await self._ledger.handset_jobs(trait, value, limit)

    async def records_of_tac(self, tac: str, limit: int) -> Sequence[StoredEntry]:
        """Some records in which a handset told an IMEI of this type allocation code over adb."""
        return await self._ledger.records_of_tac(tac, limit)

    async def job_ids(self, limit: int) -> Sequence[JobId]:
        """The newest jobs first."""
        return await self._ledger.job_ids(limit)

    async def intake(self, since: int) -> Sequence[StoredEntry]:
        """All records of intake from this number on, in order."""
        return await self._ledger.intake(since)


def announcing(
    ledger: Ledger, subscribers: Iterable[LedgerSubscriber], failed: Callable[[], None]
) -> Ledger:
    """A ledger that tells each of these, in their order."""
    for subscriber in subscribers:
        ledger = AnnouncingLedger(ledger, subscriber, failed)
    return ledger
