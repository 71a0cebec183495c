"""Records into the centre, on a real PostgreSQL: each once, forks apart, nothing overwritten."""

from __future__ import annotations

import gzip
import random
from datetime import UTC, datetime
from hashlib import sha256

import anyio
import psycopg
import pytest

from benchd.domain.errors import DependencyMissing, UsageRefused
from benchd.fleet.batch_reader import LARGE_BYTES
from benchd.fleet.fleet_database import migrations, open_database
from benchd.fleet.leaf_list import branches_of
from benchd.ledger.fleet_batch import LARGEST_BATCH_BYTES, LARGEST_QUESTION_BYTES, MOST_RECORDS
from benchd.signing.key_ring import KeyRing
from benchd.signing.merkle import root_of
from benchd.signing.rotation import Retired, Retirement, rotate
from tests.fleet.centre_rig import centre
from tests.fleet.written_ledger import NOTHING, WrittenLedger, text_of

pytestmark = pytest.mark.asyncio


def question(*places: tuple[int, bytes]) -> bytes:
    told = [{"sequence": number, "hash": hash_.hex()} for number, hash_ in places]
    return text_of({"places": told})


async def test_batches_come_in_and_are_acknowledged_up_to_their_end(conninfo: str) -> None:
    ledger = WrittenLedger()
    ledger.add("携帯 \U0001f4f1", 5)
    async with centre(conninfo) as here:
        await here.join(ledger)
        first = await here.send(ledger, 0, 3)
        assert (first.of.branch, first.of.tip.sequence) == (0, 3)
        second = await here.send(ledger, 3)
        assert (second.of.tip.sequence, second.of.tip.hash) == ledger.places[-1]
        assert here.records() == ledger.records


async def test_what_is_there_already_is_acknowledged_again_and_kept_once(conninfo: str) -> None:
    ledger = WrittenLedger()
    ledger.add(count=6)
    async with centre(conninfo) as here:
        await here.join(ledger)
        await here.send(ledger, 0, 4)
        for after, end in ((0, 4), (1, 3), (2, 6), (0, 6), (5, 6)):
            told = await here.send(ledger, after, end)
            assert told.of.tip.sequence >= (end or 0)
        assert here.records() == ledger.records
        assert here.rows("SELECT count(*) FROM branch") == [(1,)]


async def test_a_gap_is_refused_with_what_is_expected(conninfo: str) -> None:
    ledger = WrittenLedger()
    ledger.add(count=6)
    async with centre(conninfo) as here:
        await here.join(ledger)
        await here.send(ledger, 0, 2)
        answer = await here.post(ledger.rack, "records", ledger.batch(3))
        number, hash_ = ledger.places[2]
        expected = {"sequence": number, "hash": hash_.hex()}
        assert (answer.status_code, answer.json()) == (409, {"error": "gap", "expected": expected})
        assert here.records() == ledger.records[:2]


async def test_another_record_of_the_same_number_is_kept_apart_and_told(conninfo: str) -> None:
    ledger = WrittenLedger()
    ledger.add("first", 4)
    clone = ledger.copy()
    del clone.records[2:]
    clone.add("second", 3)
    async with centre(conninfo) as here:
        await here.join(ledger)
        await here.send(ledger, 0)
        answer = await here.post(clone.rack, "records", clone.batch(1))
        assert answer.status_code == 200
        assert answer.json()["forks"] == 1
        assert here.checkpoint(answer).of.branch == 1
        # Both go on, each in its own.
        ledger.add("first", 2)
        clone.add("second", 2)
        await here.send(clone, 5)
        assert (await here.send(ledger, 4)).of.branch == 0
        assert here.records(0) == ledger.records
        assert here.records(1) == clone.records[2:]
        told = here.rows("SELECT branch, why, left_branch, left_sequence FROM branch ORDER BY 1")
        assert told == [(0, "first", None, 0), (1, "fork", 0, 2)]


async def test_a_fork_from_the_very_first_record_on(conninfo: str) -> None:
    ledger, other = WrittenLedger(), WrittenLedger()
    other.key = ledger.key
    ledger.add("first", 2)
    other.add("second", 2)
    async with centre(conninfo) as here:
        await here.join(ledger)
        await here.send(ledger, 0)
        assert (await here.send(other, 0)).of.branch == 1
        assert (await here.send(other, 0)).of.branch == 1
        assert (here.records(0), here.records(1)) == (ledger.records, other.records)


