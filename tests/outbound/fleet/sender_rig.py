"""A real ledger, a centre that says what the test wants, and a clock that only the test moves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.certificate import create_key
from benchd.domain.record import Entry, EntryKind, Receipt, StoredEntry
from benchd.ledger import open_ledger
from benchd.ledger.fleet_batch import Batch, decode_batch
from benchd.ledger.fleet_checkpoint import Branch, decode_checkpoint, encode_checkpoint
from benchd.ledger.follower import open_feed
from benchd.ledger.head import EMPTY_HEAD, Head
from benchd.ledger.ledger_access import SqliteLedger
from benchd.outbound.fleet.checkpoint_keeper import CheckpointKeeper, KeeperParts
from benchd.outbound.fleet.ports import Had, Taken
from benchd.outbound.fleet.record_sender import LOOK_EVERY_S, RecordSender, SenderParts
from benchd.outbound.http_post import Failure
from benchd.signing.key_ring import KeyRing
from benchd.signing.private_key import SigningKey, load_key

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
CENTRE_KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))


@dataclass
class ToldCentre:
    """Takes what is whole; `answers` come first, whatever was sent."""

    ring: KeyRing
    newest: Head = EMPTY_HEAD
    answers: list[Taken | Had | Failure] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    asked: list[list[Head]] = field(default_factory=list)
    forks: int = 0
    others: int = 0
    """So many lines of other racks."""
    key: SigningKey = CENTRE_KEY

    async def newest_of(self, places: list[Head]) -> Had | Failure:
        self.asked.append(places)
        if self.answers and not isinstance(self.answers[0], Taken):
            answer = self.answers.pop(0)
            assert not isinstance(answer, Taken)
            return answer
        known = [place for place in places if place.sequence <= self.newest.sequence]
        newest = max(known, key=lambda place: place.sequence, default=EMPTY_HEAD)
        return self.had(newest)

    def had(self, newest: Head) -> Had:
        return Had(newest=newest, forks=self.forks, restores=0)

    async def take(self, batch: bytes) -> Taken | Failure:
        self.batches.append(decode_batch(batch, self.ring))
        if self.answers and not isinstance(self.answers[0], Had):
            answer = self.answers.pop(0)
            assert not isinstance(answer, Had)
            return answer
        self.newest = self.batches[-1].header.end
        return self.acknowledging(self.newest)

    def acknowledging(self, tip: Head, rack: str | None = None) -> Taken:
        branch = Branch(rack=rack or self.ring.rack, branch=0, tip=tip)
        strangers = [
            Branch(rack="f" * 60 + f"{number:04}", branch=0, tip=tip)
            for number in range(self.others)
        ]
        signed = encode_checkpoint([branch, *strangers], 0, START, self.key)
        checkpoint = decode_checkpoint(signed, self.key.public)
        return Taken(checkpoint=checkpoint, signed=signed, forks=self.forks, restores=0)


@dataclass
class Sink:
    """Keeps what it hears."""

    records: int = 0
    failures: int = 0
    since: float = -1.0
    said: tuple[int, int, bool] = (0, 0, False)

    def acknowledged(self, records: int) -> None:
        self.records += records

    def failed(self) -> None:
        self.failures += 1

    def waits_since(self, at: float) -> None:
        self.since = at

    def centre_reported(self, *, forks: int, restores: int, knows_more: bool) -> None:
        self.said = (forks, restores, knows_more)


@dataclass
class Rig:
    """Everything around one sender."""

    ledger: SqliteLedger
    centre: ToldCentre
    sink: Sink
    start: Callable[[], RecordSender]
    at: list[float]
    checkpoint_file: Path
    head: list[Head | None]
    """What the sender believes the head to be, in place of the ledger's own."""
    clock: list[datetime]
    """Wall time, beside `at`, by which the rack waits."""

    def __post_init__(self) -> None:
        self.sender = self.start()

    async def write(self, count: int = 1, told: str = "") -> None:
        for _ in range(count):
            entry = Entry(kind=EntryKind.CONFIG_CHANGED, at=START, data={"told": told})
            await self.ledger.append(entry)

    async def on_record(self, kind: EntryKind = EntryKind.CHECKPOINT_RECEIVED) -> list[StoredEntry]:
        return await self.ledger.select("WHERE kind = ? ORDER BY sequence", kind.value)

    def pass_time(self, seconds: float) -> None:
        self.at[0] += seconds
        self.clock[0] += timedelta(seconds=seconds)

    async def until_quiet(self) -> None:
        for _ in range(200):
            rest_s = await self.sender.step()
            if rest_s == LOOK_EVERY_S:
                return
            self.pass_time(rest_s)
        raise AssertionError("it doesn't come to an end")


Record = Callable[[Entry], Awaitable[Receipt]]


async def unrecorded(entry: Entry) -> Receipt:
    """For tests that count records."""
    del entry
    return Receipt(sequence=0, hash_hex="")


@asynccontextmanager
async def rig(
    folder: Path,
    *,
    record: Record | None = unrecorded,
    clock: datetime = START,
    centre_key: SigningKey = CENTRE_KEY,
) -> AsyncGenerator[Rig]:
    """Checkpoints are put on record by `record`: None is the ledger's own way."""
    path, at, times = folder / "ledger.sqlite", [0.0], [clock]
    file = folder / "key.pem"
    key = load_key(file) if file.exists() else create_key(file)
    centre, sink = ToldCentre(key.ring, key=centre_key), Sink()
    head: list[Head | None] = [None]
    async with open_ledger(path, head_key=key) as ledger, open_feed(path) as feed:
        keeper = KeeperParts(
            feed=feed,
            file=folder / "checkpoint",
            record=record or ledger.append,
            now=lambda: times[0],
            monotonic=lambda: at[0],
            centre=centre_key.public,
            rack=key.ring.rack,
        )

        def start() -> RecordSender:
            parts = SenderParts(
                feed=feed,
                head=lambda: head[0] or ledger.head,
                key=key,
                checkpoints=CheckpointKeeper(keeper),
                monotonic=lambda: at[0],
                chance=lambda: 1.0,
                sink=sink,
            )
            return RecordSender(centre, parts)

        yield Rig(ledger, centre, sink, start, at, keeper.file, head, times)
