"""Sends the ledger's records to the centre, batch after batch, and never in a job's way.

The ledger is the queue. Where to go on is asked of the centre: after a start, and whenever a batch
wasn't taken. So neither a lost answer nor a restored ledger nor an emptied centre needs anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import anyio
import structlog
from anyio import to_thread

from benchd.domain.errors import LedgerFault
from benchd.domain.record import Place
from benchd.ledger.fleet_batch import BATCH_BYTES, MOST_RECORDS, encode_batch
from benchd.ledger.follower import Follower, LedgerFeed
from benchd.ledger.head import EMPTY_HEAD, Head, encode_head
from benchd.ledger.ledger_record import Row, unseal
from benchd.outbound.fleet.ports import Centre, CentreStatus, Checkpoints, Taken
from benchd.outbound.http_post import Backoff, Failure
from benchd.signing.private_key import SigningKey

PAUSES: Final = Backoff(first_s=1.0, longest_s=120.0, longest_asked_s=600.0)
GATHER_S: Final = 1.0
"""Between two batches of a rack that is up to date: records of one moment go together."""
LOOK_EVERY_S: Final = 60.0
STEPS: Final = 64
"""From the newest record back to the first, each twice as far as the one before."""
ABOUT_THE_BATCH: Final = frozenset({400, 404, 413, 422})
"""Answers that time alone doesn't mend."""

_log = structlog.get_logger()


class FleetSink(Protocol):
    """Who hears how it goes; each call is quick and never raises."""

    def acknowledged(self, records: int) -> None:
        """The centre has so many more."""
        ...

    def failed(self) -> None:
        """A try has failed."""
        ...

    def waits_since(self, at: float) -> None:
        """When the oldest record was made that isn't acknowledged, in s since 1970; 0 for none."""
        ...

    def centre_reported(self, *, forks: int, restores: int, knows_more: bool) -> None:
        """How many forks and restores the centre has of this rack, and whether more than it has."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderParts:
    """What a sender works with."""

    feed: LedgerFeed
    head: Callable[[], Head]
    """The last record that the rack has signed for: what comes after it isn't certain yet."""
    key: SigningKey
    checkpoints: Checkpoints
    monotonic: Callable[[], float]
    chance: Callable[[], float]
    """From 0 to 1: spreads racks apart."""
    sink: FleetSink


