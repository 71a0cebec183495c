"""A ledger that grows, a receiver that can't be trusted, a clock that only the test moves."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter

from benchd.certificate import create_key
from benchd.domain.hook import Direction, HookEventKind, HookTerms
from benchd.domain.ids import Evidence, JobId, SlotName
from benchd.domain.job import Disposition
from benchd.domain.record import Entry, EntryKind, Place, Receipt, StoredEntry
from benchd.ledger import open_ledger
from benchd.ledger.follower import LedgerFeed
from benchd.ledger.held_handsets import Held
from benchd.ledger.ledger_access import SqliteLedger
from benchd.ledger.reader import LedgerReader
from benchd.outbound.hooks.hook_delivery import Taken
from benchd.outbound.hooks.hook_events import Source
from benchd.outbound.hooks.hook_store import HookStore, Waiting
from benchd.outbound.hooks.outbox import Outbox, OutboxParts
from benchd.outbound.http_post import Failure

START = datetime(2026, 11, 26, 1, 0, tzinfo=UTC)
SOURCE = Source(site="東京", ledger="ab" * 32)
OURS = '{"payload":"signed by this rack"}'
WEEK_S = 7 * 86_400.0

TERMS = HookTerms(
    name="stock",
    events=frozenset(HookEventKind),
    bins={
        Disposition.SELLABLE: {"S1", "S2"},
        Disposition.HOLD: {"H1"},
        Disposition.DESTROY: {"D1"},
    },
    give_up_s=2 * WEEK_S,
)


class FakeIssuer:
    """Vouches for one certificate."""

    def vouches(self, job: JobId, envelope: bytes, records: Sequence[StoredEntry]) -> bool:
        return envelope == OURS.encode()


@dataclass
class Clock:
    """Moves only when a test moves it."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds + (0.001 if seconds else 0))


@dataclass
class Sink:
    """Counts what it hears."""

    taken: int = 0
    failures: int = 0
    waiting: int = 0
    dead: int = 0
    behind: bool = False

    def took(self, hook: str) -> None:
        self.taken += 1

    def failed(self, hook: str) -> None:
        self.failures += 1

    def stands(self, hook: str, *, waiting: int, dead: int, behind: bool) -> None:
        self.waiting, self.dead, self.behind = waiting, dead, behind

    def faulty(self, hook: str, *, is_so: bool) -> None:
        pass


class Killed(BaseException):
    """The process is gone at this very moment."""


@dataclass
class Blows:
    """Kills at drawn moments."""

    draw: random.Random
    chance: float = 0.0
    count: int = 0

    def fall(self) -> None:
        if self.draw.random() < self.chance:
            self.count += 1
            raise Killed


class MortalStore(HookStore):
    """The real file; the process may end before and after each change of it."""

    def __init__(self, path: Path, blows: Blows) -> None:
        super().__init__(path)
        self.blows = blows

    def take_over(self, hook: str, events: Sequence[Waiting], upto: Place, *, after: Place) -> bool:
        self.blows.fall()
        moved = super().take_over(hook, events, upto, after=after)
        self.blows.fall()
        return moved

    def begin(self, hook: str, at: Place) -> None:
        self.blows.fall()
        super().begin(hook, at)

    def put_off(self, hook: str, later: Waiting) -> None:
        self.blows.fall()
        super().put_off(hook, later)

    def done(self, hook: str, sequence: int) -> None:
        self.blows.fall()
        super().done(hook, sequence)
        self.blows.fall()

    def keep_direction(self, told: Direction, record: int) -> None:
        self.blows.fall()
        super().keep_direction(told, record)


@dataclass
class Received:
    """One event as it has arrived."""

    id: str
    sequence: int
    told: dict[str, Any]
    body: bytes


