"""Plays a seed's schedule; after each fault all is mended, sent, and judged."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
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
from tests.fleet.faults.rack import ENVIRONMENT, Rack, RackEnded, moved
from tests.fleet.faults.replicated_postgres import Replicated, replicated_postgres
from tests.fleet.faults.schedule import ON_THE_LINE, Fault, draw
from tests.fleet.faults.small_disk import SmallDisk, small_disk
from tests.fleet.high_availability import until
from tests.fleet.referee import Referee, ledger_of
from tests.free_port import free_port
from tests.imeis import imei

RACKS = 3
HANDSETS = 4
RACK_DISK_MIB = 4
DRAINS = 20
CENTRE_HOURS = (-30, -13, -1, 13, 25)
RACK_DAYS = (-400, -1, 1, 400)


@dataclass(frozen=True)
class Machines:
    """What all seeds of one run share."""

    postgres: Replicated
    disk: SmallDisk


@contextmanager
def machines() -> Generator[Machines]:
    with replicated_postgres() as postgres, small_disk(RACK_DISK_MIB) as disk:
        yield Machines(postgres, disk)


@dataclass
class Played:
    """What came of a seed."""

    seed: int
    faults: list[Fault]
    on_the_line: Counter[Fault] = field(default_factory=Counter)
    acknowledged: int = 0
    answers: int = 0
    certified: int = 0
    held: int = 0

    def __str__(self) -> str:
        noise = ", ".join(f"{fault} {number}" for fault, number in sorted(self.on_the_line.items()))
        return (
            f"seed {self.seed}: {'; '.join(self.faults)} | requests: {noise}"
            f" | {self.acknowledged} acknowledgements, {self.answers} answers,"
            f" {self.certified} certified, {self.held} held"
        )


@dataclass
class Fleet:
    """Everything that one seed plays with."""

    machines: Machines
    database: str
    folder: Path
    key: SigningKey
    noted: Noted
    stack: AsyncExitStack
    drawn: random.Random
    port: int = field(default_factory=free_port)
    racks: list[Rack] = field(default_factory=list)
    referees: dict[str, Referee] = field(default_factory=dict)
    abandoned: list[JudgedLine] = field(default_factory=list)
    keys: list[SigningKey] = field(default_factory=list)
    numbers: count[int] = field(default_factory=lambda: count(1))
    centre: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return self.machines.postgres.address(self.database)

    # The centre.

    async def start_centre(self) -> None:
        with (self.folder / "centre.log").open("ab") as log:
            self.centre = subprocess.Popen(
                [
                    *("setpriv", "--pdeathsig", "KILL", sys.executable),
                    *("-m", "tests.fleet.faults.centre_program", self.address),
                    *(self.folder / "centre.pem", str(self.port), self.folder / "clock"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=ENVIRONMENT,
            )
        health = f"http://127.0.0.1:{self.port}/healthz"
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
        line = Line(self.port, self.noted, random.Random(drawn.random()))
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
        self.machines.postgres.primary.disk.free()
        self.machines.disk.free()
        self.machines.postgres.whole()
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
        # Who goes on beside another hears of it with the next record but one.
        for _ in range(2):
            for rack in self.racks:
                await rack.ask("write", "one more", 1)
                await self.drained(rack)
        await self.judge()
        for rack in self.racks:
            rack.line.quiet = False

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

    # The faults.

    async def strike(self, fault: Fault) -> None:
        rack = self.drawn.choice(self.racks)
        if fault in ON_THE_LINE:
            hit = self.racks if fault is Fault.PARTITION else [rack]
            for each in hit:
                each.line.planned = fault
            before = [each.line.happened[fault] for each in hit]
            await self.work()
            after = [each.line.happened[fault] for each in hit]
            assert all(was < now for was, now in zip(before, after, strict=True)), f"no {fault}"
            return
        await getattr(self, f"_{fault.name.lower()}")(rack)

    async def _primary_killed(self, _: Rack) -> None:
        async def kill() -> None:
            self.machines.postgres.primary.kill()

        await self.work_and(kill, *self.racks)
        await self._nothing_is_acknowledged()

    async def _primary_lost(self, _: Rack) -> None:
        async def lose() -> None:
            self.machines.postgres.lose_primary()

        await self.work_and(lose, *self.racks)
        # The new one acknowledges nothing alone.
        await self._nothing_is_acknowledged()

    async def _standby_killed(self, _: Rack) -> None:
        async def kill() -> None:
            self.machines.postgres.standby.kill()

        await self.work_and(kill, *self.racks)
        await self._nothing_is_acknowledged()

    async def _nothing_is_acknowledged(self) -> None:
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

    async def _centre_killed(self, _: Rack) -> None:
        async def kill() -> None:
            self.kill_centre()

        await self.work_and(kill, *self.racks)
        await self._nothing_is_acknowledged()

    async def _rack_killed(self, rack: Rack) -> None:
        await self.work_and(rack.kill, rack)
        await self.work()

    async def _centre_disk_full(self, _: Rack) -> None:
        self.machines.postgres.primary.disk.fill()
        before = sum(rack.line.unavailable for rack in self.racks)
        for rack in self.racks:
            rack.line.quiet = True
        await self.work(big=True)
        await self.work(big=True)
        assert sum(rack.line.unavailable for rack in self.racks) > before, "it wasn't full"

    async def _rack_disk_full(self, _: Rack) -> None:
        rack = next(rack for rack in self.racks if rack.disk is not None)
        self.machines.disk.fill()
        with suppress(RackEnded):
            await rack.ask("write", f"{rack.drawn.getrandbits(6000):x}", 4000)
            raise AssertionError("it wasn't full")
        await rack.kill()
        await self.work()

    async def _centre_clock(self, _: Rack) -> None:
        hours = int((self.folder / "clock").read_text()) + self.drawn.choice(CENTRE_HOURS)
        (self.folder / "clock").write_text(str(hours))
        await self.work()
        await self.work()

    async def _rack_clock(self, rack: Rack) -> None:
        await rack.ask("clock", self.drawn.choice(RACK_DAYS) * 86400)
        await self.work()

    async def _backup(self, rack: Rack) -> Path:
        to = self.folder / f"backup {next(self.numbers)}"
        await rack.stop()
        moved(rack.folder, to)
        await rack.start()
        return to

    async def _put_back(self, rack: Rack, backup: Path, *, on_record: bool) -> None:
        await rack.kill()
        lost = ledger_of(rack.copied(self.folder / f"read {rack.name}"))
        self.referees[rack.key_id].written |= set(lost)
        self.abandoned.append(JudgedLine(rack.key_id, lost))
        moved(backup, rack.folder)
        rack.job = None
        if on_record:
            rack.put_on_record(self.drawn.choice((0, lost[-1][0])))
        await rack.start()
        await self.work()

    async def _old_backup(self, rack: Rack, *, on_record: bool = False) -> None:
        backup = await self._backup(rack)
        await self.work()
        await rack.ask("write", "lost soon", 1)
        await self.work()
        await self._put_back(rack, backup, on_record=on_record)

    async def _restored(self, rack: Rack) -> None:
        await self._old_backup(rack, on_record=True)

    async def _cloned(self, rack: Rack) -> None:
        backup = await self._backup(rack)
        key = next(key for key in self.keys if key.key_id == rack.key_id)
        clone = await self.add(f"clone {next(self.numbers)}", key)
        moved(backup, clone.folder)
        await clone.start()
        await self.work(rack, clone)
        await self.work(clone, rack)

    async def _doomed(self, rack: Rack) -> None:
        """One that was asked for before, and one that is asked for afterwards."""
        other = self.drawn.choice([each for each in self.racks if each.key_id != rack.key_id])
        before, after = imei(next(self.numbers)), imei(next(self.numbers))
        await other.finish()
        await other.begin(next(self.numbers), before)
        for handset in (before, after):
            await rack.ask("crush", next(self.numbers), handset)
        rack.line.quiet = True
        await self.drained(rack)
        await other.finish()
        await other.begin(next(self.numbers), after)
        await other.finish()
        await self.work()

    async def _two_racks(self, rack: Rack) -> None:
        other = self.drawn.choice([each for each in self.racks if each.key_id != rack.key_id])
        handset = imei(next(self.numbers))
        both = [rack, other]
        for each in both:
            await each.finish()
        async with anyio.create_task_group() as group:
            for each in both:
                group.start_soon(each.begin, next(self.numbers), handset)
        self.drawn.shuffle(both)
        for each in both:
            await each.finish()
        await self.work()


@asynccontextmanager
async def standing(seed: int, machines: Machines, folder: Path) -> AsyncGenerator[Fleet]:
    """A centre and racks that have joined it, on a new database."""
    async with AsyncExitStack() as stack:
        database = stack.enter_context(machines.postgres.database())
        centre = create_key(folder / "centre.pem")
        (folder / "centre.pub").write_bytes(centre.public_key_pem)
        (folder / "clock").write_text("0")
        noted = Noted(centre.public)
        drawn = random.Random(f"play {seed}")
        fleet = Fleet(machines, database, folder, centre, noted, stack, drawn)
        stack.callback(fleet.kill_centre)
        async with open_database(fleet.address) as opened:
            for number in range(1, RACKS + 1):
                made = create_key(folder / f"{number}.pem")
                (folder / f"{number}.pem").rename(folder / f"{made.key_id}.pem")
                await JoinedRacks(opened).join(f"rack {number}", made.ring)
                fleet.keys.append(made)
                reading = f"{fleet.address} target_session_attrs=read-write"
                fleet.referees[made.key_id] = Referee(reading, made.key_id)
        await fleet.start_centre()
        for number, key in enumerate(fleet.keys, 1):
            rack = await fleet.add(f"rack {number}", key, machines.disk if number == 1 else None)
            await rack.start()
        yield fleet


async def play(seed: int, machines: Machines, folder: Path) -> Played:
    """All of a seed; AssertionError where the referee finds something."""
    played = Played(seed, draw(seed))
    async with standing(seed, machines, folder) as fleet:
        await fleet.work()
        await fleet.settle()
        for fault in played.faults:
            await fleet.strike(fault)
            await fleet.settle()
        for rack in fleet.racks:
            played.on_the_line += rack.line.happened
        jobs = [
            job
            for rack in fleet.racks
            for job in JudgedLine(
                rack.key_id, ledger_of(rack.copied(folder / f"read {rack.name}"))
            ).jobs.values()
        ]
        played.acknowledged = len(fleet.noted.acknowledged)
        played.answers = len(fleet.noted.answers)
        played.certified = sum(job.certified for job in jobs)
        played.held = sum(job.held for job in jobs)
        fleet.machines.disk.call("sh", "-c", f'rm -rf "{machines.disk.folder}"/*')
    return played
