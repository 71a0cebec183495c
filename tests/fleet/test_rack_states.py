"""What the racks' page is told of each rack: its lag, its yield, and who waits there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from benchd.domain.record import EntryKind
from tests.fleet.office_rig import Office, office
from tests.fleet.test_fleet_report import Rack
from tests.fleet.written_ledger import WrittenLedger
from tests.imeis import imei
from tests.ledger.records.records_rack import START, Told

pytestmark = pytest.mark.asyncio

TODAY = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
"""1 December 2026 in Tokyo begins then; the centre's clock is at two in the morning of UTC's."""


async def lines(here: Office) -> list[dict[str, Any]]:
    await here.counted.catch_up()
    told: list[dict[str, Any]] = (await here.ask("/v1/fleet"))["racks"]
    return told


async def waiting(here: Office) -> list[tuple[int, str | None]]:
    return [(line["waiting"], line["waiting_since"]) for line in await lines(here)]


def asks(rack: Rack, job: str, gate: str, at: datetime) -> None:
    rack.told.tell(EntryKind.QUESTION_ASKED, job, {"gate": gate, "facts": {}}, at)


def answers(rack: Rack, job: str, gate: str) -> None:
    answer = {"gate": gate, "approved": True, "operator": "S", "note": ""}
    rack.told.tell(EntryKind.DECISION, job, answer)


async def test_an_open_question_waits_until_it_is_answered_or_its_job_ends(conninfo: str) -> None:
    async with office(conninfo) as here:
        rack = Rack("rack 1")
        await rack.joins(here)
        assert await waiting(here) == [(0, None)]
        first, second = rack.job(imei(1), None), rack.job(imei(2), None)
        asks(rack, first, "network", START + timedelta(hours=2))
        asks(rack, first, "consent", START + timedelta(hours=1))
        asks(rack, second, "confirm", START + timedelta(hours=3))
        await rack.sends(here)
        assert await waiting(here) == [(3, "2026-11-03T02:00:00+00:00")]
        answers(rack, first, "consent")
        await rack.sends(here)
        assert await waiting(here) == [(2, "2026-11-03T03:00:00+00:00")]
        rack.told.end(first)
        await rack.sends(here)
        assert await waiting(here) == [(1, "2026-11-03T04:00:00+00:00")]
        answers(rack, second, "confirm")
        await rack.sends(here)
        assert await waiting(here) == [(0, None)]


async def test_what_a_restore_has_lost_waits_for_nobody(conninfo: str) -> None:
    async with office(conninfo) as here:
        rack = Rack("rack 1")
        await rack.joins(here)
        kept = rack.job(imei(1), None)
        asks(rack, kept, "network", START)
        await rack.sends(here)
        upto = len(rack.ledger.records)
        lost = rack.job(imei(2), None)
        asks(rack, lost, "network", START - timedelta(days=1))
        await rack.sends(here)
        assert [count for count, _ in await waiting(here)] == [2]
        ledger: WrittenLedger = rack.ledger.copy()
        ledger.restore(upto, len(ledger.records) + 5)
        await here.centre.send(ledger, upto)
        of = {line["why"]: (line["waiting"], line["is_newest"]) for line in await lines(here)}
        assert of == {"first": (0, False), "restored": (1, True)}


async def test_the_yield_is_of_jobs_that_have_ended_by_the_racks_own_day(conninfo: str) -> None:
    async with office(conninfo) as here:
        racks = [Rack("rack 1"), Rack("rack 2")]
        for rack in racks:
            await rack.joins(here)
        for number, (at, end) in enumerate(
            (
                (TODAY, "passed"),
                (TODAY + timedelta(hours=1), "failed"),
                (TODAY - timedelta(seconds=1), "passed"),
                (TODAY - timedelta(days=29), "failed"),
                (TODAY - timedelta(days=29, seconds=1), "passed"),
            )
        ):
            job = f"job-{number}"
            racks[0].told.open(job, at - timedelta(hours=1))
            disposition = "sellable" if end == "passed" else "hold"
            data = {"outcome": end, "disposition": disposition, "reason": None, "detail": ""}
            racks[0].told.tell(EntryKind.JOB_ENDED, job, {**data, "certificate": None}, at)
        racks[0].told.open("runs", TODAY)
        racks[0].told.dead("T1", at=TODAY)
        await racks[0].sends(here)
        await here.counted.catch_up()
        told = (await here.ask("/v1/yields"))["racks"]
        assert told == [
            {
                "name": "rack 1",
                "today": {"ended": 2, "passed": 1},
                "month": {"ended": 4, "passed": 2},
            }
        ]
        of_utc = (await here.ask("/v1/yields", zone="UTC"))["racks"]
        assert of_utc[0]["today"] == {"ended": 0, "passed": 0}


async def test_each_line_tells_how_late_its_last_record_came(conninfo: str) -> None:
    async with office(conninfo) as here:
        rack = Rack("rack 1")
        await rack.joins(here)
        assert [line["lag_s"] for line in await lines(here)] == [None]
        at = datetime.now(UTC) - timedelta(hours=5)
        rack.told.open("job-1", at)
        await rack.sends(here)
        [line] = await lines(here)
        heard = datetime.fromisoformat(line["heard_at"])
        assert abs(line["lag_s"] - (heard - at).total_seconds()) < 2
        assert line["uncounted"] == 0


async def test_a_forked_racks_lines_are_all_told(conninfo: str) -> None:
    async with office(conninfo) as here:
        rack = Rack("rack 1")
        await rack.joins(here)
        rack.job(imei(1), "sold")
        await rack.sends(here)
        clone = Rack(rack.name, Told(list(rack.told.stored)), rack.ledger.copy(), rack.sent, 9)
        asks(rack, rack.job(imei(2), None), "network", START)
        await rack.sends(here)
        clone.job(imei(3), "held")
        await clone.sends(here)
        told = await lines(here)
        assert [(line["why"], line["is_newest"], line["waiting"]) for line in told] == [
            ("first", False, 0),
            ("fork", True, 0),
        ]