async def test_a_restore_on_record_leaves_what_was_lost_there_where_it_is(conninfo: str) -> None:
    ledger = WrittenLedger()
    ledger.add(count=5)
    before = ledger.copy()
    ledger.restore(kept=2, number=3_000_000)
    ledger.add("after", 2)
    async with centre(conninfo) as here:
        await here.join(ledger)
        await here.send(before, 0)
        answer = await here.post(ledger.rack, "records", ledger.batch(2))
        assert (answer.json()["forks"], answer.json()["restores"]) == (0, 1)
        assert here.records(0) == before.records
        assert here.records(1) == ledger.records[2:]


NOISE = random.Random(1).randbytes(LARGE_BYTES).hex()
"""Which can't be packed to less: a batch with it is a large one."""


@pytest.mark.parametrize("told", ["", NOISE], ids=["small", "large"])
async def test_what_a_rack_has_not_signed_does_not_come_in(conninfo: str, told: str) -> None:
    ledger, thief = WrittenLedger(), WrittenLedger()
    ledger.add(told, count=4)
    first, third = ledger.places[1], ledger.places[3]
    bodies = [body for _, _, body in ledger.records]
    forged = [bodies[1], bodies[2].replace(b'"told":"', b'"told":"x')]
    restored = ledger.copy()
    restored.restore(kept=1, number=3_000_000)
    unsigned = ledger.copy()
    del unsigned.records[1:]
    unsigned.put(
        3_000_000, "ledger_restored", {"kept_sequence": 1, "signature": "00", "told": told}
    )
    skipped = ledger.copy()
    del skipped.records[2:]
    skipped.put(9, "config_changed", {"told": told})
    newer = ledger.copy()
    del newer.records[2:]
    newer.put(9, "of_a_newer_release", {"told": told})
    head = ledger.head(third)
    spaced = ledger.copy()
    del spaced.records[1:]
    body = bodies[1].replace(b'"job":', b'"job": ')
    spaced.records.append((2, sha256(first[1] + body).digest(), body))
    spaced.add(count=1)
    good = gzip.decompress(ledger.batch(1, 3))
    crowded, elsewhere = ledger.copy(), ledger.copy()
    for odd, old, new in (
        (crowded, b'"occupancy":null', b'"occupancy":9223372036854775808'),
        (elsewhere, b'"at":"2026-11-24T09:00:02.000000Z"', b'"at":"0001-01-01T00:00:00+14:00"'),
    ):
        del odd.records[1:]
        body = bodies[1].replace(old, new)
        odd.records.append((2, sha256(first[1] + body).digest(), body))
    refused: dict[str, bytes] = {
        "a changed record": ledger.packed(first, forged, head),
        "records out of order": ledger.packed(first, [bodies[2], bodies[1]], head),
        "one left out": ledger.packed(first, [bodies[2]], head),
        "another form of the same, signed": spaced.batch(1),
        "an occupancy that no ledger keeps, signed": crowded.batch(1),
        "a time that isn't UTC, signed": elsewhere.batch(1),
        "one too many": ledger.packed(first, bodies[1:4], head),
        "another key": ledger.packed(first, bodies[1:3], thief.head(third)),
        "a head of another number": ledger.packed(first, bodies[1:3], ledger.head((2, third[1]))),
        "no head": ledger.packed(first, bodies[1:3], {}),
        "a signature that is none": ledger.packed(first, bodies[1:3], {**head, "signature": "zz"}),
        "the empty head": ledger.packed(first, bodies[1:3], ledger.head(NOTHING)),
        "a gap that nobody has signed": unsigned.batch(1),
        "a number left out": skipped.batch(1),
        "a number left out before a kind that nobody knows": newer.batch(1),
        "a restore with another's signature": restored.packed(
            first,
            [restored.records[1][2].replace(b'"known_sequence":0', b'"known_sequence":7')],
            head,
        ),
        "no records": ledger.packed(first, [], head),
        "too many records": ledger.packed(first, [bodies[1]] * (MOST_RECORDS + 1), head),
        "no JSON": gzip.compress(b"{\n{"),
        "not canonical": gzip.compress(good.replace(b'{"after":', b'{ "after":')),
        "not packed": good,
        "cut in the middle": gzip.compress(good)[:-9],
        "something after it": gzip.compress(good) + b"x",
        "nothing": b"",
        "a bomb": gzip.compress(bytes(LARGEST_BATCH_BYTES + 1)),
    }
    async with centre(conninfo) as here:
        await here.join(ledger)
        await here.send(ledger, 0, 1)
        for why, body in refused.items():
            answer = await here.post(ledger.rack, "records", body)
            assert (answer.status_code, answer.json()["error"]) == (422, "refused"), why
        assert here.records() == ledger.records[:1]
        await here.send(ledger, 1)
        assert here.records() == ledger.records


