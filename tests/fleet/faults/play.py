"""Plays a seed's schedule; after each fault all is mended, sent, and judged."""

from __future__ import annotations

import random
from collections.abc import Generator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from tests.fleet.faults.handset_referee import Line as JudgedLine
from tests.fleet.faults.played_fleet import Fleet, Played
from tests.fleet.faults.rack import Rack, RackEnded, moved
from tests.fleet.faults.replicated_postgres import Replicated, replicated_postgres
from tests.fleet.faults.schedule import ON_THE_LINE, Fault, draw
from tests.fleet.faults.small_disk import SmallDisk, small_disk
from tests.fleet.referee import ledger_of
from tests.imeis import imei

RACK_DISK_MIB = 4
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
class FleetOnLoopback(Fleet):
    """Lines are cut by what carries them; PostgreSQL and its standby have nobody else."""

    machines: Machines = field(kw_only=True)

    @property
    def address(self) -> str:
        return self.machines.postgres.address(self.database)

    @property
    def reading(self) -> str:
        return f"{self.address} target_session_attrs=read-write"

    async def make_whole(self) -> None:
        self.machines.postgres.primary.disk.free()
        self.machines.disk.free()
        self.machines.postgres.whole()

    async def strike(self, fault: str) -> None:
        fault = Fault(fault)
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
        await self.nothing_is_acknowledged()

    async def _primary_lost(self, _: Rack) -> None:
        async def lose() -> None:
            self.machines.postgres.lose_primary()

        await self.work_and(lose, *self.racks)
        # The new one acknowledges nothing alone.
        await self.nothing_is_acknowledged()

    async def _standby_killed(self, _: Rack) -> None:
        async def kill() -> None:
            self.machines.postgres.standby.kill()

        await self.work_and(kill, *self.racks)
        await self.nothing_is_acknowledged()

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
        # Whatever their answers are, the referee holds the one that came first against the other.
        handset, both = imei(next(self.numbers)), [rack, clone]
        for each in both:
            await each.finish()
        for each in both:
            await each.begin(next(self.numbers), handset)
        self.drawn.shuffle(both)
        for each in both:
            await each.finish()
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


async def play(seed: int, machines: Machines, folder: Path) -> Played:
    """All of a seed, on a new database; AssertionError where a referee finds something."""
    played = Played(seed, draw(seed))
    async with AsyncExitStack() as stack:
        database = stack.enter_context(machines.postgres.database())
        drawn = random.Random(f"play {seed}")
        fleet = FleetOnLoopback(database, folder, stack, drawn, machines=machines)
        await fleet.join(machines.disk)
        await fleet.play(played)
        machines.disk.call("sh", "-c", f'rm -rf "{machines.disk.folder}"/*')
    return played
