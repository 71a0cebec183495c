"""A handset's file over all racks, who may read it, and that whoever has is on record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any, LiteralString

import anyio
import psycopg
import pytest
from psycopg import sql

from benchd.domain.errors import NotFound, UsageRefused
from benchd.fleet import handset_files, record_follower
from benchd.fleet.counted_jobs import job_counting
from benchd.fleet.filed_jobs import job_filing
from benchd.fleet.fleet_database import FleetDatabase, NotAcknowledged, open_database
from benchd.fleet.handset_files import find_handsets
from benchd.fleet.record_follower import LinesNotFollowed, RecordFollower
from benchd.ledger.records.record_effect import digest_of
from benchd.proof.identity.traits import Comparison, Traits, compare
from tests.fleet.office_rig import Drawn, Office, office, tell
from tests.fleet.written_ledger import WrittenLedger
from tests.ledger.records.records_rack import IMEI, OTHER_IMEI, START, Told

pytestmark = pytest.mark.asyncio
Filing = Callable[[FleetDatabase], RecordFollower]
SERIAL = "R5CT20ABCDE"
LONG_NAME = "".join(sha256(bytes([number])).hexdigest() for number in range(100))
"""Which no index keeps, nor any that is packed."""

CHIP = "c" * 32
MANY = handset_files.MOST_READ + 1000
MANY_JOBS = sql.SQL(
    """
    INSERT INTO filed_job (rack, job, opened_at, told, tied, certificate)
    SELECT 1, 'many-' || lpad(n::text, 4, '0'),
        timestamptz '2026-11-01Z' + n * 7 % {many} * interval '1 minute', '{{}}', {chip},
        encode(sha256(n::text::bytea), 'hex')
    FROM generate_series(0, {many} - 1) AS n;
    INSERT INTO filed_number (rack, job, number, opened_at) SELECT 1, job, number, opened_at
    FROM filed_job, unnest(ARRAY['ALIKE', 'OF00' || right(job, 4), right(job, 4) || '00NR'])
        AS number
    WHERE job LIKE 'many-%'
    """
).format(many=sql.Literal(MANY), chip=sql.Literal(CHIP))


def minute_of(number: int) -> int:
    """By which the newest of many jobs are known, in another order than by their names."""
    return number * 7 % MANY


def add_many(conninfo: str) -> None:
    """So many jobs with one chip and one number, and others that begin or end alike."""
    with psycopg.connect(conninfo, autocommit=True) as admin:
        admin.execute(MANY_JOBS)
        admin.execute("VACUUM ANALYZE")


def handset(job: str, imei: str | None = IMEI, serial: str = SERIAL, day: int = 0) -> Told:
    """One that was inspected."""
    told = Told()
    told.open(job, START + timedelta(days=day))
    told.inspect(job, imei=imei, serial=serial)
    return told


async def send(
    here: Office, name: str, *stories: Told, ledger: WrittenLedger | None = None
) -> None:
    rack = ledger or WrittenLedger()
    await here.centre.join(rack, name)
    for story in stories:
        tell(rack, [stored.entry for stored in story.stored])
    await here.centre.send(rack, 0)


async def found(here: Office, number: str) -> list[dict[str, Any]]:
    answer = await here.find(number)
    assert answer.status_code == 200, answer.text
    return answer.json()["handsets"]


def jobs(of: dict[str, Any], which: str = "jobs") -> list[tuple[str, str]]:
    return [(job["rack"], job["job"]) for job in of[which]]


async def test_one_handset_is_found_over_all_racks_by_any_of_its_numbers(conninfo: str) -> None:
    first, second = handset("j-0001"), handset("j-0002", day=3)
    first.bind("j-0001", tag="T-00417")
    second.sell("j-0002", "paper")
    other = handset("j-0003", imei=OTHER_IMEI, serial="OTHERSERIAL")
    digest = digest_of("paper")
    async with office(conninfo) as here:
        await send(here, "Nagoya", first)
        await send(here, "Osaka", second, other)
        expected = [("Nagoya", "j-0001"), ("Osaka", "j-0002")]
        ends = (IMEI[-4:], IMEI[:9], SERIAL[:9], SERIAL[-4:], "0417", "T-004", digest[:4])
        for number in (IMEI, SERIAL, "T-00417", "j-0002", digest[:20], *ends):
            [only] = await found(here, number)
            assert jobs(only) == expected, number
            assert only["perhaps"] == []
        [only] = await found(here, digest)
        assert jobs(only) == expected
        assert only["jobs"][1]["certificate"] == digest
        assert only["jobs"][0]["tag"] == "T-00417"
        [only] = await found(here, OTHER_IMEI)
        assert jobs(only) == [("Osaka", "j-0003")]
        # Nor by what stands in the middle of one.
        for number in ("0000111122223333", IMEI[1:-1], SERIAL[3:9]):
            assert await found(here, number) == []


async def test_one_serial_without_an_imei_makes_nothing_certain(conninfo: str) -> None:
    async with office(conninfo) as here:
        await send(here, "Nagoya", handset("j-0001", imei=None))
        await send(here, "Osaka", handset("j-0002", imei=None, day=1))
        one, other = await found(here, SERIAL)
        assert jobs(one) == [("Osaka", "j-0002")]
        assert jobs(one, "perhaps") == [("Nagoya", "j-0001")]
        assert jobs(other, "perhaps") == [("Osaka", "j-0002")]


async def test_what_a_person_has_said_since_and_what_another_system_holds_is_told(
    conninfo: str,
) -> None:
    told = handset("j-0001")
    told.end("j-0001")
    told.settle("j-0001", "held", "to_destroy")
    async with office(conninfo) as here:
        await send(here, "Nagoya", told)
        [only] = await found(here, IMEI)
        assert only["jobs"][0]["state"] == "to_destroy"


async def test_who_has_read_what_is_on_record_before_it_is_shown(conninfo: str) -> None:
    async with office(conninfo) as here:
        await send(here, "Nagoya", handset("j-0001"))
        await found(here, IMEI)
        await found(here, "nothing of that")
        rows = here.centre.rows("SELECT office, asked, shown FROM office_reading ORDER BY id")
        assert rows == [
            ("kanda", IMEI, [{"job": "j-0001", "rack": "Nagoya"}]),
            ("kanda", "nothing of that", []),
        ]
        [newest, _] = await here.offices.readings(50)
        assert (newest.office, newest.asked, newest.shown) == ("kanda", "nothing of that", 0)
        with (
            psycopg.connect(conninfo) as connection,
            pytest.raises(psycopg.errors.RaiseException, match="never changed"),
        ):
            connection.execute("DELETE FROM office_reading")


@pytest.mark.parametrize("secret", ["", "benchd_guessed", "revoked", "over"])
async def test_without_a_token_that_counts_nothing_is_shown(conninfo: str, secret: str) -> None:
    async with office(conninfo) as here:
        await send(here, "Nagoya", handset("j-0001"))
        if secret == "revoked":
            secret = here.secret
            await here.offices.revoke("kanda")
        if secret == "over":
            secret = here.secret
            with psycopg.connect(conninfo) as connection:
                connection.execute("UPDATE office SET expires_at = now()")
        headers = {"authorization": f"Bearer {secret}"} if secret else {}
        for path in (f"/v1/handsets?number={IMEI}", "/v1/fleet"):
            answer = await here.http.get(path, headers=headers)
            assert answer.status_code == 401
            assert "Nagoya" not in answer.text
        assert here.centre.rows("SELECT * FROM office_reading") == []


async def test_a_name_is_never_given_twice_and_an_unknown_one_is_told(conninfo: str) -> None:
    async with office(conninfo) as here:
        with pytest.raises(UsageRefused, match="never reused"):
            await here.offices.add("kanda", 30, Drawn())
        with pytest.raises(UsageRefused, match="1 to 730 days"):
            await here.offices.add("other", 0, Drawn())
        with pytest.raises(UsageRefused, match="lower-case"):
            await here.offices.add("Kanda", 1, Drawn())
        with pytest.raises(NotFound):
            await here.offices.revoke("nobody")
        [listed] = await here.offices.listed()
        assert (listed.name, listed.revoked_at) == ("kanda", None)


async def test_too_little_of_a_number_is_refused_and_kept_off_the_record(conninfo: str) -> None:
    async with office(conninfo) as here:
        answer = await here.find("35-6")
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "too_short")
        assert here.centre.rows("SELECT * FROM office_reading") == []


async def test_letters_that_a_pattern_means_are_letters(conninfo: str) -> None:
    async with office(conninfo) as here:
        await send(here, "Nagoya", handset("j-0001"))
        for odd in ("____", "%%%%", "3569%8035", "\x00wxyz", "\U0001f600wxyz"):
            answer = await here.find(odd)
            assert answer.status_code in {200, 422}
            assert answer.status_code == 422 or answer.json()["handsets"] == []


async def test_a_rack_that_signs_nonsense_keeps_no_other_from_being_filed(conninfo: str) -> None:
    odd = Told()
    odd.open("j-0009", usb_serial="N\x00UL and more")
    odd.stage("j-0009", "inspect", {"imei": 5})
    odd.end("j-0009", certificate="\x00")
    async with office(conninfo) as here:
        await send(here, "Nagoya", odd)
        await send(here, "Osaka", handset("j-0001"))
        [only] = await found(here, IMEI)
        assert jobs(only) == [("Osaka", "j-0001")]
        assert len(await found(here, "j-0009")) == 1


async def test_the_racks_are_told_with_their_forks_and_versions(conninfo: str) -> None:
    ledger = WrittenLedger()
    ledger.add(count=1)
    ledger.put(2, "daemon_started", {"version": "0.9.1", "site": "x"})
    clone = ledger.copy()
    ledger.add("own", 2)
    clone.add("other", 1)
    async with office(conninfo) as here:
        await here.centre.join(ledger, "Nagoya")
        await here.centre.join(WrittenLedger(), "Osaka")
        await here.centre.send(ledger, 0)
        await here.centre.send(clone, 2)
        await here.filed.catch_up()
        headers = {"authorization": f"Bearer {here.secret}"}
        answer = await here.http.get("/v1/fleet", headers=headers)
        told = answer.json()["racks"]
        assert [(rack["name"], rack["why"], rack["sequence"]) for rack in told] == [
            ("Nagoya", "first", 4),
            ("Nagoya", "fork", 3),
            ("Osaka", "first", 0),
        ]
        assert told[0]["version"] == "0.9.1"
        assert told[2]["heard_at"] is None


async def test_what_is_filed_is_made_anew_from_the_records(conninfo: str) -> None:
    async with office(conninfo) as here:
        await send(here, "Nagoya", handset("j-0001"))
        before = await found(here, IMEI)
        with psycopg.connect(conninfo) as connection:
            connection.execute("TRUNCATE filed_job, filed_number, filed_upto")
        assert await found(here, IMEI) == before


async def test_a_long_ledger_is_filed_piece_by_piece_and_once(
    conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchd.fleet.record_follower.PIECE", 3)
    ledger = WrittenLedger()
    async with office(conninfo) as here:
        await send(here, "Nagoya", *(handset(f"j-{n:04}") for n in range(7)), ledger=ledger)
        async with open_database(conninfo) as database:
            await job_filing(database).catch_up()
        assert here.centre.rows("SELECT count(*) FROM filed_job") == [(7,)]
        assert here.centre.rows("SELECT sequence FROM filed_upto") == [(14,)]
        tell(ledger, [stored.entry for stored in handset("j-0099").stored])
        await here.centre.send(ledger, 14)
        assert len((await found(here, IMEI))[0]["jobs"]) == 8


async def test_records_filed_together_tell_what_they_tell_one_by_one(
    conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, again = handset("j-0001"), handset("j-0001", imei=OTHER_IMEI, day=1)
    first.bind("j-0001", tag="T-00417")
    first.sell("j-0001", "paper")
    again.tie("j-0001", "c" * 32)
    again.sell("j-0001", "another paper")
    filed: list[list[tuple[object, ...]]] = []
    async with office(conninfo) as here, open_database(conninfo) as database:
        await send(here, "Nagoya", first, again)
        await send(here, "Osaka", handset("j-0001", serial="OTHERSERIAL"))
        for piece in (1, 500):
            with psycopg.connect(conninfo) as connection:
                connection.execute("TRUNCATE filed_job, filed_number, filed_upto")
            monkeypatch.setattr(record_follower, "PIECE", piece)
            await job_filing(database).catch_up()
            rows = here.centre.rows("SELECT * FROM filed_job ORDER BY 1, 2")
            rows += here.centre.rows("SELECT * FROM filed_number ORDER BY 1, 2, 3")
            filed.append([*rows, *here.centre.rows("SELECT * FROM filed_upto ORDER BY 1, 2")])
        assert filed[0] == filed[1]
        [told] = here.centre.rows("SELECT certificate, imeis, proven FROM filed_job WHERE rack = 1")
    assert told == (digest_of("paper"), *[sorted((IMEI, OTHER_IMEI))] * 2)


@pytest.mark.parametrize(
    "name",
    ["\0", "j-\0", "j-0001\nj-0002", "\n", LONG_NAME],
    ids=["NUL", "with NUL", "two lines", "empty lines", "long"],
)
async def test_no_name_that_a_rack_gives_a_job_keeps_another_from_being_found(
    conninfo: str, name: str
) -> None:
    async with office(conninfo) as here:
        odd = WrittenLedger()
        odd.put(1, "job_opened", {"recipe": "overwrite", "usb_serial": SERIAL}, name)
        await here.centre.join(odd, "Nagoya")
        await here.centre.send(odd, 0)
        await send(here, "Osaka", handset("j-0001"))
        assert [jobs(each) for each in await found(here, IMEI)] == [[("Osaka", "j-0001")]]


async def test_a_record_that_the_database_refuses_keeps_no_other_from_being_found(
    conninfo: str,
) -> None:
    async with office(conninfo) as here:
        with psycopg.connect(conninfo, autocommit=True) as admin:
            admin.execute(
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '22021'; END
                $$
                """
            )
            admin.execute(
                "CREATE TRIGGER refuses BEFORE INSERT ON filed_job FOR EACH ROW"
                " WHEN (NEW.job = 'j-0001') EXECUTE FUNCTION refuse()"
            )
        await send(here, "Nagoya", handset("j-0001"), handset("j-0002"))
        assert [jobs(each) for each in await found(here, IMEI)] == [[("Nagoya", "j-0002")]]


