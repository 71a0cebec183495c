"""What strangers hear of a certificate: never "valid" of what its rack hasn't signed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import anyio
import psycopg
import pytest

from benchd.domain.ids import JobId
from benchd.domain.record import Entry, EntryKind
from benchd.fleet.fleet_database import CONNECTIONS, open_database
from benchd.fleet.handset_index import NEWEST
from benchd.fleet.watched_imeis import WatchedImeis
from tests.certificate.certificate_rack import HANDSET, IMEI, ISSUED_AT, JOB, records_of_an_erasure
from tests.fleet.handset_stories import TWO, RackStory
from tests.fleet.office_rig import RECHECK, Office, certified, office, tell
from tests.fleet.written_ledger import WrittenLedger

pytestmark = pytest.mark.asyncio
MODEL = "Sony SO-51C"
LATER = JobId("20270102-B1-0001")


def digest_of(envelope: bytes) -> str:
    return hashlib.sha256(envelope).hexdigest()


def later_job(outcome: str | None = None, reason: str | None = None) -> list[Entry]:
    """The same handset in another job, by the same inspection."""
    at = ISSUED_AT + timedelta(days=30)
    [inspected] = [
        stored.entry
        for stored in records_of_an_erasure()
        if stored.entry.kind is EntryKind.STAGE_ENDED and stored.entry.data["stage"] == "inspect"
    ]
    opened = Entry(
        kind=EntryKind.JOB_OPENED, at=at, job=LATER, data={"recipe": "x", "usb_serial": ""}
    )
    entries = [opened, replace(inspected, job=LATER, at=at)]
    if outcome is not None:
        data = {
            "outcome": outcome,
            "disposition": "hold",
            "reason": reason,
            "detail": "",
            "certificate": None,
        }
        entries.append(Entry(kind=EntryKind.JOB_ENDED, at=at, job=LATER, data=data))
    return entries


async def osaka(here: Office) -> RackStory:
    """A rack whose clock is a day behind."""
    other = RackStory("Osaka 2")
    other.ledger.day = "2026-11-23"
    await here.centre.join(other.ledger, other.name)
    return other


def held_by_another_system(job: JobId) -> Entry:
    told = {"hook": "erp", "sequence": 5, "job": job, "next_action": "hold"}
    return Entry(
        kind=EntryKind.HOOK_ANSWERED,
        at=ISSUED_AT + timedelta(days=1),
        data={**told, "bin": None, "refused": None},
    )


async def sold(here: Office, ledger: WrittenLedger, folder: Path, *, drawn: bool = False) -> str:
    """A rack that has certified one handset; the digest of that."""
    await here.centre.join(ledger, "Nagoya")
    envelope = certified(ledger, folder / "certificates", drawn=drawn)
    await here.centre.send(ledger, 0)
    return digest_of(envelope)


async def test_a_certificate_is_valid_by_what_its_code_says(conninfo: str, tmp_path: Path) -> None:
    async with office(conninfo) as here:
        digest = await sold(here, WrittenLedger(), tmp_path)
        assert await here.standing(JOB, digest) == ("valid", MODEL)
        # As the code has it.
        assert await here.standing(JOB.upper(), digest.upper()) == ("valid", MODEL)


@pytest.mark.parametrize("case", ["number", "digest", "short", "empty store"])
async def test_what_nobody_has_signed_is_invalid_and_tells_no_model(
    conninfo: str, tmp_path: Path, case: str
) -> None:
    async with office(conninfo) as here:
        if case == "empty store":
            assert await here.standing(JOB, "0" * 64) == ("invalid", None)
            return
        digest = await sold(here, WrittenLedger(), tmp_path)
        number, asked = {
            "number": ("20261124-A1-0008", digest),
            "digest": (JOB, digest[:-1] + ("0" if digest[-1] != "0" else "1")),
            "short": (JOB, digest[:63]),
        }[case]
        assert await here.standing(number, asked) == ("invalid", None)


async def test_a_record_that_holds_a_certificate_of_another_key_vouches_for_nothing(
    conninfo: str, tmp_path: Path
) -> None:
    """A rack's head covers what stands in its records: its signature alone makes none of them."""
    stranger, rack = WrittenLedger(), WrittenLedger()
    envelope = certified(stranger, tmp_path / "certificates")
    async with office(conninfo) as here:
        await here.centre.join(rack, "Nagoya")
        rack.records = list(stranger.records)
        await here.centre.send(rack, 0)
        assert await here.standing(JOB, digest_of(envelope)) == ("invalid", None)


