"""A mistaken purge: PostgreSQL is put back to the moment before, and racks fill what that costs."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import httpx2
import psycopg
import pytest

from tests.fleet.high_availability import Machine, say, until
from tests.fleet.locked_bucket import LockedBucket, make_bucket, verify
from tests.fleet.private_radosgw import radosgw
from tests.fleet.standing_centre import Standing, standing

pytestmark = [pytest.mark.asyncio, pytest.mark.nightly, pytest.mark.timeout(900)]


async def test_what_was_purged_comes_back_from_the_archive_and_from_racks(tmp_path: Path) -> None:
    with radosgw() as store:
        bucket = make_bucket(store)
        options = ("--locked-store", bucket.url, "--locked-store-credentials", bucket.centre)
        async with standing(tmp_path, options) as here:
            await purged_and_put_back(here, bucket)


async def purged_and_put_back(here: Standing, bucket: LockedBucket) -> None:
    primary = await here.engine.whole()
    await written(here, 120)
    primary.call("pgbackrest", "--stanza=fleet", "backup")
    with pytest.raises(AssertionError, match="unable to find primary"):
        here.engine.other(primary).call("pgbackrest", "--stanza=fleet", "backup")
    await written(here, 130)
    kept = count(here)
    moment = await until("a second has begun", lambda: a_moment_after_the_backup(primary))
    await written(here, 140)
    gone = {f"{rack.ledger.rack} {rack.newest}" for rack in here.racks}
    # Each start puts what the centre has by then into the locked store.
    here.kill_centre()
    await here.start_centre()
    await written(here, 1)
    assert shown(here, bucket) == (0, set(), set())
    purge(primary)
    with pytest.raises(AssertionError, match="acknowledged and lost"):
        here.judge()
    code, _, lost = shown(here, bucket)
    assert code == 1
    assert gone <= lost

    began = time.monotonic()
    here.kill_centre()
    await here.engine.restore(primary, moment)
    assert count(here) == kept
    told = httpx2.get(f"http://{primary.address}:8008/config").json()
    assert told["synchronous_mode_strict"] is True
    with pytest.raises(AssertionError, match="acknowledged and lost"):
        here.judge()
    # The archive doesn't have the last of them.
    assert shown(here, bucket) == (1, set(), gone)
    await here.start_centre()
    await written(here, 1)
    say(
        f"of {count(here)} records {kept} came back from the archive, the others from racks;"
        f" {time.monotonic() - began:.0f} s"
    )
    # All that the locked store knows of is there again; that it was gone stands there, too.
    assert shown(here, bucket) == (1, gone, set())

    here.kill_centre()
    with (await here.engine.whole()).admin() as admin:
        admin.execute("DROP DATABASE fleet WITH (FORCE)")
        admin.execute("CREATE DATABASE fleet OWNER fleet")
    await here.start_centre()
    assert count(here) == 0
    await written(here, 1)
    say(f"an empty centre has all {count(here)} records again, from racks alone")
    code, less, lost = shown(here, bucket)
    assert (code, lost) == (1, set())
    assert gone <= less


def shown(here: Standing, bucket: LockedBucket) -> tuple[int, set[str], set[str]]:
    """What an auditor sees in the locked store: how it ends, what was less, what isn't there."""
    key = here.folder / "centre.pem.pub"
    code, told = verify(here.engine.of_the_primary(), bucket.url, bucket.auditor, key)
    less = re.findall(r"rack (\w+): it had come to record (\d+)", told)
    lost = re.findall(r"rack (\w+): record (\d+), which it had, isn't there", told)
    assert "MEDDLED" not in told
    return code, {" ".join(each) for each in less}, {" ".join(each) for each in lost}


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