@pytest.mark.parametrize("filing", [job_filing, job_counting])
async def test_a_rack_that_always_has_more_leaves_others_their_turn(
    conninfo: str, monkeypatch: pytest.MonkeyPatch, filing: Filing
) -> None:
    monkeypatch.setattr(record_follower, "PIECE", 1)
    async with office(conninfo) as here, open_database(conninfo) as database:
        await send(here, "Nagoya", handset("j-0001"))
        await send(here, "Osaka", handset("j-0002"))
        filed = filing(database)
        for _ in range(2):
            await filed._piece({})
        table = "filed_upto" if filing is job_filing else "counted_upto"
        found = here.centre.rows(f"SELECT rack, sequence FROM {table} ORDER BY 1")  # noqa: S608
        assert found == [(1, 1), (2, 1)]


def _fault_of_rack(table: str, fault: LiteralString) -> sql.Composed:
    """Rows of the first rack bring this about in the database."""
    return sql.SQL(
        """
        CREATE OR REPLACE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {fault}; RETURN NEW; END
        $$;
        CREATE TRIGGER fails BEFORE INSERT ON {table} FOR EACH ROW
            WHEN (NEW.rack = 1) EXECUTE FUNCTION fails()
        """
    ).format(fault=sql.SQL(fault), table=sql.Identifier(table))


