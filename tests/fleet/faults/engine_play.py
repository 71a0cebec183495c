"""Plays a seed against the engine of configs/fleet/, each machine in a network namespace.

What docs/fleet.md says of a fault is waited for before the next step; then all is mended and sent,
and the referees judge.
"""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import httpx2
import psycopg

from benchd.fleet.fleet_database import CONNECTIONS
from tests.fleet.faults.engine_schedule import EngineFault
from tests.fleet.faults.network import RACKS, Network, network
from tests.fleet.faults.played_fleet import Fleet, Played
from tests.fleet.faults.rack import Rack
from tests.fleet.high_availability import Engine, Machine, engine, say, until

CENTRE = "192.0.2.10"
MACHINES = (CENTRE, "192.0.2.11", "192.0.2.12")
PGBOUNCER = (6432,)
ETCD = (2379, 2380)
LOST_PERCENT = 30
CANCEL = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
Strike = Callable[[], None]


@dataclass(frozen=True)
class EngineMachines:
    """What all seeds of one run share."""

    engine: Engine
    network: Network


@contextmanager
def engine_machines(planted: Mapping[str, str] | None = None) -> Generator[EngineMachines]:
    with network(MACHINES) as laid:
        entered = {address: laid.hosts[address].as_user for address in MACHINES}
        with engine(entered, planted) as made:
            yield EngineMachines(made, laid)


async def begin(machines: EngineMachines) -> None:
    """Start all there is, as docs/fleet.md has it."""
    start_missing(machines.engine)
    machines.engine.make_database(await machines.engine.whole())


def start_missing(made: Engine) -> None:
    for machine in made.machines:
        machine.start_missing("etcd")
    for machine in made.databases:
        machine.start_missing("patroni", "pgbouncer")


def cancel_waits(machine: Machine) -> int:
    """As an administrator does whom they bother; how many were cancelled."""
    with suppress(psycopg.Error), machine.admin() as admin:
        return len(admin.execute(CANCEL).fetchall())
    return 0