@pytest.mark.parametrize("outcome", [None, "passed", "failed"])
async def test_a_later_job_of_the_handset_on_any_rack_withdraws_it(
    conninfo: str, tmp_path: Path, outcome: str | None
) -> None:
    async with office(conninfo) as here:
        digest = await sold(here, WrittenLedger(), tmp_path)
        other = WrittenLedger()
        await here.centre.join(other, "Osaka")
        tell(other, later_job(outcome))
        await here.centre.send(other, 0)
        assert await here.standing(JOB, digest) == ("withdrawn", MODEL)


async def test_a_passed_look_before_the_sale_leaves_it_valid(conninfo: str, tmp_path: Path) -> None:
    async with office(conninfo) as here:
        digest = await sold(here, WrittenLedger(), tmp_path)
        other = WrittenLedger()
        await here.centre.join(other, "Osaka")
        tell(other, later_job("passed", "rechecked"))
        await here.centre.send(other, 0)
        assert await here.standing(JOB, digest) == ("valid", MODEL)


@pytest.mark.parametrize("drawn", [False, True])
async def test_one_that_another_rack_crushed_is_withdrawn(
    conninfo: str, tmp_path: Path, *, drawn: bool
) -> None:
    async with office(conninfo) as here:
        digest = await sold(here, WrittenLedger(), tmp_path, drawn=drawn)
        assert await here.standing(JOB, digest) == ("valid", MODEL)
        other = await osaka(here)
        other.crushes(IMEI, HANDSET.serial)
        await other.sends(here.centre)
        assert await here.standing(JOB, digest) == ("withdrawn", MODEL)


async def test_one_that_a_job_from_before_it_dooms_is_withdrawn(
    conninfo: str, tmp_path: Path
) -> None:
    async with office(conninfo) as here:
        other = await osaka(here)
        job = other.ends(other.opens(IMEI, HANDSET.serial), "return", "managed_device")
        await other.sends(here.centre)
        digest = await sold(here, WrittenLedger(), tmp_path)
        assert await here.standing(JOB, digest) == ("valid", MODEL)
        other.settles(job, "to_return", "to_destroy")
        await other.sends(here.centre)
        assert await here.standing(JOB, digest) == ("withdrawn", MODEL)


@pytest.mark.parametrize("number", [IMEI, TWO])
async def test_any_number_of_it_on_the_centres_own_list_withdraws_it(
    conninfo: str, tmp_path: Path, number: str
) -> None:
    async with office(conninfo) as here, open_database(conninfo) as database:
        other = await osaka(here)
        other.ends(other.opens(IMEI, HANDSET.serial, TWO), "sellable", None, "passed")
        await other.sends(here.centre)
        digest = await sold(here, WrittenLedger(), tmp_path)
        assert await here.standing(JOB, digest) == ("valid", MODEL)
        await WatchedImeis(database).add(number, "police")
        assert await here.standing(JOB, digest) == ("withdrawn", MODEL)


async def test_one_with_more_jobs_than_are_read_is_never_valid(
    conninfo: str, tmp_path: Path
) -> None:
    async with office(conninfo) as here:
        other = await osaka(here)
        for _ in range(NEWEST):
            other.ends(other.opens(None, HANDSET.serial), "sellable", None, "passed")
        await other.sends(here.centre)
        digest = await sold(here, WrittenLedger(), tmp_path)
        assert await here.standing(JOB, digest) == ("withdrawn", MODEL)


async def test_one_of_which_a_newer_release_tells_is_never_valid(
    conninfo: str, tmp_path: Path
) -> None:
    async with office(conninfo) as here:
        other = await osaka(here)
        other.of_a_newer_release(other.opens(IMEI, HANDSET.serial))
        await other.sends(here.centre)
        digest = await sold(here, WrittenLedger(), tmp_path)
        assert await here.standing(JOB, digest) == ("withdrawn", MODEL)