@pytest.mark.parametrize("filing", [job_filing, job_counting])
@pytest.mark.parametrize(
    ("fault", "passes"),
    [
        ("RAISE EXCEPTION 'a bug'", 1),
        # Whose fault the lost connection was shows once each line is read by itself.
        ("PERFORM pg_terminate_backend(pg_backend_pid())", 3),
    ],
    ids=["error", "connection lost"],
)
async def test_a_line_that_fails_keeps_no_other_line_from_being_filed(
    conninfo: str, filing: Filing, fault: LiteralString, passes: int
) -> None:
    table, upto = (
        ("filed_job", "filed_upto") if filing is job_filing else ("folded_job", "counted_upto")
    )
    async with office(conninfo) as here, open_database(conninfo) as database:
        for name in ("Nagoya", "Osaka", "Sendai"):
            await send(here, name, handset("j-0001"))
        with psycopg.connect(conninfo, autocommit=True) as admin:
            admin.execute(_fault_of_rack(table, fault))
        filed = filing(database)
        for _ in range(passes):
            # Nobody is told that all is filed.
            with pytest.raises((LinesNotFollowed, NotAcknowledged)):
                await filed.catch_up()
        racks = sql.SQL("SELECT rack FROM {} ORDER BY 1").format(sql.Identifier(upto))
        with psycopg.connect(conninfo, autocommit=True) as admin:
            assert admin.execute(racks).fetchall() == [(2,), (3,)]
            admin.execute("DROP FUNCTION fails CASCADE")
            await filed.catch_up()
            assert admin.execute(racks).fetchall() == [(1,), (2,), (3,)]


