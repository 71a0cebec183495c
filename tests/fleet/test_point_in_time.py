"""A mistaken purge: PostgreSQL is put back to the moment before, and racks fill what that costs."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx2
import psycopg
import pytest

from tests.fleet.high_availability import Machine, say, until
from tests.fleet.standing_centre import Standing, standing

pytestmark = [pytest.mark.asyncio, pytest.mark.nightly, pytest.mark.timeout(900)]


async def test_what_was_purged_comes_back_from_the_archive_and_from_racks(tmp_path: Path) -> None:
    async with standing(tmp_path) as here:
        primary = await here.engine.whole()
        await written(here, 120)
        primary.call("pgbackrest", "--stanza=fleet", "backup")
        with pytest.raises(AssertionError, match="unable to find primary"):
            here.engine.other(primary).call("pgbackrest", "--stanza=fleet", "backup")
        await written(here, 130)
        kept = count(here)
        moment = await until("a second has begun", lambda: a_moment_after_the_backup(primary))
        await written(here, 140)
        purge(primary)
        with pytest.raises(AssertionError, match="acknowledged and lost"):
            here.judge()

        began = time.monotonic()
        here.kill_centre()
        await here.engine.restore(primary, moment)
        assert count(here) == kept
        told = httpx2.get(f"http://{primary.address}:8008/config").json()
        assert told["synchronous_mode_strict"] is True
        with pytest.raises(AssertionError, match="acknowledged and lost"):
            here.judge()
        await here.start_centre()
        await written(here, 1)
        say(
            f"of {count(here)} records {kept} came back from the archive, the others from racks;"
            f" {time.monotonic() - began:.0f} s"
        )

        here.kill_centre()
        with (await here.engine.whole()).admin() as admin:
            admin.execute("DROP DATABASE fleet WITH (FORCE)")
            admin.execute("CREATE DATABASE fleet OWNER fleet")
        await here.start_centre()
        assert count(here) == 0
        await written(here, 1)
        say(f"an empty centre has all {count(here)} records again, from racks alone")


async def written(here: Standing, records: int) -> None:
    """Each rack writes so many, all are acknowledged, and the referee finds each that ever was."""
    for rack in here.racks:
        rack.ledger.add("written", records)
    await here.all_sent()


def a_moment_after_the_backup(primary: Machine) -> str | None:
    """PgBackRest knows of whole seconds."""
    [stanza] = json.loads(primary.call("pgbackrest", "--stanza=fleet", "--output=json", "info"))
    stopped = stanza["backup"][-1]["timestamp"]["stop"]
    with primary.admin() as admin:
        told = admin.execute(
            "SELECT now()::text WHERE extract(epoch FROM now()) >= %s + 1", (stopped,)
        ).fetchone()
    return None if told is None else str(told[0])


def count(here: Standing) -> int:
    with psycopg.connect(here.engine.of_the_primary()) as connection:
        [found] = connection.execute("SELECT count(*) FROM record").fetchone() or (0,)
    return int(found)


def purge(primary: Machine) -> None:
    """By somebody who may do everything, past the triggers that refuse it."""
    with primary.admin("fleet") as admin:
        with pytest.raises(psycopg.errors.RaiseException):
            admin.execute("TRUNCATE record")
        admin.execute("SET session_replication_role = replica")
        admin.execute("TRUNCATE record")
        # The moment lies in a segment of the log that only then is archived.
        admin.execute("SELECT pg_switch_wal()")
