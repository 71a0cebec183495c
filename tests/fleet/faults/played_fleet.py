"""A centre and racks that are played with: started, killed, mended, and judged after each fault."""

from __future__ import annotations

import random
import subprocess
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import anyio
import httpx2

from benchd.certificate import create_key
from benchd.fleet.fleet_database import open_database
from benchd.fleet.joined_racks import JoinedRacks
from benchd.signing.private_key import SigningKey
from tests.fleet.faults.handset_referee import HandsetReferee
from tests.fleet.faults.handset_referee import Line as JudgedLine
from tests.fleet.faults.line import Line, carried
from tests.fleet.faults.noted import Noted
from tests.fleet.faults.rack import ENVIRONMENT, Rack, RackEnded
from tests.fleet.faults.schedule import Fault
from tests.fleet.faults.small_disk import SmallDisk
from tests.fleet.high_availability import until
from tests.fleet.referee import Referee, ledger_of
from tests.free_port import free_port
from tests.imeis import imei

RACKS = 3
HANDSETS = 4
DRAINS = 20


@dataclass
class Played:
    """What came of a seed."""

    seed: int
    faults: Sequence[str]
    on_the_line: Counter[Fault] = field(default_factory=Counter)
    acknowledged: int = 0
    answers: int = 0
    certified: int = 0
    held: int = 0

    def __str__(self) -> str:
        noise = ", ".join(f"{fault} {number}" for fault, number in sorted(self.on_the_line.items()))
        return (
            f"seed {self.seed}: {'; '.join(self.faults)} | requests: {noise or 'as sent'}"
            f" | {self.acknowledged} acknowledgements, {self.answers} answers,"
            f" {self.certified} certified, {self.held} held"
        )