@pytest.mark.parametrize("job", [JOB, RECHECK])
async def test_what_another_system_holds_of_a_drawn_one_withdraws_it(
    conninfo: str, tmp_path: Path, job: JobId
) -> None:
    ledger = WrittenLedger()
    async with office(conninfo) as here:
        digest = await sold(here, ledger, tmp_path, drawn=True)
        assert await here.standing(JOB, digest) == ("valid", MODEL)
        after = len(ledger.records)
        tell(ledger, [held_by_another_system(job)])
        await here.centre.send(ledger, after)
        assert await here.standing(JOB, digest) == ("withdrawn", MODEL)


async def test_what_is_settled_otherwise_or_held_by_another_system_is_withdrawn(
    conninfo: str, tmp_path: Path
) -> None:
    ledger = WrittenLedger()
    async with office(conninfo) as here:
        digest = await sold(here, ledger, tmp_path)
        after = len(ledger.records)
        tell(ledger, [held_by_another_system(JOB)])
        await here.centre.send(ledger, after)
        assert await here.standing(JOB, digest) == ("withdrawn", MODEL)


async def test_after_a_fork_nobody_knows_which_ledger_counts(conninfo: str, tmp_path: Path) -> None:
    ledger = WrittenLedger()
    ledger.add("common", 2)
    clone = ledger.copy()
    clone.add("another ledger by the same key", 1)
    async with office(conninfo) as here:
        digest = await sold(here, ledger, tmp_path)
        assert await here.standing(JOB, digest) == ("valid", MODEL)
        await here.centre.send(clone, 2)
        assert await here.standing(JOB, digest) == ("withdrawn", MODEL)


async def test_a_fork_after_it_leaves_it_valid(conninfo: str, tmp_path: Path) -> None:
    ledger = WrittenLedger()
    async with office(conninfo) as here:
        digest = await sold(here, ledger, tmp_path)
        end = len(ledger.records)
        clone = ledger.copy()
        ledger.add("own", 1)
        clone.add("another", 1)
        await here.centre.send(ledger, end)
        await here.centre.send(clone, end)
        assert await here.standing(JOB, digest) == ("valid", MODEL)


async def test_a_crowd_of_strangers_is_refused_at_once(conninfo: str) -> None:
    async with office(conninfo) as here:
        refused = anyio.Semaphore(0)

        async def ask() -> None:
            answer = await here.http.get(f"/v1/certificates/{JOB}/{'0' * 64}")
            if answer.status_code == 503:
                refused.release()

        async with anyio.create_task_group() as group:
            for _ in range(300):
                group.start_soon(ask)
            with anyio.fail_after(30):
                for _ in range(100):
                    await refused.acquire()
            group.cancel_scope.cancel()


async def test_an_office_is_answered_however_many_strangers_wait(
    conninfo: str, tmp_path: Path
) -> None:
    """The database is slow to answer them; theirs aren't all of its connections."""
    async with (
        office(conninfo) as here,
        anyio.create_task_group() as group,
        await psycopg.AsyncConnection.connect(conninfo) as slow,
    ):
        digest = await sold(here, WrittenLedger(), tmp_path)
        assert await here.standing(JOB, digest) == ("valid", MODEL)
        await slow.execute("LOCK TABLE watched_imei IN ACCESS EXCLUSIVE MODE")
        for _ in range(CONNECTIONS + 2):
            group.start_soon(here.http.get, f"/v1/certificates/{JOB}/{digest}")
        waiting = "SELECT count(*) >= 2 FROM pg_locks WHERE NOT granted"
        while here.centre.rows(waiting) != [(True,)]:  # noqa: ASYNC110 - only asking tells
            await anyio.sleep(0.01)
        headers = {"authorization": f"Bearer {here.secret}"}
        answer = await here.http.get("/v1/fleet", headers=headers)
        assert answer.status_code == 200, answer.text
        group.cancel_scope.cancel()