@dataclass
class FleetOnEngine(Fleet):
    """The racks are in the namespace of whoever plays, the centre on the first machine."""

    machines: EngineMachines = field(kw_only=True)

    @property
    def engine(self) -> Engine:
        return self.machines.engine

    @property
    def network(self) -> Network:
        return self.machines.network

    @property
    def address(self) -> str:
        return self.engine.through_pgbouncer()

    @property
    def reading(self) -> str:
        return self.engine.of_the_primary()

    async def make_whole(self) -> None:
        self.network.heal()
        start_missing(self.engine)
        await self.engine.whole()

    async def strike(self, fault: str) -> None:
        say(f"  {fault}")
        name = EngineFault(fault).name.lower()
        await getattr(self, f"_{name}")(self.drawn.choice(self.racks))
        assert self.network.happened(), f"no packet met it: {fault}"

    async def _on_their_way(self, strike: Strike) -> None:
        """With a batch on its way."""

        async def struck() -> None:
            await anyio.to_thread.run_sync(strike)

        await self.work_and(struck, *self.racks)

    async def _roles(self) -> tuple[Machine, Machine]:
        primary = await self.engine.whole()
        return primary, self.engine.other(primary)

    async def _taken_over_by(self, standby: Machine) -> None:
        await until("the standby takes over", standby.writes)
        await self._noted_that_none_follows()

    async def _noted_that_none_follows(self) -> None:
        """From then on it is Patroni's word whether commits wait nevertheless."""
        ask = self.engine.noted_standby
        await until("Patroni knows of no standby", lambda: ask() is None)

    async def _nothing_is_acknowledged_though_cancelled(self) -> None:
        """Whoever waits for a standby is told to go on; a commit that does is on one disk alone."""
        cancelled = 0
        async with anyio.create_task_group() as group:

            async def cancel() -> None:
                nonlocal cancelled
                while True:
                    for machine in self.engine.databases:
                        cancelled += await anyio.to_thread.run_sync(cancel_waits, machine)

            group.start_soon(cancel)
            await self.nothing_is_acknowledged()
            await self._until("a wait was cancelled", lambda: cancelled > 0)
            group.cancel_scope.cancel()

    async def _until(self, what: str, ask: Callable[[], bool]) -> None:
        """Racks go on meanwhile."""
        found = False

        async def go_on() -> None:
            while not found:
                await self.work()

        async with anyio.create_task_group() as group:
            group.start_soon(go_on)
            await until(what, ask)
            found = True

    # Packets are lost.

    async def _silent_primary(self, _: Rack) -> None:
        primary, standby = await self._roles()
        await self._on_their_way(lambda: self.network.silence(primary.address))
        await self._taken_over_by(standby)
        await until("the former primary gives itself up", lambda: not primary.writes())
        await self.nothing_is_acknowledged()

    async def _silent_standby(self, _: Rack) -> None:
        _primary, standby = await self._roles()
        await self._on_their_way(lambda: self.network.silence(standby.address))
        await self._noted_that_none_follows()
        await self.nothing_is_acknowledged()

    async def _silent_centre(self, _: Rack) -> None:
        await self._on_their_way(lambda: self.network.silence(CENTRE))
        await self.nothing_is_acknowledged()

    async def _pulled(self, _: Rack) -> None:
        address = self.drawn.choice(MACHINES)
        await self._on_their_way(lambda: self.network.pull(address))
        await self.nothing_is_acknowledged()

    async def _one_way(self, _: Rack) -> None:
        pairs = [*itertools.permutations(MACHINES, 2), (CENTRE, RACKS), (RACKS, CENTRE)]
        source, to = self.drawn.choice(pairs)
        await self._on_their_way(lambda: self.network.lose(source, to))
        if CENTRE not in (source, to) and RACKS not in (source, to):
            await self.nothing_is_acknowledged()
        await self.work()

    async def _databases_apart(self, _: Rack) -> None:
        await self._on_their_way(lambda: self.network.cut(*MACHINES[1:]))
        await self._nothing_is_acknowledged_though_cancelled()

    async def _all_apart(self, _: Rack) -> None:
        primary, _standby = await self._roles()

        def cut() -> None:
            for one, other in itertools.combinations(MACHINES, 2):
                self.network.cut(one, other)

        await self._on_their_way(cut)
        await until("the primary gives itself up", lambda: not primary.writes())
        await self.nothing_is_acknowledged()

    async def _without_etcd(self, _: Rack) -> None:
        primary, standby = await self._roles()

        def cut() -> None:
            for other in {*MACHINES} - {primary.address}:
                self.network.cut(primary.address, other, ports=ETCD)

        await self._on_their_way(cut)
        await until("the standby takes over", standby.writes)
        await self.work()

    async def _lossy(self, _: Rack) -> None:
        def cut() -> None:
            for one, other in itertools.combinations(MACHINES, 2):
                self.network.cut(one, other, LOST_PERCENT)
            self.network.cut(RACKS, CENTRE, LOST_PERCENT)

        await self._on_their_way(cut)
        await self.work()
        await self.work()

    async def _slow(self, _: Rack) -> None:
        address = self.drawn.choice(MACHINES)
        await self._on_their_way(lambda: self.network.slow(address))
        await self.work(big=True)
        await self.work(big=True)

    async def _former_out_of_reach(self, _: Rack) -> None:
        """The engine is whole again, and the centre has connections that nobody answers."""
        primary, standby = await self._roles()
        # As at a busy time the centre has as many connections as it may.
        with primary.admin("fleet") as admin, admin.transaction():
            admin.execute("LOCK TABLE branch")
            await self._ask_at_once()
        await self._on_their_way(lambda: self.network.silence(primary.address))
        await self._ask_at_once()
        await self._taken_over_by(standby)
        assert self.network.happened()
        self.network.heal()
        self.network.cut(CENTRE, primary.address, ports=PGBOUNCER)
        assert await self.engine.whole() is standby
        await self._goes_on()

    async def _ask_at_once(self) -> None:
        """More often than the centre has connections to its database."""

        async def ask(client: httpx2.AsyncClient, rack: Rack) -> None:
            url = f"http://{CENTRE}:{self.port}/v1/racks/{rack.key_id}/places"
            with suppress(httpx2.HTTPError):
                await client.post(url, json={"places": []})

        async with httpx2.AsyncClient(timeout=2) as client, anyio.create_task_group() as group:
            for rack in self.racks * CONNECTIONS:
                group.start_soon(ask, client, rack)

    async def _goes_on(self) -> None:
        """What is written from now on is acknowledged, though not all is mended."""
        for rack in self.racks:
            await rack.ask("write", "goes on", 1)
            await self.drained(rack)

    # Somebody does something meanwhile.

    async def _wait_cancelled(self, _: Rack) -> None:
        _primary, standby = await self._roles()
        await self._on_their_way(lambda: self.network.silence(standby.address))
        await self._nothing_is_acknowledged_though_cancelled()

    async def _old_primary_writes(self, _: Rack) -> None:
        primary, standby = await self._roles()

        def cut() -> None:
            primary.kill_patroni_alone()
            self.network.cut(primary.address, standby.address)
            self.network.cut(primary.address, CENTRE, ports=ETCD)

        await self._on_their_way(cut)
        await self._taken_over_by(standby)
        assert primary.writes()
        await self._nothing_is_acknowledged_though_cancelled()

    def _switch_over(self, primary: Machine, standby: Machine) -> None:
        primary.call(
            *("patronictl", "-c", primary.folder / "patroni.yml", "switchover", "fleet"),
            *("--leader", primary.address, "--candidate", standby.address, "--force"),
        )

    async def _switchover(self, _: Rack) -> None:
        primary, standby = await self._roles()
        await self._on_their_way(lambda: self._switch_over(primary, standby))
        assert await self.engine.whole() is standby
        await self._goes_on()

    async def _switchover_while_cut(self, _: Rack) -> None:
        primary, standby = await self._roles()
        ways = [(primary.address, standby.address), (standby.address, primary.address)]

        def cut() -> None:
            for way in self.drawn.choice((ways, ways[:1], ways[1:])):
                self.network.lose(*way)
            # Patroni may say that it can't.
            with suppress(AssertionError):
                self._switch_over(primary, standby)

        await self._on_their_way(cut)
        await self.nothing_is_acknowledged()

    # Killed by SIGKILL.

    async def _machine_died(self, _: Rack) -> None:
        primary, standby = await self._roles()

        def die() -> None:
            # Nobody hears that its connections end.
            self.network.silence(primary.address)
            primary.kill("etcd", "patroni", "pgbouncer")

        await self._on_their_way(die)
        await self._taken_over_by(standby)
        await self.nothing_is_acknowledged()

    async def _etcd_killed(self, _: Rack) -> None:
        machine = self.drawn.choice(self.engine.machines)
        await self._on_their_way(lambda: machine.kill("etcd"))
        await self._goes_on()

    async def _two_etcd_killed(self, _: Rack) -> None:
        primary, _standby = await self._roles()
        two = self.drawn.sample(self.engine.machines, 2)

        def kill() -> None:
            for machine in two:
                machine.kill("etcd")

        await self._on_their_way(kill)
        await until("the primary gives itself up", lambda: not primary.writes())
        await self.nothing_is_acknowledged()

    async def _patroni_killed(self, _: Rack) -> None:
        primary, standby = await self._roles()
        await self._on_their_way(primary.kill_patroni_alone)
        await self._taken_over_by(standby)
        assert primary.writes()
        await self._nothing_is_acknowledged_though_cancelled()

    async def _postgres_killed(self, _: Rack) -> None:
        primary, _standby = await self._roles()
        await self._on_their_way(primary.kill_postgres)
        await self.work()

    async def _pgbouncer_killed(self, _: Rack) -> None:
        primary, _standby = await self._roles()
        await self._on_their_way(lambda: primary.kill("pgbouncer"))
        await self.nothing_is_acknowledged()


async def play(
    seed: int, faults: Sequence[EngineFault], machines: EngineMachines, folder: Path
) -> Played:
    """All of these, on an empty database; AssertionError where a referee finds something."""
    played = Played(seed, faults)
    await machines.engine.empty_database()
    async with AsyncExitStack() as stack:
        fleet = FleetOnEngine(
            f"engine {seed}",
            folder,
            stack,
            random.Random(f"engine play {seed}"),
            host=CENTRE,
            entered=machines.network.hosts[CENTRE].entered,
            noisy=False,
            machines=machines,
        )
        try:
            await fleet.join()
            await fleet.play(played)
        except Exception:
            for machine in machines.engine.machines:
                for log in machine.folder.glob("*.log"):
                    shutil.copy(log, folder / f"{machine.address} {log.name}")
            raise
    return played