@dataclass
class Receiver:
    """Fails, hangs, lies and answers twice, by chance; whatever reaches it, it remembers."""

    draw: random.Random
    clock: Clock
    blows: Blows
    trouble: float = 0.0
    away_until: datetime = START
    poison: frozenset[int] = frozenset()
    """Records whose events it answers with 422."""
    failing: frozenset[int] = frozenset()
    """The same with 500."""
    replies: tuple[bytes, ...] = (b"", b"ok")
    got: list[Received] = field(default_factory=list)
    tries: int = 0

    async def send(self, event_id: str, body: bytes) -> Taken | Failure:
        self.tries += 1
        self.blows.fall()
        if self.clock.at < self.away_until:
            return Failure(why="ConnectError")
        told = json.loads(body)
        for those, status in ((self.poison, 422), (self.failing, 500)):
            if int(told["sequence"]) in those:
                return Failure(why=f"http_{status}", status=status)
        fate = self.draw.random()
        if fate < self.trouble / 3:
            return Failure(why="http_500", status=500)
        if fate < self.trouble * 2 / 3:
            self.clock.pass_by(10)
            if self.draw.random() < 0.5:  # it had it all the same
                self._take(event_id, told, body)
            return Failure(why="timeout")
        self._take(event_id, told, body)
        if fate < self.trouble:
            return Failure(why="http_503", status=503, retry_after_s=self.draw.choice([None, 1e6]))
        self.blows.fall()
        return Taken(self.draw.choice(self.replies))

    def _take(self, event_id: str, told: dict[str, Any], body: bytes) -> None:
        self.got.append(Received(id=event_id, sequence=int(told["sequence"]), told=told, body=body))


@dataclass
class Truth:
    """What was appended, written down apart from all code under test."""

    due: dict[int, str] = field(default_factory=dict)
    """The handset of each record that has an event, by its number."""
    hashes: dict[int, str] = field(default_factory=dict)
    jobs: set[str] = field(default_factory=set)


class Shop:
    """Handsets whose jobs go on side by side in one ledger."""

    def __init__(self, ledger: SqliteLedger, draw: random.Random, clock: Clock) -> None:
        self.ledger = ledger
        self.truth = Truth()
        self._draw = draw
        self._clock = clock
        self._running: dict[str, str] = {}
        self._count = 0

    async def append(self, entry: Entry) -> Receipt:
        receipt = await self.ledger.append(entry)
        self.truth.hashes[receipt.sequence] = receipt.hash_hex
        return receipt

    async def tell(self, kind: EntryKind, job: str, handset: str, data: Evidence) -> int:
        entry = Entry(
            kind=kind, at=self._clock.now(), slot=SlotName("A1"), job=JobId(job), data=data
        )
        receipt = await self.append(entry)
        if kind.value in ("job_opened", "question_asked", "job_ended", "handset_settled"):
            self.truth.due[receipt.sequence] = handset
        self.truth.jobs.add(job)
        return receipt.sequence

    async def open(self, handset: str) -> str:
        self._count += 1
        job = f"job-{self._count:04}"
        self._running[handset] = job
        told: Evidence = {"recipe": "overwrite", "usb_serial": handset}
        await self.tell(EntryKind.JOB_OPENED, job, handset, told)
        return job

    async def ask(self, handset: str) -> None:
        told: Evidence = {"gate": "consent", "facts": {}}
        await self.tell(EntryKind.QUESTION_ASKED, self._running[handset], handset, told)

    async def end(self, handset: str, disposition: str, certificate: str | None = None) -> int:
        job = self._running.pop(handset)
        passed = disposition == "sellable"
        told: Evidence = {
            "outcome": "passed" if passed else "failed",
            "disposition": disposition,
            "reason": None if passed else "coverage_too_low",
            "detail": "",
            "certificate": certificate,
        }
        return await self.tell(EntryKind.JOB_ENDED, job, handset, told)

    async def go_on(self) -> None:
        """The next record of some handset."""
        handset = f"USB{self._draw.randrange(5):03}"
        if handset not in self._running:
            await self.open(handset)
        elif self._draw.random() < 0.3:
            await self.ask(handset)
        elif self._draw.random() < 0.3:
            job = self._running[handset]
            await self.append(
                Entry(kind=EntryKind.STAGE_STARTED, at=self._clock.now(), job=JobId(job))
            )
        elif self._draw.random() < 0.5:
            await self.end(handset, "sellable", OURS)
        else:
            await self.end(handset, self._draw.choice(["hold", "destroy", "return"]))


