"""The traces' way out of the ledger, one job after the other, and never in a job's way.

The ledger is the queue: beside it stands only up to which record it has been told of. A trace is
forgotten after the collector has it, so it may be sent twice, as the same spans, and none is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, TypeVar

import structlog
from anyio import CapacityLimiter, to_thread

from benchd.domain.errors import CertificateGap, LedgerFault
from benchd.domain.record import EntryKind, Place, StoredEntry
from benchd.ledger.follower import Follower, LedgerFeed
from benchd.outbound.http_post import Backoff, Failure
from benchd.outbound.traces.export_position import PlaceFile
from benchd.outbound.traces.otlp import Source, encode
from benchd.outbound.traces.trace_delivery import (
    ABOUT_THE_TRACE,
    PERHAPS_THE_TRACE,
    Sender,
    Taken,
)
from benchd.outbound.traces.trace_from_records import trace_of
from benchd.proof.ports import CertificateIssuer

PIECE_RECORDS: Final = 200
KEPT_EVERY: Final = 5000
"""Records without a job's end between two notes of the place: reading them again costs little."""
LONGEST_PAUSE_S: Final = 300.0
LONGEST_ASKED_PAUSE_S: Final = 3600.0
PAUSES: Final = Backoff(
    first_s=2.0, longest_s=LONGEST_PAUSE_S, longest_asked_s=LONGEST_ASKED_PAUSE_S
)
MOST_STUMBLES: Final = 20
"""Answers of the kind that may be about this trace, before the next one gets its turn."""
LOOK_EVERY_S: Final = 60.0

_log = structlog.get_logger()
_Result = TypeVar("_Result")


class TraceSink(Protocol):
    """Who hears how it goes; each call is quick and never raises."""

    def exported(self) -> None:
        """A trace was taken."""
        ...

    def failed(self) -> None:
        """A try has failed."""
        ...

    def gave_up(self) -> None:
        """A trace, or a part of it, that no collector will have."""
        ...

    def waits_since(self, ended: float) -> None:
        """When the job ended whose trace is due, in seconds since 1970; 0 while none is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportParts:
    """What an export works with."""

    feed: LedgerFeed
    keeper: PlaceFile
    issuer: CertificateIssuer
    source: Source
    monotonic: Callable[[], float]
    chance: Callable[[], float]
    """From 0 to 1: spreads racks apart."""
    sink: TraceSink

    @property
    def thread(self) -> CapacityLimiter:
        """Where all that blocks is done, one after the other."""
        return self.feed.thread


class TraceExport:
    """Sends each ended job's trace: `run` it, or call `step` again and again."""

    def __init__(self, sender: Sender, parts: ExportParts) -> None:
        self._sender = sender
        self._parts = parts
        self._place: Place | None = None
        self._kept = Place()
        self._due: StoredEntry | None = None
        """The end of the job whose trace is to be sent."""
        self._not_before = 0.0
        self._tries = 0
        self._stumbles = 0

    async def run(self, follower: Follower) -> None:
        """Send until cancelled, woken by a follower of the ledger that is to hear of jobs' ends."""
        await follower.run(self.step, self._failed, faults=(LedgerFault, OSError))

    async def _failed(self, fault: Exception) -> None:
        _log.warning("traces_fault", detail=str(fault))

    async def step(self) -> float:
        """Send the next trace, or look for it; for how long there is nothing more to do, in s."""
        if self._place is None:
            self._place = await self._begin()
        if self._due is None:
            more = await self._look(self._place)
            if self._due is None:
                self._parts.sink.waits_since(0)
                return 0.0 if more else LOOK_EVERY_S
            self._parts.sink.waits_since(self._due.entry.at.timestamp())
        wait = self._not_before - self._parts.monotonic()
        if wait > 0:
            return wait
        await self._send(self._due)
        return 0.0

    async def _begin(self) -> Place:
        """Where it was; the end of the ledger where it never began, or where that can't be."""
        place, newest = (
            await self._threaded(self._parts.keeper.read),
            await self._parts.feed.newest(),
        )
        end = Place() if newest is None else newest.place
        if place is not None and place.sequence <= end.sequence:
            has = await self._parts.feed.has(place)
            # A number that a restore has left out is still before all that came after.
            if has or has is None:
                self._kept = place
                return place
        _log.info("traces_begun", sequence=end.sequence)
        await self._keep(end)
        return end

    async def _look(self, place: Place) -> bool:
        """Read on to the next end of a job; whether there is more to read."""
        records = await self._parts.feed.entries_after(place.sequence, PIECE_RECORDS)
        for record in records:
            if record.entry.kind is EntryKind.JOB_ENDED and record.entry.job is not None:
                self._due = record
                return True
            self._place = record.place
        if records and records[-1].sequence - self._kept.sequence >= KEPT_EVERY:
            await self._keep(records[-1].place)
        return len(records) == PIECE_RECORDS

    async def _send(self, due: StoredEntry) -> None:
        body = await self._body(due)
        answer = await self._sender.send(body) if body is not None else None
        match answer:
            case None:
                self._give_up(due, "unreadable")
            case Taken(rejected):
                self._parts.sink.exported()
                if rejected:
                    self._give_up(due, "rejected_in_part")
            case Failure():
                self._parts.sink.failed()
                if not self._is_spoilt(answer):
                    self._put_off(answer)
                    return
                self._give_up(due, answer.why)
        self._due, self._tries, self._stumbles, self._not_before = None, 0, 0, 0.0
        self._place = due.place
        await self._keep(self._place)

    async def _body(self, due: StoredEntry) -> bytes | None:
        """None for records that no trace can be made of."""
        job = due.entry.job
        records: Sequence[StoredEntry] = ()
        if job is not None:
            records = await self._parts.feed.entries(job)
        return await self._threaded(partial(self._encoded, records))

    def _encoded(self, records: Sequence[StoredEntry]) -> bytes | None:
        return encoded(records, self._parts.issuer, self._parts.source)

    def _is_spoilt(self, failure: Failure) -> bool:
        self._stumbles += failure.status in PERHAPS_THE_TRACE
        return failure.status in ABOUT_THE_TRACE or self._stumbles >= MOST_STUMBLES

    def _put_off(self, failure: Failure) -> None:
        pause = PAUSES.pause_s(self._tries, self._parts.chance(), failure.retry_after_s)
        self._not_before = self._parts.monotonic() + pause
        self._tries += 1
        if self._tries == 1:
            _log.warning("trace_failed", detail=failure.why)

    def _give_up(self, due: StoredEntry, why: str) -> None:
        self._parts.sink.gave_up()
        _log.warning("trace_given_up", job=due.entry.job, detail=why)

    async def _keep(self, place: Place) -> None:
        """A place that can't be kept costs repetition, and nobody is kept waiting for it."""
        self._kept = place
        try:
            await self._threaded(partial(self._parts.keeper.keep, place))
        except OSError as error:
            _log.warning("traces_place_not_kept", detail=error.strerror)

    async def _threaded(self, call: Callable[[], _Result]) -> _Result:
        return await to_thread.run_sync(call, limiter=self._parts.thread)


def encoded(
    records: Sequence[StoredEntry], issuer: CertificateIssuer, source: Source
) -> bytes | None:
    """The request that tells of a job; None while it runs, or where its records can't be read."""
    try:
        trace = trace_of(records, issuer)
        return None if trace is None else encode(trace, source)
    except (CertificateGap, ValueError, OverflowError):
        return None
