"""Which PostgreSQL the centre writes to, and what each transaction waits for."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from benchd.fleet import fleet_database
from benchd.fleet.fleet_database import (
    FleetDatabase,
    NotAcknowledged,
    migrations,
    next_hosts,
    open_database,
)
from benchd.fleet.handset_files import find_handsets
from tests.fleet.centre_rig import centre
from tests.fleet.written_ledger import WrittenLedger

pytestmark = pytest.mark.asyncio


def only_reads(conninfo: str, value: str) -> None:
    """As a primary is after a failover; whoever is connected hears of it as then."""
    with psycopg.connect(conninfo, autocommit=True) as admin:
        admin.execute("SET default_transaction_read_only = off")
        change = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
        name = sql.Identifier(admin.info.dbname)
        admin.execute(change.format(name, sql.Literal(value)))
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_one_that_only_reads_acknowledges_nothing_and_is_left(
    conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = WrittenLedger()
    ledger.add()
    async with centre(conninfo) as here:
        await here.join(ledger)
        monkeypatch.setattr("benchd.fleet.fleet_database.TURN_S", 0.3)
        only_reads(conninfo, "on")
        answer = await here.post(ledger.rack, "records", ledger.batch(0))
        assert answer.status_code == 503
        only_reads(conninfo, "off")
        monkeypatch.undo()
        assert (await here.send(ledger, 0)).of.tip.sequence == 1


async def test_one_that_turns_to_reading_in_between_acknowledges_nothing(conninfo: str) -> None:
    async with open_database(conninfo) as database:
        with pytest.raises(NotAcknowledged):
            await _write_to_one_that_reads(database)


async def _write_to_one_that_reads(database: FleetDatabase) -> None:
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL transaction_read_only = on")
        await connection.execute("UPDATE branch SET heard_at = now()")


async def test_every_transaction_waits_for_the_standby_whoever_had_the_session_before(
    conninfo: str,
) -> None:
    async with open_database(conninfo) as database:
        for _ in range(2):
            async with database.transaction() as connection:
                found = await connection.execute("SHOW synchronous_commit")
                assert await found.fetchone() == ("on",)
                await connection.execute("SET synchronous_commit = off")


@pytest.mark.parametrize(
    ("conninfo", "environment", "tried"),
    [
        ("host=a,b,c port=6432", {}, ["a,b,c 6432", "b,c,a 6432", "c,a,b 6432", "a,b,c 6432"]),
        ("host=a,b port=1,2", {}, ["a,b 1,2", "b,a 2,1"]),
        ("dbname=fleet", {"PGHOST": "a,b"}, ["a,b None", "b,a None"]),
        ("host=a", {"PGHOST": "b,c"}, ["a None", "a None"]),
    ],
)
async def test_of_several_hosts_each_is_tried_first_in_turn(
    conninfo: str, environment: dict[str, str], tried: list[str]
) -> None:
    turned = next_hosts(conninfo, environment)
    told = [conninfo_to_dict(turned()) for _ in tried]
    assert [f"{each.get('host')} {each.get('port')}" for each in told] == tried


async def test_numbers_that_an_older_release_has_filed_are_found_by_their_ends(
    conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = {number: sql for number, sql in migrations().items() if number < 10}
    with monkeypatch.context() as patch:
        patch.setattr(fleet_database, "migrations", lambda: older)
        async with open_database(conninfo):
            pass
    with psycopg.connect(conninfo) as admin:
        admin.execute(
            """
            INSERT INTO rack (key_id, name, ring, trusted_key)
            VALUES (repeat('a', 64), 'Nagoya', '', sha256(''));
            INSERT INTO filed_job (rack, job, opened_at, told)
            SELECT id, 'j-0001', '2026-11-24T08:00Z', '{"serial": "R5CT20ABCDE"}' FROM rack;
            INSERT INTO filed_number (rack, job, number, parts, is_imei, is_proven)
            SELECT rack, job, '356938035643809', '{3569}', true, false FROM filed_job
            """
        )
    async with open_database(conninfo) as database, database.transaction() as connection:
        for number in ("356938035643809", "3569", "3809"):
            [handset] = (await find_handsets(connection, number)).handsets
            [job] = handset.jobs
            assert (job.job, job.imeis, job.proven) == ("j-0001", ("356938035643809",), ())