class Rig:
    """Everything around one hook."""

    def __init__(self, folder: Path, ledger: SqliteLedger, seed: int, terms: HookTerms) -> None:
        self.folder, self.ledger, self.terms = folder, ledger, terms
        self.draw, self.clock, self.sink = random.Random(seed), Clock(), Sink()
        self.blows = Blows(self.draw)
        self.shop = Shop(ledger, self.draw, self.clock)
        self.receiver = Receiver(self.draw, self.clock, self.blows)
        self.reader = LedgerReader(folder / "ledger.sqlite")
        self.start()

    def start(self) -> None:
        """Make all but the ledger and the file anew, as a start of the daemon does."""
        self.held, self._recalled = Held(), False
        self.store = MortalStore(self.folder / "hooks.sqlite", self.blows)
        self.parts = OutboxParts(
            feed=LedgerFeed(self.reader, CapacityLimiter(1)),
            record=self._record,
            held=self.held,
            store=self.store,
            source=SOURCE,
            issuer=FakeIssuer(),  # type: ignore[arg-type]
            wall_clock=self.clock.now,
            chance=self.draw.random,
            sink=self.sink,
        )
        self.outbox = Outbox(self.terms, self.receiver, self.parts)

    async def _record(self, entry: Entry) -> Receipt:
        self.blows.fall()
        receipt = await self.shop.append(entry)
        self.blows.fall()
        self.held.stored(entry)
        return receipt

    async def step(self) -> float:
        """One step, or a kill and a new start."""
        if not self._recalled:
            await self.held.recall(self.parts.feed)
            self._recalled = True
        try:
            return await self.outbox.step()
        except Killed:
            self.store.close()
            self.start()
            return 0.0

    async def until_quiet(self) -> None:
        """Until nothing waits, however long that takes on the clock."""
        while True:
            rest_s = await self.step()
            if rest_s and not self.sink.waiting and self.store.next(self.terms.name) is None:
                return
            self.clock.pass_by(rest_s)

    def lose_file(self) -> None:
        """Start anew without what the hooks keep beside the ledger."""
        self.store.close()
        for file in self.folder.glob("hooks.sqlite*"):
            file.unlink()
        self.start()

    async def answers(self) -> list[Entry]:
        """What receivers have answered, as the ledger has it."""
        records = await self.ledger.entries_after(0, 500)
        return [one.entry for one in records if one.entry.kind is EntryKind.HOOK_ANSWERED]

    def told(self) -> set[int]:
        """The records whose events have arrived."""
        return {each.sequence for each in self.receiver.got}

    def by_handset(self) -> dict[str, list[int]]:
        """The records of the events that have arrived, in the order in which they came."""
        came: dict[str, list[int]] = defaultdict(list)
        for each in self.receiver.got:
            came[self.shop.truth.due[each.sequence]].append(each.sequence)
        return came


@asynccontextmanager
async def rig(
    folder: Path, seed: int = 1, terms: HookTerms = TERMS, *, begun: bool = True
) -> AsyncGenerator[Rig]:
    """A real ledger and a real file, and a hook that has begun to hear; time is the test's."""
    key = create_key(folder / "key.pem")
    async with open_ledger(folder / "ledger.sqlite", head_key=key) as ledger:
        made = Rig(folder, ledger, seed, terms)
        try:
            if begun:
                await made.until_quiet()
            yield made
        finally:
            made.store.close()
            made.reader.close()