async def test_a_stranger_is_not_known_and_a_flood_ends(conninfo: str) -> None:
    ledger = WrittenLedger()
    ledger.add()
    async with centre(conninfo) as here:
        for what, body in (("records", ledger.batch(0)), ("places", question())):
            answer = await here.post(ledger.rack, what, body)
            assert (answer.status_code, answer.json()) == (404, {"error": "unknown_rack"})
        assert (await here.post("..", "records", b"")).status_code in {404, 422}
        await here.join(ledger)
        flood = await here.post(ledger.rack, "records", bytes(LARGEST_BATCH_BYTES + 1))
        assert flood.status_code == 413
        flood = await here.post(ledger.rack, "places", bytes(LARGEST_QUESTION_BYTES + 1))
        assert flood.status_code == 413


async def test_the_newest_of_the_places_that_it_has_is_told(conninfo: str) -> None:
    ledger = WrittenLedger()
    ledger.add(count=5)
    async with centre(conninfo) as here:
        await here.join(ledger)
        await here.send(ledger, 0, 3)
        for asked, newest in (
            (ledger.places[::-1], ledger.places[3]),
            (ledger.places[4:], NOTHING),
            ([(2, bytes(range(32)))], NOTHING),
            ([], NOTHING),
        ):
            answer = await here.post(ledger.rack, "places", question(*asked))
            told = {"sequence": newest[0], "hash": newest[1].hex()}
            assert answer.json() == {"newest": told, "forks": 0, "restores": 0}
        for odd in (b"", b"{}", question((1, b"x")), question((0, bytes(range(32))))):
            assert (await here.post(ledger.rack, "places", odd)).status_code == 422


async def test_racks_do_not_mix_and_each_checkpoint_is_over_all_of_them(conninfo: str) -> None:
    one, two = WrittenLedger(), WrittenLedger()
    one.add("one", 2)
    two.add("two", 3)
    async with centre(conninfo) as here:
        await here.join(one, "rack 1")
        await here.join(two, "rack 2")
        first, second = await here.send(one, 0), await here.send(two, 0)
        assert (first.size, second.size) == (2, 2)
        assert first.root != second.root
        again = await here.send(one, 0)
        assert again.root == second.root
        answer = await here.post(one.rack, "records", two.batch(0))
        assert answer.status_code == 422


async def test_a_checkpoint_is_over_all_lines_also_one_that_it_begins(conninfo: str) -> None:
    ledgers = [WrittenLedger() for _ in range(3)]
    async with centre(conninfo) as here:
        for number, ledger in enumerate(ledgers):
            ledger.add("first", 3)
            await here.join(ledger, f"rack {number}")
            await here.send(ledger, 0)
        for ledger in sorted(ledgers, key=lambda each: each.rack):
            clone = ledger.copy()
            del clone.records[2:]
            clone.add("second", 2)
            checkpoint = await here.send(clone, 1)
            async with open_database(conninfo) as database, database.transaction() as connection:
                leaves = await branches_of(connection)
            assert checkpoint.root == root_of([each.leaf for each in leaves])
            assert leaves[checkpoint.index] == checkpoint.of
            assert (checkpoint.of.branch, checkpoint.size) == (1, len(leaves))
            assert checkpoint.of.tip.sequence == 4


