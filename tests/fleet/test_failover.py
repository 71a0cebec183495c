"""Kills by turns of what the centre's database consists of; the referee compares after each."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from tests.fleet.high_availability import Machine, say, until
from tests.fleet.standing_centre import Standing, goes_on, standing

pytestmark = [pytest.mark.asyncio, pytest.mark.nightly, pytest.mark.timeout(900)]


@asynccontextmanager
async def on_their_way(here: Standing, what: str) -> AsyncGenerator[None]:
    """Racks write and send all the while; afterwards all is sent, and the referee compares."""
    async with anyio.create_task_group() as group:
        for rack in here.racks:
            group.start_soon(rack.write_and_send)
        await goes_on(here.racks)
        yield
        mended = time.monotonic()
        await goes_on(here.racks)
        waited_s = time.monotonic() - mended
        say(f"{what}: acknowledged again {waited_s:.0f} s after the mend")
        group.cancel_scope.cancel()
    await here.all_sent()
    count = sum(rack.acknowledged for rack in here.racks)
    say(f"{what}: all {count} acknowledged records are there")


async def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path) -> None:
    async with standing(tmp_path) as here:
        async with on_their_way(here, "the primary's machine killed, and back"):
            dead = await here.engine.whole()
            dead.kill("etcd", "patroni", "pgbouncer")
            began = time.monotonic()
            primary = await until("the standby takes over", here.engine.primary)
            assert primary is here.engine.other(dead)
            say(f"the standby has taken over after {time.monotonic() - began:.0f} s")
            await acknowledges_nothing_alone(here, primary)
            dead.start("etcd", "patroni", "pgbouncer")
            assert await here.engine.whole() is primary
        assert "running pg_rewind" in (dead.folder / "patroni.log").read_text()

        async with on_their_way(here, "the standby killed, and back"):
            primary = await here.engine.whole()
            standby = here.engine.other(primary)
            standby.kill("patroni")
            await acknowledges_nothing_alone(here, primary)
            standby.start("patroni")
            assert await here.engine.whole() is primary

        async with on_their_way(here, "Patroni killed, two primaries, and back"):
            former = await here.engine.whole()
            former.kill_patroni_alone()
            primary = await until("the standby takes over", here.engine.primary)
            assert primary is here.engine.other(former)
            await until("it is a second primary", lambda: not primary.recovers())
            assert not former.recovers()
            await nothing_is_acknowledged(here)
            former.start("patroni")
            assert await here.engine.whole() is primary

        async with on_their_way(here, "one etcd of three killed"):
            here.engine.machines[0].kill("etcd")

        async with on_their_way(here, "two etcd of three killed, and back"):
            primary = await here.engine.whole()
            here.engine.machines[1].kill("etcd")
            await until("the primary gives itself up", primary.recovers)
            await nothing_is_acknowledged(here)
            for machine in here.engine.machines[:2]:
                machine.start("etcd")
            await here.engine.whole()

        async with on_their_way(here, "the centre killed, and started again"):
            here.kill_centre()
            await here.start_centre()


async def acknowledges_nothing_alone(here: Standing, primary: Machine) -> None:
    """Patroni knows by now that there is no standby, and lets commits wait for one nevertheless."""

    def waiting() -> bool:
        with primary.admin() as admin:
            names = admin.execute("SHOW synchronous_standby_names").fetchone()
            count = admin.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
            ).fetchone()
        return names == ("*",) and count != (0,)

    await until("a commit waits for any standby", waiting)
    await nothing_is_acknowledged(here)


async def nothing_is_acknowledged(here: Standing) -> None:
    """Each rack sends from now on and fails; what it has sent before may be acknowledged yet."""
    for rack in here.racks:
        rack.era += 1
    for _ in range(2):
        for rack in here.racks:
            rack.refused.clear()
        await until("each has tried", lambda: all(rack.refused for rack in here.racks))
    assert all(rack.acknowledged_of < rack.era for rack in here.racks)
