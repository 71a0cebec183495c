"""Mishaps by seed between real ledgers and a real database; the referee shares no code with it."""

from __future__ import annotations

import gzip
import random
import shutil
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchd.certificate import create_key
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import open_ledger
from benchd.ledger.follower import open_feed
from benchd.ledger.head import Head
from benchd.ledger.head_file import head_path
from benchd.ledger.ledger_access import SqliteLedger
from benchd.outbound.fleet.centre_client import CentreTarget, HttpCentre
from benchd.outbound.fleet.checkpoint_keeper import CheckpointKeeper, KeeperParts
from benchd.outbound.fleet.ports import Centre, Had, Taken
from benchd.outbound.fleet.record_sender import LOOK_EVERY_S, RecordSender, SenderParts
from benchd.outbound.posting import Failure
from benchd.signing.key_ring import KeyRing
from benchd.signing.private_key import SigningKey
from tests.fleet.centre_rig import centre
from tests.fleet.referee import Referee, ledger_of
from tests.fleet.served_centre import served

pytestmark = pytest.mark.asyncio
LOST = Failure(why="timeout")
STEPS = 30


@dataclass
class Heard:
    """What a rack's own metrics say."""

    records: int = 0
    failures: int = 0
    since: float = 0
    forks: int = 0
    restores: int = 0
    knows_more: bool = False

    def acknowledged(self, records: int) -> None:
        self.records += records

    def failed(self) -> None:
        self.failures += 1

    def waits_since(self, at: float) -> None:
        self.since = at

    def told(self, *, forks: int, restores: int, knows_more: bool) -> None:
        self.forks, self.restores, self.knows_more = forks, restores, knows_more


@dataclass
class Mishaps:
    """A centre behind a line that loses, repeats, holds back, cuts and changes what is sent."""

    inner: Centre
    drawn: random.Random
    referee: Referee
    conninfo: str
    key: Ed25519PublicKey
    quiet: bool = False
    held_back: list[bytes] = field(default_factory=list)
    happened: set[str] = field(default_factory=set)

    async def newest_of(self, places: list[Head]) -> Had | Failure:
        if not self.quiet and self.drawn.random() < 0.2:
            self.happened.add("lost question")
            return LOST
        return await self.inner.newest_of(places)

    async def take(self, batch: bytes) -> Taken | Failure:
        what = "nothing" if self.quiet else self.drawn.choice(KINDS)
        self.happened.add(what)
        if what in SPOILT:
            return await self._spoil(what, batch)
        match what:
            case "duplicate":
                await self.inner.take(batch)
            case "late batches":
                self.drawn.shuffle(self.held_back)
                while self.held_back:
                    await self.inner.take(self.held_back.pop())
            case "database restarted":
                with psycopg.connect(self.conninfo, autocommit=True) as admin:
                    admin.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
            case _:
                pass
        taken = await self.inner.take(batch)
        if isinstance(taken, Taken):
            tip = taken.checkpoint.of.tip
            self.referee.acknowledged.add((tip.sequence, tip.hash))
        return taken

    async def _spoil(self, what: str, batch: bytes) -> Failure:
        """The rack hears nothing of it; a batch that isn't whole and signed never counts."""
        match what:
            case "lost acknowledgement":
                await self.inner.take(batch)
            case "held back":
                self.held_back.append(batch)
            case "cut":
                told = await self.inner.take(batch[: self.drawn.randrange(len(batch))])
                assert told in REFUSED
            case "forged":
                assert await self.inner.take(forged(batch, self.drawn)) in REFUSED
            case _:
                pass
        return LOST


SPOILT = ("lost batch", "lost acknowledgement", "held back", "cut", "forged")
KINDS = ("nothing", "nothing", *SPOILT, "duplicate", "late batches", "database restarted")
REFUSED = (Failure(why="http_422", status=422), Failure(why="http_503", status=503))
"""The latter where the database has just been restarted: not even looked at."""


def forged(batch: bytes, drawn: random.Random) -> bytes:
    """One record says something else; nobody has signed that."""
    first, *bodies = gzip.decompress(batch).split(b"\n")
    place = drawn.randrange(len(bodies))
    bodies[place] = bodies[place].replace(b'"slot":null', b'"slot":"Z9"')
    return gzip.compress(b"\n".join([first, *bodies]))