@pytest.mark.parametrize(
    "row",
    [
        "filed_job (rack, job, opened_at, told) VALUES (1, 'job-1', now(), '{}')",
        "folded_lot (rack, lot, consignor) VALUES (1, 'L-1', '例示商事')",
    ],
)
async def test_records_come_in_while_earlier_ones_of_their_rack_are_being_filed(
    conninfo: str, row: str
) -> None:
    ledger = WrittenLedger()
    ledger.add(count=2)
    async with centre(conninfo) as here:
        await here.join(ledger)
        await here.send(ledger, 0, 1)
        with psycopg.connect(conninfo) as filing:
            filing.execute(f"INSERT INTO {row}")  # type: ignore[arg-type]
            with anyio.fail_after(10):
                await here.send(ledger, 1)
            filing.rollback()
        assert here.records() == ledger.records


async def test_two_batches_at_once_are_one_after_the_other(conninfo: str) -> None:
    ledger = WrittenLedger()
    ledger.add(count=40)
    async with centre(conninfo) as here:
        await here.join(ledger)
        async with anyio.create_task_group() as group:
            for after in range(0, 40, 4):
                group.start_soon(here.post, ledger.rack, "records", ledger.batch(0, after + 4))
        assert here.records() == ledger.records
        assert here.rows("SELECT count(*) FROM branch") == [(1,)]


async def test_a_cancelled_wait_for_the_standby_is_no_acknowledgement(conninfo: str) -> None:
    """Nor is a second one of what only the database's own machine has by then."""
    ledger = WrittenLedger()
    ledger.add(count=3)
    async with centre(conninfo) as here:
        await here.join(ledger)
        with psycopg.connect(conninfo, autocommit=True) as admin:
            await _standby(admin, "'nobody'")
            try:
                for _ in range(2):
                    answers: list[int] = []

                    async def send(told: list[int] = answers) -> None:
                        answer = await here.post(ledger.rack, "records", ledger.batch(0))
                        told.append(answer.status_code)

                    async with anyio.create_task_group() as group:
                        group.start_soon(send)
                        await _cancel_the_wait(admin)
                    assert answers == [503]
                assert here.records() == ledger.records
                assert here.rows("SELECT checkpoint IS NULL FROM branch") == [(False,)]
            finally:
                await _standby(admin, "''")
        assert (await here.send(ledger, 0)).of.tip.sequence == 3


async def _standby(admin: psycopg.Connection, name: str) -> None:
    admin.execute("SET synchronous_commit = local")
    admin.execute(f"ALTER SYSTEM SET synchronous_standby_names = {name}")  # type: ignore[arg-type]
    admin.execute("SELECT pg_reload_conf()")
    with anyio.fail_after(10):
        while True:
            row = admin.execute(
                "SELECT current_setting('synchronous_standby_names') = " + name  # type: ignore[arg-type]
            ).fetchone()
            if row == (True,):
                return
            await anyio.sleep(0.01)


async def _cancel_the_wait(admin: psycopg.Connection) -> None:
    """As soon as somebody waits for a standby."""
    with anyio.fail_after(20):
        while True:
            row = admin.execute(
                "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
                " WHERE wait_event = 'SyncRep' AND datname = current_database()"
            ).fetchone()
            if row and row[0]:
                return
            await anyio.sleep(0.01)


@pytest.mark.parametrize(
    "change",
    ["UPDATE record SET body = 'x'", "DELETE FROM record", "TRUNCATE record"],
)
async def test_the_database_refuses_to_change_records(conninfo: str, change: str) -> None:
    ledger = WrittenLedger()
    ledger.add()
    async with centre(conninfo) as here:
        await here.join(ledger)
        await here.send(ledger, 0)
        with psycopg.connect(conninfo) as admin, pytest.raises(psycopg.errors.RaiseException):
            admin.execute(change)  # type: ignore[arg-type]
        assert here.records() == ledger.records