async def test_where_a_line_fails_a_report_says_so_and_nothing_is_looked_up(conninfo: str) -> None:
    async with office(conninfo) as here:
        for name in ("Nagoya", "Osaka"):
            await send(here, name, handset("j-0001"))
        with psycopg.connect(conninfo, autocommit=True) as admin:
            for table in ("filed_job", "folded_job"):
                admin.execute(_fault_of_rack(table, "RAISE EXCEPTION 'a bug'"))
        told = await here.ask("/v1/report", **{"from": f"{START:%Y-%m-%d}"})
        assert told["uncounted"] == 2
        assert told["summary"]["came_in"] == 1
        # Of what isn't filed a certificate may be withdrawn.
        check = await here.http.get("/v1/certificates/j-0001/" + "a" * 64)
        for answer in (check, await here.find(IMEI)):
            assert answer.status_code == 503
            assert "a bug" not in answer.text


@pytest.mark.parametrize("filing", [job_filing, job_counting])
@pytest.mark.parametrize("error", [psycopg.errors.UndefinedTable(), OverflowError(), KeyError()])
async def test_filing_goes_on_after_whatever_a_record_brings_about(
    conninfo: str,
    monkeypatch: pytest.MonkeyPatch,
    filing: Filing,
    error: Exception,
) -> None:
    monkeypatch.setattr(record_follower, "LOOK_EVERY_S", 0)
    again = anyio.Event()
    tries = 0

    async with open_database(conninfo) as database, anyio.create_task_group() as group:
        filed = filing(database)

        async def catch_up() -> None:
            nonlocal tries
            tries += 1
            if tries == 1:
                raise error
            again.set()
            await anyio.sleep_forever()

        monkeypatch.setattr(filed, "catch_up", catch_up)
        group.start_soon(filed.run)
        with anyio.fail_after(20):
            await again.wait()
        group.cancel_scope.cancel()