@dataclass
class Fleet(ABC):
    """Everything that one seed plays with; what the machines are is another's to say."""

    database: str
    """A name that no other seed of this run has."""
    folder: Path
    stack: AsyncExitStack
    drawn: random.Random
    key: SigningKey = field(init=False)
    noted: Noted = field(init=False)
    host: str = "127.0.0.1"
    entered: Sequence[str] = ()
    """What the centre's command begins with, where it is on a machine of its own."""
    noisy: bool = True
    """Whether lines go on spoiling batches between faults."""
    port: int = field(default_factory=free_port)
    racks: list[Rack] = field(default_factory=list)
    referees: dict[str, Referee] = field(default_factory=dict)
    abandoned: list[JudgedLine] = field(default_factory=list)
    keys: list[SigningKey] = field(default_factory=list)
    numbers: count[int] = field(default_factory=lambda: count(1))
    centre: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.key = create_key(self.folder / "centre.pem")
        self.noted = Noted(self.key.public)
        (self.folder / "centre.pub").write_bytes(self.key.public_key_pem)
        (self.folder / "clock").write_text("0")
        self.stack.callback(self.kill_centre)

    @property
    @abstractmethod
    def address(self) -> str:
        """Of the database, for the centre."""

    @property
    @abstractmethod
    def reading(self) -> str:
        """Of the database, for the referees."""

    @abstractmethod
    async def make_whole(self) -> None:
        """Mend all machines that the centre stands on."""

    @abstractmethod
    async def strike(self, fault: str) -> None:
        """Do it, and see to it that it has happened."""

    async def join(self, first_disk: SmallDisk | None = None) -> None:
        """Tables are made, racks join, and everything starts."""
        async with open_database(self.address) as opened:
            for number in range(1, RACKS + 1):
                made = create_key(self.folder / f"{number}.pem")
                (self.folder / f"{number}.pem").rename(self.folder / f"{made.key_id}.pem")
                await JoinedRacks(opened).join(f"rack {number}", made.ring)
                self.keys.append(made)
                self.referees[made.key_id] = Referee(self.reading, made.key_id)
        await self.start_centre()
        for number, key in enumerate(self.keys, 1):
            rack = await self.add(f"rack {number}", key, first_disk if number == 1 else None)
            await rack.start()

    async def play(self, played: Played) -> None:
        """All of a seed; AssertionError where a referee finds something."""
        await self.work()
        await self.settle()
        for fault in played.faults:
            await self.strike(fault)
            await self.settle()
        for rack in self.racks:
            played.on_the_line += rack.line.happened
        jobs = [
            job
            for rack in self.racks
            for job in JudgedLine(
                rack.key_id, ledger_of(rack.copied(self.folder / f"read {rack.name}"))
            ).jobs.values()
        ]
        played.acknowledged = len(self.noted.acknowledged)
        played.answers = len(self.noted.answers)
        played.certified = sum(job.certified for job in jobs)
        played.held = sum(job.held for job in jobs)

    # The centre.

    async def start_centre(self) -> None:
        with (self.folder / "centre.log").open("ab") as log:
            self.centre = subprocess.Popen(
                [
                    *self.entered,
                    *("setpriv", "--pdeathsig", "KILL", sys.executable),
                    *("-m", "tests.fleet.faults.centre_program", self.address),
                    *(self.folder / "centre.pem", self.host, str(self.port)),
                    self.folder / "clock",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=ENVIRONMENT,
            )
        health = f"http://{self.host}:{self.port}/healthz"
        await until("the centre answers", lambda: httpx2.get(health).is_success)

    def kill_centre(self) -> None:
        if self.centre is not None:
            self.centre.kill()
            self.centre.wait()
            self.centre = None

    # The racks.

    async def add(self, name: str, key: SigningKey, disk: SmallDisk | None = None) -> Rack:
        """A rack whose line and process are there to the seed's end."""
        drawn = random.Random(self.drawn.random())
        line = Line((self.host, self.port), self.noted, random.Random(drawn.random()))
        line.quiet = not self.noisy
        url = await self.stack.enter_async_context(carried(line))
        place = (disk.folder if disk else self.folder) / f"{self.database} {name}"
        place.mkdir()
        words = [str(self.folder / f"{key.key_id}.pem"), str(self.folder / "centre.pub"), url, name]
        rack = Rack(name, key.key_id, place, words, line, drawn, disk)
        self.racks.append(rack)
        self.stack.push_async_callback(rack.kill)
        return rack

    async def work(self, *of: Rack, big: bool = False) -> None:
        """All of them at once, each as it draws; who is killed over it has done with it."""
        async with anyio.create_task_group() as group:
            for rack in of or self.racks:
                group.start_soon(self._work, rack, big)

    async def _work(self, rack: Rack, big: bool) -> None:
        drawn = rack.drawn
        with suppress(RackEnded):
            told = f"{drawn.getrandbits(6000):x}" if big else f"{drawn.getrandbits(32):x}"
            await rack.ask("write", told, 20 if big else drawn.choice((1, 1, 3)))
            await rack.ask("send", drawn.choice((2, 3)))
            handset = imei(drawn.randrange(HANDSETS))
            match drawn.choice(("begin", "begin", "finish", "finish", "crush", "nothing")):
                case "begin":
                    await rack.begin(next(self.numbers), handset)
                case "finish":
                    await rack.finish()
                case "crush" if drawn.random() < 0.3:
                    await rack.ask("crush", next(self.numbers), handset)
                case _:
                    pass
            await rack.ask("send", drawn.choice((0, 1, 2)))

    async def work_and(self, strike: Callable[[], Awaitable[None]], *racks: Rack) -> None:
        """Racks work; once a batch of these is on its way, or the work is done, it strikes."""
        first = anyio.Event()
        for rack in racks:
            rack.line.forwarded = first
        async with anyio.create_task_group() as group:

            async def when_sent() -> None:
                await first.wait()
                await strike()

            group.start_soon(when_sent)
            await self.work()
            first.set()

    async def drained(self, rack: Rack) -> None:
        for _ in range(DRAINS):
            if await rack.ask("send", 50):
                return
        raise AssertionError(f"{rack.name} doesn't come to an end")

    # Mending and judging.

    async def mend(self) -> None:
        """Whatever was broken is whole, and no request is lost any more."""
        for rack in self.racks:
            rack.line.planned, rack.line.quiet = None, True
        await self.make_whole()
        if self.centre is None:
            await self.start_centre()
        for rack in self.racks:
            if rack.process is None:
                await rack.start()

    async def settle(self) -> None:
        """All is sent, also what comes late; the referees judge."""
        await self.mend()
        for rack in self.racks:
            await rack.line.late()
        async with anyio.create_task_group() as group:
            for rack in self.racks:
                group.start_soon(self.drained, rack)
        self._all_is_acknowledged()
        # Who goes on beside another hears of it with the next record but one.
        for _ in range(2):
            for rack in self.racks:
                await rack.ask("write", "one more", 1)
                await self.drained(rack)
        await self.judge()
        for rack in self.racks:
            rack.line.quiet = not self.noisy

    def _all_is_acknowledged(self) -> None:
        """To a rack that says that it has nothing to send: the centre may have it by itself."""
        told = {(tip[0], tip[2]) for _, tip in self.noted.acknowledged}
        for rack in self.racks:
            written = ledger_of(rack.copied(self.folder / f"read {rack.name}"))
            assert any((rack.key_id, hash_) in told for _, hash_, _ in written[-1:]), (
                f"{rack.name} has nothing to send, and its last record isn't acknowledged"
            )

    async def judge(self) -> None:
        files = {id(rack): rack.copied(self.folder / f"read {rack.name}") for rack in self.racks}
        handsets = HandsetReferee(self.noted, list(self.abandoned))
        for key_id, referee in self.referees.items():
            living = [rack for rack in self.racks if rack.key_id == key_id]
            referee.acknowledged = {
                (tip[1], tip[2]) for _, tip in self.noted.acknowledged if tip[0] == key_id
            }
            paths = [files[id(rack)] for rack in living]
            kinds = referee.judge(paths)
            referee.none_has_stopped(paths)
            for rack in living:
                told = await rack.ask("told")
                assert told == [kinds["fork"], kinds["restored"]], f"{rack.name} wasn't told"
            handsets.ledgers += [JudgedLine(key_id, ledger_of(path)) for path in paths]
        handsets.judge()

    # Faults that any machines can have.

    async def _centre_killed(self, _: Rack) -> None:
        async def kill() -> None:
            self.kill_centre()

        await self.work_and(kill, *self.racks)
        await self.nothing_is_acknowledged()

    async def _rack_killed(self, rack: Rack) -> None:
        await self.work_and(rack.kill, rack)
        await self.work()

    async def nothing_is_acknowledged(self) -> None:
        """Of what is written from now on."""
        before = {rack.name: self._places(rack) for rack in self.racks}
        async with anyio.create_task_group() as group:
            for rack in self.racks:
                group.start_soon(self._writes, rack)
        new = set[bytes]().union(*(self._places(rack) - before[rack.name] for rack in self.racks))
        assert new, "no rack has gone on"
        told = {tip[2] for _, tip in self.noted.acknowledged}
        assert new.isdisjoint(told), "acknowledged by one database alone"

    async def _writes(self, rack: Rack) -> None:
        await rack.ask("write", "nobody hears of it yet", 1)
        await rack.ask("send", 2)
        await rack.begin(next(self.numbers), imei(rack.drawn.randrange(HANDSETS)))

    def _places(self, rack: Rack) -> set[bytes]:
        copy = rack.copied(self.folder / f"read {rack.name}")
        return {hash_ for _, hash_, _ in ledger_of(copy)}