async def test_a_database_that_is_away_acknowledges_nothing(conninfo: str) -> None:
    ledger = WrittenLedger()
    ledger.add()
    async with centre(conninfo) as here:
        await here.join(ledger)
        with psycopg.connect(conninfo, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        answer = await here.post(ledger.rack, "records", ledger.batch(0))
        assert answer.status_code in {200, 503}
        assert (await here.send(ledger, 0)).of.tip.sequence == 1


async def test_tables_are_made_once_and_a_newer_form_is_refused(conninfo: str) -> None:
    ledger = WrittenLedger()
    ledger.add()
    async with centre(conninfo) as here:
        await here.join(ledger)
        await here.send(ledger, 0)
    async with centre(conninfo) as here:
        assert here.records() == ledger.records
        made = here.rows("SELECT version FROM migration ORDER BY version")
        assert [number for (number,) in made] == list(migrations())
    with psycopg.connect(conninfo) as admin:
        admin.execute("INSERT INTO migration (version) VALUES (9999)")
    with pytest.raises(DependencyMissing, match="form 9999"):
        async with centre(conninfo):
            pass


async def test_a_database_that_is_not_there_is_told(
    conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchd.fleet.fleet_database.TURN_S", 0.5)
    with pytest.raises(DependencyMissing, match="can't be reached"):
        async with open_database(f"{conninfo} port=1"):
            pass


async def test_after_a_rotation_records_wait_for_the_ring_and_the_old_key_counts_no_more(
    conninfo: str,
) -> None:
    old, thief = WrittenLedger(), WrittenLedger()
    old.add(count=3)
    new = old.copy()
    new.key = thief.key
    new.add(count=2)
    stolen = new.copy()
    stolen.key = old.key
    before = KeyRing.of(old.key.public_key())
    retirement = Retirement(
        why=Retired.ROTATED,
        at=datetime(2026, 11, 26, tzinfo=UTC),
        sequence=3,
        head_hash=old.places[3][1].hex(),
        certificates=frozenset(),
        papers=frozenset(),
        secrets_sha256="00" * 32,
    )
    after = before.with_rotation(rotate(old.key, new.key, retirement, None))
    rack = after.rack
    async with centre(conninfo) as here:
        await here.racks.join("rack", before)
        assert (await here.post(rack, "records", old.batch(0))).status_code == 200
        assert (await here.post(rack, "records", new.batch(3))).status_code == 422
        assert not await here.racks.join("rack", after)
        assert (await here.post(rack, "records", new.batch(3))).status_code == 200
        stolen.key = old.key
        stolen.add(count=1)
        assert (await here.post(rack, "records", stolen.batch(5))).status_code == 422
        with pytest.raises(UsageRefused, match="doesn't go on"):
            await here.racks.join("rack", before)
        assert here.records() == new.records


async def test_who_joins_and_who_does_not(conninfo: str) -> None:
    ledger, other = WrittenLedger(), WrittenLedger()
    async with centre(conninfo) as here:
        ring = KeyRing.of(ledger.key.public_key())
        assert await here.racks.join("rack 1", ring)
        assert not await here.racks.join("rack 1, Nagoya", ring)
        with pytest.raises(UsageRefused, match="is called"):
            await here.racks.join("rack 1, Nagoya", KeyRing.of(other.key.public_key()))
        for odd in ("", " x", "a\nb", "\u202e", "x" * 81):
            with pytest.raises(UsageRefused, match="name"):
                await here.racks.join(odd, ring)
        [state] = await here.racks.states()
        assert (state.name, state.branch, state.sequence) == ("rack 1, Nagoya", 0, 0)


async def test_what_another_centre_did_not_note_is_noted_with_the_next_batch(
    conninfo: str,
) -> None:
    ledger = WrittenLedger()
    for number in range(1, 5):
        ledger.put(number, "job_opened", {}, f"job-{number}")
    async with centre(conninfo) as here:
        await here.join(ledger)
        await here.send(ledger, 0, 2)
        with psycopg.connect(conninfo) as other:
            # As one of an older release leaves it, which knows no such table.
            other.execute("DELETE FROM job_record")
            other.execute("UPDATE branch SET noted_sequence = 0")
        await here.send(ledger, 2)
        noted = here.rows("SELECT job, sequence FROM job_record ORDER BY sequence")
        assert noted == [(f"job-{number}", number) for number in range(1, 5)]
        assert here.rows("SELECT noted_sequence FROM branch") == [(4,)]