async def test_of_very_many_jobs_the_newest_are_found(conninfo: str) -> None:
    # Of those that only begin or end so the last are read, in the order of letters.
    most = -handset_files.MOST_READ
    read = {
        "ALIKE": list(range(MANY)),
        "OF00": list(range(MANY))[most:],
        "00NR": sorted(range(MANY), key=lambda n: f"{n:04}"[::-1])[most:],
    }
    async with office(conninfo) as here:
        await send(here, "Nagoya", handset("j-0001"))
        add_many(conninfo)
        for number, those in read.items():
            newest = sorted(those, key=minute_of, reverse=True)[: handset_files.MOST_HANDSETS]
            answer = (await here.find(number)).json()
            told = [jobs(each) for each in answer["handsets"]]
            assert told == [[("Nagoya", f"many-{n:04}")] for n in newest], number
            assert answer["more"]


@pytest.mark.parametrize("number", ["ALIKE", "1234"], ids=["beginning", "end"])
async def test_no_more_numbers_are_read_than_may_be_and_that_is_told(
    conninfo: str, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    stories = [handset(f"j-{n:04}", None, f"ALIKE{n}1234", day=n) for n in range(3)]
    async with office(conninfo) as here:
        await send(here, "Nagoya", *stories)
        answer = (await here.find(number)).json()
        assert (len(answer["handsets"]), answer["more"]) == (3, False)
        monkeypatch.setattr(handset_files, "MOST_READ", 2)
        answer = (await here.find(number)).json()
        # The last by their numbers, as a job's begins with its day.
        assert [jobs(each) for each in answer["handsets"]] == [
            [("Nagoya", "j-0002")],
            [("Nagoya", "j-0001")],
        ]
        assert answer["more"]


@pytest.mark.parametrize("mode", ["custom", "generic"])
async def test_no_look_up_reads_more_than_it_may(
    conninfo: str, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    async with office(conninfo) as here:
        told = handset("j-0001")
        told.bind("j-0001", tag="T-00417")
        told.tie("j-0001", CHIP)
        await send(here, "Nagoya", told)
        assert await found(here, "0417")
    add_many(conninfo)
    asked: list[tuple[bytes, tuple[object, ...]]] = []
    execute = psycopg.AsyncConnection.execute

    async def kept(
        self: psycopg.AsyncConnection, query: sql.Composed, values: tuple[object, ...]
    ) -> Any:  # noqa: ANN401
        asked.append((query.as_bytes(), values))
        return await execute(self, query, values)

    # PostgreSQL takes up a plan for any value once a connection has asked the same some times.
    options = f"-c plan_cache_mode=force_{mode}_plan"
    async with await psycopg.AsyncConnection.connect(conninfo, options=options) as connection:
        with monkeypatch.context() as patch:
            patch.setattr(psycopg.AsyncConnection, "execute", kept)
            for text in (IMEI, "0417", "ALIKE", "OF00", "00NR", "a" * 64, "a" * 16):
                await find_handsets(connection, text)
    with psycopg.connect(conninfo, options=options) as connection:
        nodes = [node for query, values in asked for node in explained(connection, query, values)]
    for node in nodes:
        read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        assert read * node["Actual Loops"] <= handset_files.MOST_READ, node
    numbers = [node for node in nodes if node.get("Index Name", "").startswith("filed_number")]
    assert numbers
    for node in numbers:
        assert node["Node Type"] == "Index Only Scan", node


def explained(
    connection: psycopg.Connection, query: bytes, values: tuple[object, ...]
) -> list[dict[str, Any]]:
    """The nodes of a query's plan, as it was run."""
    for number in range(1, len(values) + 1):
        query = query.replace(b"%s", b"$%d" % number, 1)
    connection.execute(b"PREPARE asked AS " + query)
    run = sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked ({})").format(
        sql.SQL(", ").join(map(sql.Literal, values))
    )
    [[[told]]] = connection.execute(run).fetchall()
    connection.execute("DEALLOCATE asked")
    nodes, due = [], [told["Plan"]]
    while due:
        nodes.append(due.pop())
        due += nodes[-1].get("Plans", [])
    return nodes


async def test_only_jobs_that_share_something_are_compared(
    conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[Traits, Traits]] = []

    def counted(mine: Traits, other: Traits) -> Comparison:
        compared.append((mine, other))
        return compare(mine, other)

    monkeypatch.setattr(handset_files, "compare", counted)
    async with office(conninfo) as here:
        alike = [handset(f"j-{n:04}", imei=None, serial=f"2026{n:07}") for n in range(20)]
        same = handset("j-0099", imei=None, serial="20260000007")
        await send(here, "Nagoya", *alike, same)
        assert len(await found(here, "2026")) == 21
    assert {each.serial for pair in compared for each in pair} == {"20260000007"}
    assert len(compared) == 2


async def test_what_only_its_chip_joins_is_the_same_handset(conninfo: str) -> None:
    first, second = handset("j-0001"), handset("j-0002", imei=None, serial="", day=1)
    first.tie("j-0001", "c" * 32)
    second.tie("j-0002", "c" * 32)
    async with office(conninfo) as here:
        await send(here, "Nagoya", first, second)
        [told] = await found(here, IMEI)
        assert jobs(told) == [("Nagoya", "j-0001"), ("Nagoya", "j-0002")]
