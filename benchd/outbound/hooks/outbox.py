"""One hook's way through the ledger: what is to be sent, in order, until it's taken or given up.

The ledger is the queue. What this keeps beside it says only how far it has come, so an event can
be sent twice and never be lost: it is forgotten after the receiver, or the ledger, has it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final, Protocol, TypeVar

import structlog
from anyio import CapacityLimiter, to_thread

from benchd.domain.hook import HookTerms, direction_in, record_of_direction
from benchd.domain.ids import JobId
from benchd.domain.record import Entry, EntryKind, Place, Receipt, StoredEntry
from benchd.ledger.follower import LedgerFeed
from benchd.ledger.held_handsets import Held
from benchd.outbound.hooks.hook_delivery import (
    LONGEST_PAUSE_S,
    PAUSES,
    Sender,
    Taken,
    is_for_good,
)
from benchd.outbound.hooks.hook_directions import (
    JobNow,
    direction_of,
    job_now,
    read_reply,
)
from benchd.outbound.hooks.hook_events import (
    KIND_OF,
    HookEvent,
    Source,
    event_of,
    job_of,
    lane_of,
)
from benchd.outbound.hooks.hook_store import HookStore, Waiting
from benchd.outbound.http_post import Failure
from benchd.proof.ports import CertificateIssuer

PIECE_RECORDS: Final = 200
MOST_WAITING: Final = 200
"""Untried events that are taken out of the ledger; all others stay in it until there is room."""
MOST_KEPT: Final = 2000
"""The same with those that were tried and refused: as many hold nobody else up."""
BEHIND_S: Final = 3600.0
"""From when on people are told that a hook is behind."""
LOOK_EVERY_S: Final = 30.0
"""At least: another process may have asked for a replay, and clocks are set."""
UNKNOWN_WHY: Final = "not_on_record"

_log = structlog.get_logger()
_Result = TypeVar("_Result")


class OutboxSink(Protocol):
    """Who hears how a hook fares; each call is quick and never raises."""

    def took(self, hook: str) -> None:
        """An event was taken."""
        ...

    def failed(self, hook: str) -> None:
        """A try has failed."""
        ...

    def stands(self, hook: str, *, waiting: int, dead: int, behind: bool) -> None:
        """So many events are to be sent, one of them for long; so many were given up."""
        ...

    def faulty(self, hook: str, *, is_so: bool) -> None:
        """It can't go on for now: its file, or the ledger, can't be used again and again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxParts:
    """What all hooks of a rack share."""

    feed: LedgerFeed
    record: Callable[[Entry], Awaitable[Receipt]]
    """Keeps an entry; the ledger as everybody else uses it, `held` among its subscribers."""
    held: Held
    store: HookStore
    source: Source
    issuer: CertificateIssuer
    wall_clock: Callable[[], datetime]
    chance: Callable[[], float]
    """From 0 to 1."""
    sink: OutboxSink

    @property
    def thread(self) -> CapacityLimiter:
        """Where all that blocks is done, one after the other."""
        return self.feed.thread


