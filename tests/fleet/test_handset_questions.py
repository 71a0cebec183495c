"""What one rack knows holds a handset on all: questions to a centre on a real PostgreSQL."""

from __future__ import annotations

from datetime import datetime, timedelta

import anyio
import psycopg
import pytest

from benchd.fleet import handset_index
from benchd.fleet.fleet_database import migrations, open_database
from benchd.fleet.watched_imeis import WatchedImeis
from tests.fleet.centre_rig import NOW, centre
from tests.fleet.handset_stories import (
    ONE,
    OTHER_SERIAL,
    SERIAL,
    THREE,
    TWO,
    Answer,
    RackStory,
    racks,
)
from tests.fleet.written_ledger import text_of

pytestmark = pytest.mark.asyncio

WAITING = "SELECT count(*) >= 2 FROM pg_locks WHERE NOT granted"


async def test_a_handset_crushed_on_one_rack_is_held_on_another(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        job = first.crushes(ONE)
        await first.sends(here)
        answer = await second.asks(here, ONE)
        assert answer.findings == [("doomed", "rack 1", job)]
        assert answer.lease is None
        # Of another handset nothing is known, and its own rack's ledger decides for itself.
        assert (await second.asks(here, TWO)).findings == []
        assert (await first.asks(here, ONE)).findings == []


async def test_what_was_crushed_by_a_persons_word_after_its_job_is_held_too(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        job = first.ends(first.opens(ONE), "return", "managed_device")
        await first.sends(here)
        assert (await second.asks(here, ONE)).findings == []
        first.settles(job, "to_return", "to_destroy")
        await first.sends(here)
        assert (await second.asks(here, ONE)).findings == [("doomed", "rack 1", job)]


async def test_one_that_its_rack_has_let_in_again_is_not_doomed_any_more(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        first.crushes(ONE)
        again = first.opens(ONE)
        first.lets_in(again)
        first.ends(again, "sellable", None, "passed")
        await first.sends(here)
        assert (await second.asks(here, ONE)).findings == []
        # Another rack's yes takes nothing away here.
        doomed = second.crushes(ONE)
        await second.sends(here)
        assert (await first.asks(here, ONE)).findings == [("doomed", "rack 2", doomed)]


async def test_it_may_be_the_doomed_one_where_only_the_serial_is_the_same(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        job = first.crushes(None, SERIAL)
        await first.sends(here)
        told = await second.asks(here, serial=SERIAL)
        assert told.findings == [("doomed", "rack 1", job)]
        assert (await second.asks(here, serial=OTHER_SERIAL)).findings == []


async def test_numbers_lead_on_over_racks(conninfo: str) -> None:
    """Rack 1 knows one number, rack 2 both, and rack 3 asks by the other."""
    async with centre(conninfo) as here:
        first, second, third = await racks(here, 3)
        job = first.crushes(ONE)
        seen = second.opens(ONE, second=TWO)
        second.ends(seen, "sellable", None, "passed")
        await first.sends(here)
        await second.sends(here)
        assert (await third.asks(here, TWO)).findings == [("doomed", "rack 1", job)]


async def test_a_hold_holds_until_its_rack_releases_it_or_runs_it_again(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        job = first.holds(ONE)
        await first.sends(here)
        assert (await second.asks(here, ONE)).findings == [("held", "rack 1", job)]
        first.settles(job, "held", "rerun_due")
        await first.sends(here)
        assert (await second.asks(here, ONE)).findings == []
        # Returned to its owner, and sold back later.
        returned = first.holds(ONE)
        first.settles(returned, "held", "to_return")
        first.settles(returned, "to_return", "returned")
        await first.sends(here)
        assert (await second.asks(here, ONE)).findings == []
        first.holds(ONE)
        first.ends(first.opens(ONE), "sellable", None, "passed")
        await first.sends(here)
        assert (await second.asks(here, ONE)).findings == []


@pytest.mark.parametrize(
    "end",
    [None, ("hold", "unplugged", "aborted"), ("hold", "other_racks_not_asked", "failed")],
    ids=["runs", "cut short", "by the centre's silence"],
)
async def test_a_hold_isnt_washed_off_by_plugging_in_again(
    conninfo: str, end: tuple[str, str, str] | None
) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        held = first.holds(ONE)
        again = first.opens(ONE)
        if end is not None:
            first.ends(again, *end)
        await first.sends(here)
        assert (await second.asks(here, ONE)).findings == [("held", "rack 1", held)]


async def test_no_number_of_retries_elsewhere_hides_a_hold(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second, third = await racks(here, 3)
        held = first.holds(ONE)
        await first.sends(here)
        for _ in range(handset_index.NEWEST + 1):
            second.ends(second.opens(ONE), "hold", "held_elsewhere")
        await second.sends(here)
        assert (await third.asks(here, ONE)).findings == [("held", "rack 1", held)]


@pytest.mark.parametrize(
    "limit", ["NEWEST", "MOST_LASTING", "MOST_RECORDS", "MOST_LOOKED_UP", "newer release"]
)
async def test_where_not_all_was_read_nothing_is_answered_but_a_hold(
    conninfo: str, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    if limit != "newer release":
        monkeypatch.setattr(handset_index, limit, 1)
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        again = first.ends(first.opens(ONE), "return", "managed_device")
        first.ends(first.opens(ONE), "return", "managed_device")
        for _ in range(2):
            first.ends(first.opens(ONE), "sellable", None, "passed")
        if limit == "newer release":
            first.of_a_newer_release(first.crushes(ONE))
        await first.sends(here)
        reply = await here.post(second.ledger.rack, "questions", second.question(ONE))
        assert (reply.status_code, reply.json()["error"]) == (503, "not_all_read")
        assert here.rows("SELECT count(*) FROM handset_lease") == [(0,)]
        if limit in ("NEWEST", "newer release"):
            first.settles(again, "to_return", "to_destroy")
            await first.sends(here)
            assert (await second.asks(here, ONE)).findings == [("doomed", "rack 1", again)]


async def test_only_what_holds_dooms_or_was_drawn_lasts(conninfo: str) -> None:
    async with centre(conninfo) as here:
        [rack] = await racks(here, 1)
        passed = rack.opens(ONE)
        rack.draws(passed, drawn=False)
        rack.ends(passed, "sellable", None, "passed")
        rack.ends(rack.opens(ONE), "hold", "held_elsewhere")
        drawn = rack.opens(ONE)
        rack.draws(drawn)
        lasting = {drawn, rack.holds(ONE), rack.crushes(ONE)}
        await rack.sends(here)
        found = here.rows("SELECT DISTINCT job FROM handset_trait WHERE lasting")
        assert {job for (job,) in found} == lasting


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("assessed", "passed"),
        ("overwrite_due", "passed"),
        ("unplugged", "aborted"),
        ("held_elsewhere", "failed"),
        ("doomed_elsewhere", "failed"),
        ("other_racks_not_asked", "failed"),
    ],
)
async def test_what_is_no_hold_of_its_own_holds_nothing_elsewhere(
    conninfo: str, reason: str, outcome: str
) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        first.ends(first.opens(ONE), "hold", reason, outcome)
        await first.sends(here)
        assert (await second.asks(here, ONE)).findings == []


async def test_an_owed_recheck_is_owed_everywhere(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        job = first.opens(ONE)
        first.draws(job)
        first.ends(job, "hold", "recheck_due", "passed")
        await first.sends(here)
        assert (await second.asks(here, ONE)).findings == [("recheck_owed", "rack 1", job)]


@pytest.mark.parametrize("restored", [False, True])
async def test_a_recheck_after_an_ordinary_restore_settles_what_was_drawn_before(
    conninfo: str, *, restored: bool
) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        job = first.opens(ONE)
        first.draws(job)
        first.ends(job, "hold", "recheck_due", "passed")
        await first.sends(here)
        if restored:
            first.ledger.add("lost", 1)
            await first.sends(here)
            first.ledger.restore(kept=len(first.ledger.records) - 1, number=3_000_000)
            first.sent -= 1
        first.rechecks(job)
        await first.sends(here)
        assert (await second.asks(here, ONE)).findings == []


async def test_the_list_of_the_centre_holds(conninfo: str) -> None:
    async with centre(conninfo) as here, open_database(conninfo) as database:
        [rack] = await racks(here, 1)
        watched = WatchedImeis(database)
        await watched.add(TWO, "police, 2026-12")
        assert (await rack.asks(here, ONE, TWO)).findings == [("watch_listed", None, None)]
        assert (await rack.asks(here, ONE)).findings == []
        assert [(each.imei, each.note) for each in await watched.listed()] == [
            (TWO, "police, 2026-12")
        ]
        assert await watched.remove(TWO)
        assert not await watched.remove(TWO)
        assert (await rack.asks(here, ONE, TWO)).findings == []


async def test_what_a_restored_ledger_has_lost_still_holds_on_its_own_rack_too(
    conninfo: str,
) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        kept = first.crushes(TWO)
        before = len(first.ledger.records)
        lost = first.crushes(ONE)
        await first.sends(here)
        first.ledger.restore(kept=before, number=3_000_000)
        first.sent = before
        await first.sends(here)
        for rack in (first, second):
            assert (await rack.asks(here, ONE)).findings == [("doomed", "rack 1", lost)]
        # What it has kept it knows itself, and may let in again; what it has lost it can't.
        again = first.opens(TWO)
        assert (await first.asks(here, TWO, job=again)).findings == []
        assert (await second.asks(here, TWO)).findings == [("doomed", "rack 1", kept)]
        first.lets_in(again)
        first.ends(again, "sellable", None, "passed")
        other = first.opens(ONE)
        first.lets_in(other)
        await first.sends(here)
        assert (await second.asks(here, TWO)).findings == []
        assert (await second.asks(here, ONE)).findings == [("doomed", "rack 1", lost)]


async def test_what_a_clone_says_holds_and_takes_nothing_away(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        doomed = first.crushes(ONE)
        await first.sends(here)
        clone = RackStory("rack 1")
        clone.ledger = first.ledger.copy()
        del clone.ledger.records[-1]
        clone.sent = len(clone.ledger.records)
        let = clone.opens(ONE)
        clone.lets_in(let)
        mine = clone.crushes(TWO)
        await clone.sends(here)
        assert ("doomed", "rack 1", doomed) in (await second.asks(here, ONE)).findings
        assert (await second.asks(here, TWO)).findings == [("doomed", "rack 1", mine)]


async def test_a_clone_escapes_no_doom_of_the_other_line(conninfo: str) -> None:
    """Whichever of them was heard last: who asks doesn't say from which line."""
    async with centre(conninfo) as here:
        [first] = await racks(here, 1)
        both = first.crushes(THREE)
        await first.sends(here)
        clone = RackStory("rack 1")
        clone.ledger = first.ledger.copy()
        clone.sent = first.sent
        doomed = first.crushes(ONE)
        mine = first.crushes(TWO)
        clone.ledger.add("another")
        await clone.sends(here)
        await first.sends(here)
        assert (await clone.asks(here, ONE)).findings == [("doomed", "rack 1", doomed)]
        assert (await first.asks(here, TWO)).findings == [("doomed", "rack 1", mine)]
        assert both
        assert (await first.asks(here, THREE)).findings == []


async def test_of_two_racks_that_ask_at_once_one_runs(conninfo: str) -> None:
    async with centre(conninfo) as here:
        all_ = await racks(here, 4)
        answers: list[Answer] = []

        async def ask(rack: RackStory) -> None:
            answers.append(await rack.asks(here, ONE, job=f"20261201-{rack.name[-1]}"))

        async with anyio.create_task_group() as group:
            for rack in all_:
                group.start_soon(ask, rack)
        [runs] = [each for each in answers if each.lease is not None]
        assert runs.findings == []
        others = [each for each in answers if each is not runs]
        assert {each.findings[0][0] for each in others} == {"running"}


async def test_of_two_racks_that_ask_at_once_for_what_a_third_had_one_runs(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second, third = await racks(here, 3)
        job = first.opens(ONE)
        assert (await first.asks(here, ONE, job=job)).lease is not None
        first.ends(job, "sellable", None, "passed")
        await first.sends(here)
        answers: list[Answer] = []

        async def ask(rack: RackStory) -> None:
            answers.append(await rack.asks(here, ONE, job=f"20261201-{rack.name[-1]}"))

        async with await psycopg.AsyncConnection.connect(conninfo) as before:
            await before.execute("SELECT FROM handset_lease FOR UPDATE")
            async with anyio.create_task_group() as group:
                group.start_soon(ask, second)
                group.start_soon(ask, third)
                with anyio.fail_after(30):
                    while here.rows(WAITING) != [(True,)]:  # noqa: ASYNC110 - only asking tells
                        await anyio.sleep(0.01)
                await before.rollback()
        [runs] = [each for each in answers if each.lease is not None]
        [waits] = [each for each in answers if each.lease is None]
        assert runs.findings == []
        assert [kind for kind, _, _ in waits.findings] == ["running"]


async def test_a_lease_is_kept_by_its_job_and_ends_with_it(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        job = first.opens(ONE)
        taken = await first.asks(here, ONE, job=job)
        asked_again = await first.asks(here, ONE, job=job, stage="certify", nonce="01" * 32)
        assert taken.lease is not None
        assert (asked_again.findings, asked_again.lease) == ([], taken.lease)
        assert (await second.asks(here, ONE)).findings == [("running", "rack 1", job)]
        first.ends(job, "sellable", None, "passed")
        await first.sends(here)
        later = await second.asks(here, ONE)
        assert later.findings == []
        assert later.lease is not None
        assert later.lease > taken.lease


async def test_a_job_that_has_ended_takes_no_lease(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        job = first.ends(first.opens(ONE), "sellable", None, "passed")
        await first.sends(here)
        assert (await first.asks(here, ONE, job=job)) == Answer(findings=[], lease=None)
        assert (await second.asks(here, ONE)).findings == []


async def test_a_handset_plugged_in_again_on_its_own_rack_is_not_held(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        taken = await first.asks(here, ONE, job="20261201-a")
        again = await first.asks(here, ONE, job="20261201-b")
        assert again.findings == []
        assert taken.lease is not None
        assert again.lease is not None
        assert again.lease > taken.lease
        # The end of the job before doesn't end the lease of this one.
        first.put("job_ended", {"outcome": "aborted"}, "20261201-a")
        await first.sends(here)
        assert (await second.asks(here, ONE)).findings == [("running", "rack 1", "20261201-b")]


async def test_a_job_that_another_of_its_rack_has_superseded_is_held_for_good(
    conninfo: str,
) -> None:
    """As where a clone of the rack goes by its key."""
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        former, later = "20261201-a", "20261201-b"
        old = await first.asks(here, ONE, job=former)
        new = await first.asks(here, ONE, job=later)
        end = {"job": former, "stage": "certify", "lease": old.lease}
        assert (await first.asks(here, ONE, **end)).findings == [("running", "rack 1", later)]
        # Nor by its first stage again, nor under another number of the same handset.
        assert (await first.asks(here, ONE, **{**end, "stage": "gates"})).findings
        assert (await first.asks(here, TWO, ONE, **end)).findings
        assert await first.asks(here, ONE, job=later, stage="certify", lease=new.lease) == new
        first.ends(later, "sellable", None, "passed")
        await first.sends(here)
        assert (await first.asks(here, ONE, **end)).findings == [("running", "rack 1", later)]
        assert (await second.asks(here, ONE)).findings == []


async def test_a_lapsed_job_is_held_once_another_rack_had_its_handset(conninfo: str) -> None:
    clock = Clock()
    async with centre(conninfo, clock) as here:
        first, second = await racks(here, 2)
        old = await first.asks(here, ONE, job="20261201-a")
        clock.at += timedelta(days=1)
        job = second.opens(ONE)
        await second.asks(here, ONE, job=job)
        second.ends(job, "sellable", None, "passed")
        await second.sends(here)
        late = await first.asks(here, ONE, job="20261201-a", stage="certify", lease=old.lease)
        assert late.findings == [("running", "rack 2", job)]


@pytest.mark.parametrize("misread_first", [False, True])
async def test_a_number_that_one_person_misread_takes_no_fence(
    conninfo: str, *, misread_first: bool
) -> None:
    """Of another handset in the same rack, whose job then is the one that is held."""
    honest, other = "20261201-a", "20261201-b"
    async with centre(conninfo) as here:
        [rack] = await racks(here, 1)
        order = (other, honest) if misread_first else (honest, other)
        proven = {honest: (ONE,), other: ()}
        leases = {
            job: (await rack.asks(here, ONE, job=job, proven=proven[job])).lease for job in order
        }
        end = {"job": honest, "stage": "certify", "lease": leases[honest]}
        ends = await rack.asks(here, ONE, **end)
        assert ends.findings == []
        assert ends.lease is not None
        assert ends.lease >= max(filter(None, leases.values()))
        end = {"job": other, "stage": "certify", "lease": leases[other], "proven": ()}
        assert (await rack.asks(here, ONE, **end)).findings == [("running", "rack 1", honest)]


async def test_nor_does_one_misread_on_another_rack_once_the_lease_has_run_out(
    conninfo: str,
) -> None:
    clock = Clock()
    async with centre(conninfo, clock) as here:
        first, second = await racks(here, 2)
        old = await first.asks(here, ONE, job="20261201-a")
        early = await second.asks(here, ONE, job="20261201-b", proven=())
        assert early.findings == [("running", "rack 1", "20261201-a")]
        clock.at += timedelta(days=1)
        misread = await second.asks(here, ONE, job="20261201-b", proven=())
        assert misread.lease is not None
        # Only the job that had it before takes it back.
        fresh = await first.asks(here, ONE, job="20261201-c")
        assert fresh.findings == [("running", "rack 2", "20261201-b")]
        look = {"job": "20261201-a", "stage": "look", "lease": old.lease}
        assert (await first.asks(here, ONE, **look)).findings == fresh.findings
        ends = await first.asks(here, ONE, **{**look, "stage": "certify"})
        assert ends.findings == []
        end = {"job": "20261201-b", "stage": "certify", "lease": misread.lease, "proven": ()}
        held = await second.asks(here, ONE, **end)
        assert held.findings == [("running", "rack 1", "20261201-a")]


@pytest.mark.parametrize("stage", ["certify", "certify_drawn"])
async def test_a_certificate_under_a_number_fences_whoever_read_it(
    conninfo: str, stage: str
) -> None:
    """Also once another job has asked by the same number, misread, in the meantime."""
    async with centre(conninfo) as here:
        [rack] = await racks(here, 1)
        old = await rack.asks(here, ONE, job="20261201-a")
        read = await rack.asks(here, ONE, job="20261201-b", proven=())
        end = {"job": "20261201-b", "stage": stage, "lease": read.lease, "proven": ()}
        assert await rack.asks(here, ONE, **end) == read
        await rack.asks(here, ONE, job="20261201-c", proven=())
        late = await rack.asks(here, ONE, job="20261201-a", stage="certify", lease=old.lease)
        assert late.findings == [("running", "rack 1", "20261201-c")]


async def test_a_number_that_was_proven_later_in_its_job_is_a_fence(conninfo: str) -> None:
    async with centre(conninfo) as here:
        [rack] = await racks(here, 1)
        old = await rack.asks(here, ONE, job="20261201-a")
        read = await rack.asks(here, ONE, job="20261201-b", proven=())
        await rack.asks(here, ONE, job="20261201-b", lease=read.lease)
        late = await rack.asks(here, ONE, job="20261201-a", stage="certify", lease=old.lease)
        assert late.findings == [("running", "rack 1", "20261201-b")]


async def test_a_job_whose_own_number_is_unproven_gives_way_as_before(conninfo: str) -> None:
    async with centre(conninfo) as here:
        [rack] = await racks(here, 1)
        old = await rack.asks(here, ONE, job="20261201-a", proven=())
        await rack.asks(here, ONE, job="20261201-b", proven=())
        end = {"job": "20261201-a", "stage": "certify", "lease": old.lease}
        late = await rack.asks(here, ONE, **end, proven=())
        assert late.findings == [("running", "rack 1", "20261201-b")]


async def test_a_serial_that_was_told_is_a_fence(conninfo: str) -> None:
    async with centre(conninfo) as here:
        [rack] = await racks(here, 1)
        old = await rack.asks(here, serial=SERIAL, job="20261201-a")
        await rack.asks(here, serial=SERIAL, job="20261201-b")
        end = {"job": "20261201-a", "stage": "certify", "lease": old.lease}
        late = await rack.asks(here, serial=SERIAL, **end)
        assert late.findings == [("running", "rack 1", "20261201-b")]


async def test_a_number_that_another_job_has_proven_of_it_is_a_fence_too(conninfo: str) -> None:
    """It asks by one, and the centre knows the other of the same handset."""
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        second.ends(second.opens(ONE, second=TWO), "sellable", None, "passed")
        old = await first.asks(here, TWO, job="20261201-a")
        await second.sends(here)
        await first.asks(here, ONE, job="20261201-b")
        end = {"job": "20261201-a", "stage": "certify", "lease": old.lease}
        late = await first.asks(here, TWO, **end)
        assert late.findings == [("running", "rack 1", "20261201-b")]


async def test_a_lease_of_an_older_centre_counts_as_proven(conninfo: str) -> None:
    async with centre(conninfo) as here:
        [rack] = await racks(here, 1)
        old = await rack.asks(here, ONE, job="20261201-a")
        await rack.asks(here, ONE, job="20261201-b", proven=())
        with psycopg.connect(conninfo, autocommit=True) as admin:
            admin.execute("ALTER TABLE handset_lease DROP COLUMN fence")
            admin.execute(migrations()[9])
    async with centre(conninfo) as here:
        late = await rack.asks(here, ONE, job="20261201-a", stage="certify", lease=old.lease)
        assert late.findings == [("running", "rack 1", "20261201-b")]


async def test_a_job_that_asks_first_at_its_end_takes_the_handset_over(conninfo: str) -> None:
    """A recheck, whose drawn job's end hasn't come in, or one that nobody has answered before."""
    async with centre(conninfo) as here:
        [rack] = await racks(here, 1)
        drawn = await rack.asks(here, ONE, job="20261201-a")
        assert drawn.lease is not None
        told = await rack.asks(here, ONE, job="20261201-b", stage="certify_drawn")
        assert told.findings == []
        assert told.lease is not None
        assert told.lease > drawn.lease
        again = {"job": "20261201-b", "stage": "certify_drawn", "lease": told.lease}
        assert await rack.asks(here, ONE, **again) == told


async def test_a_look_takes_no_handset_from_a_job_of_its_rack(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        taken = await first.asks(here, ONE, job="20261201-a")
        look = await first.asks(here, ONE, job="20261201-b", stage="look")
        assert look == Answer(findings=[], lease=None)
        end = {"job": "20261201-a", "stage": "certify", "lease": taken.lease}
        assert await first.asks(here, ONE, **end) == taken
        elsewhere = await second.asks(here, ONE, job="20261201-c", stage="look")
        assert elsewhere.findings == [("running", "rack 1", "20261201-a")]


@pytest.mark.parametrize("stage", ["certify", "certify_drawn"])
async def test_what_goes_on_with_a_job_that_has_ended_is_held(conninfo: str, stage: str) -> None:
    """A clone or an older state of its rack: the rack itself asks before it writes an end."""
    async with centre(conninfo) as here:
        [rack] = await racks(here, 1)
        job = rack.opens(ONE)
        taken = await rack.asks(here, ONE, job=job)
        rack.ends(job, "sellable", None, "passed")
        await rack.sends(here)
        for lease in (taken.lease, None):
            told = await rack.asks(here, ONE, job=job, stage=stage, lease=lease)
            assert told.findings == [("running", "rack 1", job)]


async def test_a_lease_of_what_the_centre_has_lost_is_no_older_one(conninfo: str) -> None:
    async with centre(conninfo) as here:
        [rack] = await racks(here, 1)
        taken = await rack.asks(here, ONE, job="20261201-b")
        assert taken.lease is not None
        told = await rack.asks(here, ONE, job="20261201-a", lease=taken.lease + 5, stage="certify")
        assert told.findings == []


@pytest.mark.parametrize("lease", [0, -1, True, "7", 1.5, 1 << 63])
async def test_what_is_no_number_of_a_lease_is_refused(conninfo: str, lease: object) -> None:
    async with centre(conninfo) as here:
        [rack] = await racks(here, 1)
        question = rack.question(ONE, lease=lease)
        assert (await here.post(rack.ledger.rack, "questions", question)).status_code == 422
        assert here.rows("SELECT count(*) FROM handset_lease") == [(0,)]


async def test_a_lease_that_ran_out_is_anothers_and_the_first_is_told_so(conninfo: str) -> None:
    clock = Clock()
    async with centre(conninfo, clock) as here:
        first, second = await racks(here, 2)
        taken = await first.asks(here, ONE, job="20261201-a")
        clock.at += timedelta(days=1)
        # Asked for anew, nobody else had it.
        renewed = await first.asks(here, ONE, job="20261201-a", stage="certify")
        assert renewed.findings == []
        clock.at += timedelta(days=1)
        other = await second.asks(here, ONE, job="20261201-b")
        assert other.findings == []
        late = await first.asks(here, ONE, job="20261201-a", stage="certify")
        assert late.findings == [("running", "rack 2", "20261201-b")]
        assert taken.lease is not None
        assert other.lease is not None
        assert other.lease > taken.lease


async def test_a_clock_set_back_at_the_centre_gives_nobody_a_second_lease(conninfo: str) -> None:
    clock = Clock()
    async with centre(conninfo, clock) as here:
        first, second = await racks(here, 2)
        await first.asks(here, ONE, job="20261201-a")
        clock.at -= timedelta(days=400)
        assert (await second.asks(here, ONE)).findings == [("running", "rack 1", "20261201-a")]


async def test_one_handset_by_two_numbers_has_one_lease(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        await first.asks(here, ONE, TWO, job="20261201-a")
        assert (await second.asks(here, TWO)).findings == [("running", "rack 1", "20261201-a")]
        assert (await second.asks(here, THREE)).findings == []


async def test_only_the_racks_own_key_asks_for_it(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        question = first.question(ONE)
        assert (await here.post(second.ledger.rack, "questions", question)).status_code == 422
        changed = question.replace(ONE.encode(), TWO.encode())
        for body in (changed, b"", b"{}", question[:-1], b"\0", text_of([1])):
            assert (await here.post(first.ledger.rack, "questions", body)).status_code == 422
        assert (await here.post("0" * 64, "questions", question)).status_code == 404
        assert (await here.post(first.ledger.rack, "questions", b" " * 9000)).status_code == 413
        assert here.rows("SELECT count(*) FROM handset_lease") == [(0,)]


async def test_a_centre_whose_standby_is_away_answers_nothing(
    conninfo: str,
) -> None:
    """A lease that only one machine has would be given twice after its failure."""
    async with centre(conninfo) as here:
        [rack] = await racks(here, 1)
        with psycopg.connect(conninfo, autocommit=True) as admin:
            admin.execute(
                """
                CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE WARNING 'canceling wait for synchronous replication'; RETURN NULL; END
                $$
                """
            )
            admin.execute(
                "CREATE TRIGGER warns AFTER UPDATE ON handset_lease EXECUTE FUNCTION warn()"
            )
        answer = await here.post(rack.ledger.rack, "questions", rack.question(ONE))
        assert (answer.status_code, answer.json()) == (503, {"error": "not_acknowledged"})


async def test_records_from_before_there_was_an_index_are_found(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        job = first.crushes(ONE)
        await first.sends(here)
        with psycopg.connect(conninfo, autocommit=True) as other:
            other.execute("TRUNCATE job_record, handset_trait")
            other.execute("UPDATE branch SET noted_sequence = 0")
    async with centre(conninfo) as here:
        assert (await second.asks(here, ONE)).findings == [("doomed", "rack 1", job)]


@pytest.mark.parametrize("serial", ["\0", "x" * 5000, "a\nb", "\ud800"])
async def test_what_a_handset_calls_itself_stops_no_rack(conninfo: str, serial: str) -> None:
    async with centre(conninfo) as here:
        [rack] = await racks(here, 1)
        rack.put("job_opened", {"recipe": "overwrite"}, "20261201-a")
        told = {"stage": "inspect", "outcome": "passed", "evidence": {"serial": serial}}
        if serial != "\ud800":
            rack.put("stage_ended", told, "20261201-a")
        rack.put("stage_ended", {"evidence": [1]}, "x" * 300)
        await rack.sends(here)


class Clock:
    """The centre's, which a test sets."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at