@dataclass
class Rack:
    """One ledger with its sender, and time that only the test lets pass."""

    path: Path
    ledger: SqliteLedger
    sender: RecordSender
    heard: Heard
    at: list[float]

    async def write(self, told: str) -> None:
        entry = Entry(
            kind=EntryKind.CONFIG_CHANGED,
            at=datetime(2026, 11, 24, 9, tzinfo=UTC),
            data={"told": told},
        )
        await self.ledger.append(entry)

    async def recorded(self, kind: EntryKind) -> int:
        return len(await self.ledger.select("WHERE kind = ?", kind.value))

    async def step(self) -> float:
        rest_s = await self.sender.step()
        self.at[0] += rest_s
        return rest_s

    async def until_quiet(self) -> None:
        for _ in range(500):
            if await self.step() == LOOK_EVERY_S and self.heard.since == 0:
                return
        raise AssertionError("it doesn't come to an end")


@asynccontextmanager
async def rack(path: Path, key: SigningKey, line: Mishaps) -> AsyncGenerator[Rack]:
    at, heard = [0.0], Heard()
    async with open_ledger(path, head_key=key) as ledger, open_feed(path) as feed:
        keeper = KeeperParts(
            feed=feed,
            file=path.with_suffix(".checkpoint"),
            record=ledger.append,
            now=lambda: datetime(2026, 11, 24, 9, tzinfo=UTC) + timedelta(seconds=at[0]),
            monotonic=lambda: at[0],
            centre=line.key,
            rack=key.ring.rack,
        )
        parts = SenderParts(
            feed=feed,
            head=lambda: ledger.head,
            key=key,
            checkpoints=CheckpointKeeper(keeper),
            monotonic=lambda: at[0],
            chance=lambda: 0.5,
            sink=heard,
        )
        yield Rack(path, ledger, RecordSender(line, parts), heard, at)


def copied(path: Path, to: Path) -> Path:
    """The files of a closed ledger."""
    to.mkdir()
    for file in (path, head_path(path)):
        shutil.copy(file, to / file.name)
    return to / path.name


async def run(rack: Rack, drawn: random.Random, told: str, steps: int = STEPS) -> None:
    for number in range(steps):
        for _ in range(drawn.choice((0, 1, 1, 3))):
            await rack.write(f"{told} {number}")
        await rack.step()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(6))
async def test_the_centre_has_the_union_and_every_fork_is_told(
    seed: int, conninfo: str, tmp_path: Path
) -> None:
    drawn = random.Random(seed)
    key = create_key(tmp_path / "key.pem")
    referee = Referee(conninfo, key.key_id)
    first = tmp_path / "ledger.sqlite"
    async with centre(conninfo) as here, served(here.app) as url, AsyncExitStack() as stack:
        await here.racks.join("rack", KeyRing.of(key.public))
        target = CentreTarget(
            url=url, key=here.key.public, client=None, authority=None, timeout_s=20
        )
        inner = HttpCentre(target, key.key_id)
        stack.push_async_callback(inner.aclose)
        line = Mishaps(inner, drawn, referee, conninfo, here.key.public)

        async with rack(first, key, line) as one:
            await run(one, drawn, "before the backup", drawn.randrange(2, STEPS))
        backup = copied(first, tmp_path / "backup")
        async with rack(first, key, line) as one:
            await run(one, drawn, "after the backup")
        abandoned = ledger_of(first)
        referee.written |= set(abandoned)
        clone = copied(first, tmp_path / "clone")

        restored = copied(backup, tmp_path / "restored")
        async with rack(restored, key, line) as old, rack(clone, key, line) as copy:
            for turn in range(3):
                await run(old, drawn, f"restored {turn}", 10)
                await run(copy, drawn, f"clone {turn}", 10)
            async with rack(first, key, line) as one:
                await run(one, drawn, "original", 10)
                line.quiet = True
                for each in (old, copy, one):
                    await each.until_quiet()
                kinds = referee.judge([restored, clone, first])
                assert kinds["fork"] == 2
                for late in line.held_back:
                    await inner.take(late)
                assert referee.judge([restored, clone, first]) == kinds
                # Who has gone on beside another hears of it with the next record.
                for each in (old, copy, one):
                    await each.write("one more")
                    await each.until_quiet()
                assert referee.judge([restored, clone, first]) == kinds
                assert old.heard.forks == copy.heard.forks == one.heard.forks == 2
                # It had all that it has signed for whenever it was asked.
                for each in (old, copy, one):
                    assert await each.recorded(EntryKind.CENTRE_LACKED) == 0
                    assert await each.recorded(EntryKind.CHECKPOINT_RECEIVED) >= 1
    assert referee.acknowledged
    assert len(line.happened) > 6