class Outbox:
    """One hook; `step` again and again. Raises LedgerFault and HooksUnavailable."""

    def __init__(self, terms: HookTerms, sender: Sender, parts: OutboxParts) -> None:
        self._terms = terms
        self._sender = sender
        self._parts = parts
        self._known: Place | None = None

    async def step(self) -> float:
        """Take over what is new and send what is due; how long nothing more is to be done."""
        more = await self._take_over()
        sent = await self._send_next()
        await self._tell()
        if more or sent:
            return 0.0
        following = await self._stored(partial(self._parts.store.next, self._terms.name))
        if following is None:
            return LOOK_EVERY_S
        return min(max(following.due - self._now(), 0.0), LOOK_EVERY_S)

    async def _place(self) -> Place:
        """Up to where it has come; it begins anew where that can't be so in this ledger."""
        name = self._terms.name
        place = await self._stored(partial(self._parts.store.place, name))
        if place is None or (place != self._known and not await self._can_be(place)):
            begun = await self._begun() or await self._record_begin()
            place = Place(sequence=begun.sequence, hash=begun.hash_hex)
            await self._stored(partial(self._parts.store.begin, name, place))
        self._known = place
        return place

    async def _can_be(self, place: Place) -> bool:
        if place.sequence == 0:
            return True
        has = await self._parts.feed.has(place)
        if has is not None:
            return has or not place.hash
        # A person may name a number that the ledger has left out, but none that it hasn't reached.
        return not place.hash and bool(await self._parts.feed.entries_after(place.sequence, 1))

    async def _begun(self) -> StoredEntry | None:
        """The record with which it once began."""
        began = await self._parts.feed.of_kind(EntryKind.HOOK_BEGUN)
        return next((one for one in began if one.entry.data.get("hook") == self._terms.name), None)

    async def _record_begin(self) -> Receipt:
        """Without it, a rack that has lost the hooks' file wouldn't know what it still owes."""
        _log.info("hook_begun", hook=self._terms.name)
        data = {"hook": self._terms.name}
        at = self._parts.wall_clock()
        return await self._parts.record(Entry(kind=EntryKind.HOOK_BEGUN, at=at, data=data))

    async def _take_over(self) -> bool:
        """Whether there is more."""
        name, store, place = self._terms.name, self._parts.store, await self._place()
        if await self._is_full():
            return False
        records = await self._parts.feed.entries_after(place.sequence, PIECE_RECORDS)
        for record in records:
            events = await self._events_in(record)
            if not events and record is not records[-1]:
                continue
            upto = record.place
            if not await self._stored(partial(store.take_over, name, events, upto, after=place)):
                return True
            self._known = place = upto
            if await self._is_full():
                break
        return len(records) == PIECE_RECORDS

    async def _is_full(self) -> bool:
        name, store = self._terms.name, self._parts.store
        return (
            await self._stored(partial(store.untried, name)) >= MOST_WAITING
            or await self._stored(partial(store.waiting, name)) >= MOST_KEPT
        )

    async def _events_in(self, record: StoredEntry) -> list[Waiting]:
        if record.entry.kind is EntryKind.HOOK_ANSWERED:
            told = direction_in(record.entry.data)
            if told is not None:
                keep = partial(self._parts.store.keep_direction, told, record.sequence)
                await self._stored(keep)
            return []
        if KIND_OF.get(record.entry.kind) not in self._terms.events:
            return []
        of_job = await self._of_job(record)
        event = await self._event(record, of_job)
        if event is None or not event.is_for(self._terms):
            return []
        return [Waiting(sequence=record.sequence, lane=lane_of(record, of_job))]

    async def _of_job(self, record: StoredEntry) -> Sequence[StoredEntry]:
        job = job_of(record.entry)
        return () if job is None else await self._parts.feed.entries(job)

    async def _send_next(self) -> bool:
        """Whether something was due."""
        store, name = self._parts.store, self._terms.name
        waiting = await self._stored(partial(store.next, name))
        # A clock that was set back would have it wait for as long again.
        if waiting is None or self._now() < waiting.due <= self._now() + LONGEST_PAUSE_S:
            return False
        record = await self._parts.feed.entry_at(waiting.sequence)
        event = await self._event(record, await self._of_job(record)) if record else None
        if event is None:
            # Taken over from a ledger that isn't this one any more.
            await self._lay_aside(waiting, UNKNOWN_WHY)
            return True
        answer = await self._sender.send(event.id, event.body)
        match answer:
            case Taken(reply):
                await self._heed(event, reply)
                await self._stored(partial(store.done, name, waiting.sequence))
                self._parts.sink.took(name)
            case Failure():
                self._parts.sink.failed(name)
                await self._put_off(waiting, answer)
        return True

    async def _put_off(self, waiting: Waiting, failure: Failure) -> None:
        pause = PAUSES.pause_s(waiting.attempts, self._parts.chance(), failure.retry_after_s)
        if is_for_good(failure) or waiting.waited_s + pause > self._terms.give_up_s:
            await self._lay_aside(waiting, failure.why)
            return
        later = replace(
            waiting,
            attempts=waiting.attempts + 1,
            waited_s=waiting.waited_s + pause,
            due=self._now() + pause,
            why=failure.why,
        )
        if later.attempts == 1:
            _log.warning("hook_failed", hook=self._terms.name, detail=failure.why)
        await self._stored(partial(self._parts.store.put_off, self._terms.name, later))

    async def _lay_aside(self, waiting: Waiting, why: str) -> None:
        _log.error(
            "hook_gave_up",
            hook=self._terms.name,
            sequence=waiting.sequence,
            detail=why,
            cure=f"benchd hooks replay {self._terms.name}",
        )
        lay = partial(self._parts.store.lay_aside, self._terms.name, waiting)
        await self._stored(partial(lay, why=why, at=self._now()))

    async def _heed(self, event: HookEvent, reply: bytes) -> None:
        """Put on record what was asked for, before the event is forgotten."""
        asked = read_reply(reply)
        if asked is None or event.job is None:
            # What was never in the rack can't be held back there, nor put into a bin.
            return
        held = self._parts.held
        async with held.turn:
            if held.has_answered(self._terms.name, event.sequence):
                return
            now = replace(await self._job_now(event.job), holder=held.holder(event.job))
            told = direction_of(asked, now, self._terms, sequence=event.sequence)
            at, data = self._parts.wall_clock(), record_of_direction(told, event.id)
            receipt = await self._parts.record(
                Entry(kind=EntryKind.HOOK_ANSWERED, at=at, data=data)
            )
            # It has heard of the record; the next answer is judged by this, come what may.
            held.take(told)
        await self._stored(partial(self._parts.store.keep_direction, told, receipt.sequence))

    async def _job_now(self, job: JobId) -> JobNow:
        records = await self._parts.feed.entries(job)
        return await to_thread.run_sync(
            partial(job_now, job, records, self._parts.issuer), limiter=self._parts.thread
        )

    async def _event(self, record: StoredEntry, of_job: Sequence[StoredEntry]) -> HookEvent | None:
        make = partial(
            event_of, record, of_job, source=self._parts.source, issuer=self._parts.issuer
        )
        return await to_thread.run_sync(make, limiter=self._parts.thread)

    async def _tell(self) -> None:
        name, store = self._terms.name, self._parts.store
        self._parts.sink.stands(
            name,
            waiting=await self._stored(partial(store.waiting, name)),
            dead=await self._stored(partial(store.dead, name)),
            behind=await self._stored(partial(store.longest_wait_s, name)) > BEHIND_S,
        )

    def _now(self) -> float:
        return self._parts.wall_clock().timestamp()

    async def _stored(self, call: Callable[[], _Result]) -> _Result:
        return await to_thread.run_sync(call, limiter=self._parts.thread)