class RecordSender:
    """Sends to one centre: `run` it, or call `step` again and again."""

    def __init__(self, centre: Centre, parts: SenderParts) -> None:
        self._centre = centre
        self._parts = parts
        self._sent: Head | None = None
        """The centre has all up to here, as far as is known; None until it was asked."""
        self._not_before = 0.0
        self._tries = 0
        self._failing: str | None = None
        self._told: tuple[int, int, bool] = (0, 0, False)

    async def run(self, follower: Follower) -> None:
        """Send until cancelled, woken by a follower of the ledger."""
        await follower.run(self._paced, self._failed, faults=(LedgerFault, OSError))

    async def _paced(self) -> float:
        """A step that is put off sleeps here, where no new record wakes it."""
        await anyio.sleep(max(0.0, self._not_before - self._parts.monotonic()))
        return await self.step()

    async def _failed(self, fault: Exception) -> None:
        _log.warning("fleet_fault", detail=str(fault))

    async def step(self) -> float:
        """Ask where to go on, or send the next batch; seconds with nothing more to do."""
        wait = self._not_before - self._parts.monotonic()
        if wait > 0:
            return wait
        if self._sent is None:
            self._sent = await self._ask()
            return 0.0
        await self._parts.checkpoints.record_due()
        head = self._parts.head()
        if self._sent.sequence >= head.sequence:
            self._parts.sink.waits_since(0)
            return LOOK_EVERY_S
        rows = await self._parts.feed.rows(
            self._sent.sequence, head.sequence, most=MOST_RECORDS, most_bytes=BATCH_BYTES
        )
        self._parts.sink.waits_since(unseal(rows[0]).entry.at.timestamp())
        await self._send(self._sent, rows)
        return 0.0

    async def _ask(self) -> Head | None:
        """The newest record that the centre and this ledger have in common."""
        places = await self._places()
        answer = await self._centre.newest_of(places)
        if isinstance(answer, Failure):
            self._put_off(answer)
            return None
        if answer.newest not in (*places, EMPTY_HEAD):
            self._put_off(Failure(why="unasked_record"))
            return None
        await self._parts.checkpoints.compare(answer.newest)
        self._hear(answer, knows_more=self._told[2])
        return await self._go_on_after(answer.newest)

    async def _go_on_after(self, newest: Head) -> Head:
        """Before the ledger's last record, where the centre has that and hasn't signed for it.

        It may have it without its standby yet, and only answers to a batch wait for that.
        """
        if newest == EMPTY_HEAD or newest.sequence < self._parts.head().sequence:
            return newest
        if newest == await self._parts.checkpoints.acknowledged():
            return newest
        return await self._place_at(newest.sequence - 1)

    async def _place_at(self, number: int) -> Head:
        """The last record up to this number: a restore leaves numbers out."""
        found = await self._parts.feed.select(
            "WHERE sequence <= ? ORDER BY sequence DESC LIMIT 1", number
        )
        if not found:
            return EMPTY_HEAD
        return Head(sequence=found[0].sequence, hash=bytes.fromhex(found[0].hash_hex))

    async def _places(self) -> list[Head]:
        """Records to ask for, the newest first: close together there, ever wider apart before.

        And the last that the centre has acknowledged: what it hasn't before that, it has lost.
        """
        head = self._parts.head()
        places = [head] if head.sequence else []
        for step in range(STEPS):
            number = head.sequence - (1 << step)
            if number <= 0:
                break
            place = await self._place_at(number)
            if place != places[-1]:
                places.append(place)
        acknowledged = await self._parts.checkpoints.acknowledged()
        if acknowledged is not None and acknowledged not in places:
            places.append(acknowledged)
        return places

    async def _send(self, after: Head, rows: list[Row]) -> None:
        end = Head(sequence=rows[-1].sequence, hash=rows[-1].hash)
        batch = await self._threaded(partial(self._encoded, after, rows, end))
        answer = await self._centre.take(batch)
        if isinstance(answer, Taken) and answer.checkpoint.of.rack != self._parts.key.ring.rack:
            answer = Failure(why="checkpoint_of_another_rack")
        if isinstance(answer, Taken) and answer.checkpoint.of.tip.sequence < end.sequence:
            answer = Failure(why="checkpoint_before_its_batch")
        if isinstance(answer, Failure):
            # It may have been taken nevertheless, or the centre was put back: it is asked again.
            self._sent = None
            self._put_off(answer)
            return
        self._sent = await self._common(end, answer.checkpoint.of.tip)
        self._hear(answer, knows_more=self._sent != answer.checkpoint.of.tip)
        self._parts.sink.acknowledged(len(rows))
        self._tries, self._failing = 0, None
        if self._sent.sequence >= self._parts.head().sequence:
            self._parts.sink.waits_since(0)
            self._not_before = self._parts.monotonic() + GATHER_S
        is_ours = self._sent == answer.checkpoint.of.tip
        await self._parts.checkpoints.received(answer, is_ours=is_ours)

    def _encoded(self, after: Head, rows: list[Row], end: Head) -> bytes:
        signed = encode_head(end, self._parts.key)
        return encode_batch(after, [row.body for row in rows], signed)

    async def _common(self, end: Head, tip: Head) -> Head:
        """The tip that the centre has, where this ledger has it as well; else the batch's end."""
        if tip == end:
            return end
        place = Place(sequence=tip.sequence, hash=tip.hash.hex())
        return tip if await self._parts.feed.has(place) else end

    def _hear(self, told: CentreStatus, *, knows_more: bool) -> None:
        """Somebody has to look: two ledgers go by this rack's key, or an older one lies here."""
        now = (told.forks, told.restores, knows_more)
        self._parts.sink.centre_reported(
            forks=told.forks, restores=told.restores, knows_more=knows_more
        )
        if (told.forks > self._told[0]) or (knows_more and not self._told[2]):
            _log.error("fleet_forked", count=told.forks, knows_more=knows_more)
        self._told = now

    def _put_off(self, failure: Failure) -> None:
        """Ever longer; a batch that was refused won't be taken soon."""
        self._parts.sink.failed()
        if failure.why != self._failing:
            self._failing = failure.why
            if failure.status in ABOUT_THE_BATCH:
                _log.error("fleet_refused", detail=failure.why)
            else:
                _log.warning("fleet_unreachable", detail=failure.why)
        pause = PAUSES.pause_s(self._tries, self._parts.chance(), failure.retry_after_s)
        self._not_before = self._parts.monotonic() + pause
        self._tries += 1

    async def _threaded(self, call: Callable[[], bytes]) -> bytes:
        return await to_thread.run_sync(call, limiter=self._parts.feed.thread)
