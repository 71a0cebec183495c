"""What people have to do next, over the API: nothing goes to sale without its certificate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from benchd.domain.errand import TrayItem
from benchd.domain.errand_priority import errands_of
from benchd.domain.errors import LedgerBusy, LedgerFault
from benchd.domain.hook import Direction, NextAction, NotTaken
from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Gate
from benchd.domain.record import StoredEntry
from benchd.domain.slot import Away, AwayView, SlotView
from benchd.domain.slot_states import SlotState
from benchd.texts.catalogue import Catalogue
from benchd.web.proofs import Proofs
from benchd.web.queue_view import QueueDesk
from tests.web.served import app_of, served_rack
from tests.web.web_fakes import A1, BEGAN, JOB, FakeRack, asking_view, port, running_view, sold_view
from tests.web.web_running import SEES_ALL, Browser, got, running

pytestmark = pytest.mark.asyncio


A2, A3 = SlotName("A2"), SlotName("A3")


def cable_out() -> SlotView:
    until = BEGAN + timedelta(minutes=5)
    away = AwayView(why=Away.CABLE_OUT, until=until)
    return replace(running_view(), state=SlotState.REPLUGGING, since=BEGAN, away=away)


async def test_a_cable_out_comes_first_with_its_deadline(rack: FakeRack, visit: Browser) -> None:
    rack.board.show(cable_out())
    rack.board.show(asking_view(A2, 2, Gate.NETWORK))
    rack.board.show_tray([TrayItem(job=JobId("j-9"), slot=A3, since=BEGAN, model="SH-01L")])
    async with visit() as client:
        told = (await client.get("/api/v1/queue")).json()
        slots = (await client.get("/api/v1/slots")).json()["slots"]
    first, second, third = told["errands"]
    assert (first["kind"], first["slot"], first["job"]) == ("replug", "A1", JOB)
    assert first["deadline"] == (BEGAN + timedelta(minutes=5)).isoformat()
    assert "挿し直してください" in first["what_to_do"]["ja"]
    assert (second["kind"], second["gate"]) == ("question", "network")
    assert "ネットワーク利用制限" in second["ja"]
    assert (third["kind"], third["job"], third["handset"]["model"]) == ("tray", "j-9", "SH-01L")
    assert slots[0]["absence"] == {"planned": False, "deadline": first["deadline"]}


@pytest.mark.parametrize("sees_all", [True, False])
async def test_item_4_a_question_says_in_short_what_to_do_and_to_whom_it_may_until_when(
    rack: FakeRack, catalogue: Catalogue, *, sees_all: bool
) -> None:
    """Whoever hasn't signed in is told the gate and nothing more of the question."""
    view = asking_view(A1, 1, Gate.NETWORK)
    assert view.question is not None
    rack.board.show(replace(view, question=replace(view.question, until=BEGAN)))
    rack.board.show(replace(cable_out(), slot=A2, port_path=port(2)))
    desk = QueueDesk(rack.board, catalogue, Proofs(served_rack(rack, catalogue)))
    told = desk.shown(await desk.errands(), sees_all=sees_all)
    cut, asked = told.errands
    assert asked.in_short is not None
    assert asked.in_short.ja == "照会する: ネットワーク利用制限"
    assert asked.deadline == (BEGAN.isoformat() if sees_all else None)
    assert (cut.in_short, cut.deadline) == (None, (BEGAN + timedelta(minutes=5)).isoformat())


async def test_only_a_certificate_on_record_sends_a_handset_to_sale(
    rack: FakeRack, visit: Browser
) -> None:
    rack.board.show(sold_view())
    rack.ledger.keep_sold(None)
    told = await got(visit, "/api/v1/queue")
    (errand,) = told["errands"]
    assert errand["bin"] == "hold"
    assert "販売しないでください" in errand["what_to_do"]["ja"]
    assert told["bins"] == {"sellable": 0, "return": 0, "hold": 1, "destroy": 0}
    # An unproven handset is told as such whoever holds it.
    rack.direct(asks(NextAction.HOLD))
    (errand,) = (await got(visit, "/api/v1/queue"))["errands"]
    assert (errand["bin"], errand["en"]) == ("hold", "Its certificate can't be confirmed")
    proven, unproven = JobId("20261124-0011223355"), JobId("20261124-0011223366")
    rack.ledger.keep_sold(job=proven)
    # What was asked for one handset isn't said of the next, which is asked about anew.
    for job, goes in ((proven, "sellable"), (unproven, "hold")):
        rack.board.show(replace(sold_view(), job=job, occupancy=8))
        told = await got(visit, "/api/v1/queue")
        assert [errand["bin"] for errand in told["errands"]] == [goes]
        [slot] = (await got(visit, "/api/v1/slots"))["slots"]
        assert slot["directed"] is None


def asks(action: NextAction, place: str | None = None) -> Direction:
    sequence = 4 if action is NextAction.HOLD else 3
    return Direction(
        hook="stock", sequence=sequence, job=JOB, action=action, bin=place, refused=None
    )


async def test_whom_another_system_holds_back_nobody_carries_to_sale(
    rack: FakeRack, visit: Browser
) -> None:
    rack.ledger.keep_sold()
    rack.direct(asks(NextAction.ROUTE, "S1"))
    rack.board.show(sold_view())
    async with visit() as client:
        (errand,) = (await client.get("/api/v1/queue")).json()["errands"]
        assert (errand["bin"], errand["directed"]["place"]) == ("sellable", "S1")
        refused = replace(asks(NextAction.HOLD), refused=NotTaken.STILL_RUNS)
        rack.direct(refused)
        (errand,) = (await client.get("/api/v1/queue")).json()["errands"]
        assert errand["bin"] == "sellable"
        rack.direct(asks(NextAction.HOLD))
        rack.direct(replace(asks(NextAction.HOLD), hook="other"))
        told = (await client.get("/api/v1/queue")).json()
        [slot] = (await client.get("/api/v1/slots")).json()["slots"]
    (errand,) = told["errands"]
    assert (errand["bin"], errand["directed"]) == ("hold", {"held_by": "stock", "place": None})
    assert told["bins"] == {"sellable": 0, "hold": 1, "return": 0, "destroy": 0}
    assert "販売しないで" in errand["what_to_do"]["ja"]
    # What its job has ended with stays as it is on record.
    assert (slot["disposition"], slot["directed"]["held_by"]) == ("sellable", "stock")


async def test_while_the_ledger_gives_no_answer_nothing_is_said_of_it(
    rack: FakeRack, visit: Browser
) -> None:
    rack.board.show(sold_view())
    rack.ledger.keep_sold()
    rack.ledger.broken = True
    async with visit() as client:
        assert (await client.get("/api/v1/queue")).json()["errands"] == []
        rack.ledger.broken = False
        told = (await client.get("/api/v1/queue")).json()
    assert [errand["bin"] for errand in told["errands"]] == ["sellable"]


async def test_the_stream_tells_the_queue_whenever_it_has_changed(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    rack.board.show(running_view())
    app = app_of(rack, catalogue, callers=SEES_ALL)
    told: list[list[str]] = []
    async with (
        running(app, tmp_path / "queue.sock") as here,
        here.over_tcp() as client,
        client.stream("GET", "/api/v1/events") as answer,
    ):
        event = ""
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            if not line.startswith("data: ") or event != "queue":
                continue
            errands = json.loads(line.removeprefix("data: "))["errands"]
            told.append([errand["kind"] for errand in errands])
            if len(told) == 1:
                # How far a stage is changes nothing in the queue, and tells nothing.
                for percent in range(5):
                    rack.board.show(running_view(percent / 100))
                rack.board.show(cable_out())
            elif len(told) == 2:
                rack.board.show(SlotView(slot=A1, port_path=port(1), last_job=JOB))
                rack.board.show_tray([TrayItem(job=JOB, slot=A1, since=BEGAN)])
            elif told[-1] == ["tray"]:
                assert errands[0]["here"]
                break
    assert told[:2] == [[], ["replug"]]


class SlowLedger:
    """A ledger that answers of a job only once that is let through."""

    def __init__(self, rack: FakeRack, jobs: Sequence[JobId]) -> None:
        self._entries = rack.ledger.entries
        self.asked = {job: anyio.Event() for job in jobs}
        self.may_answer = {job: anyio.Event() for job in jobs}

    async def entries(self, job: JobId) -> Sequence[StoredEntry]:
        self.asked[job].set()
        await self.may_answer[job].wait()
        return await self._entries(job)


async def test_a_slow_look_at_one_handset_proves_nothing_of_the_next_in_its_slot(
    rack: FakeRack, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two pages look at once; meanwhile the handset is exchanged for one without a certificate."""
    rack.ledger.keep_sold()
    next_job, other_job = JobId("20261124-0011223355"), JobId("20261124-0011223366")
    slow = SlowLedger(rack, (JOB, next_job, other_job))
    monkeypatch.setattr(rack.ledger, "entries", slow.entries)
    proofs = Proofs(served_rack(rack, catalogue))
    following = replace(sold_view(), job=next_job, occupancy=8)
    beside = replace(sold_view(), slot=A2, port_path=port(2), job=other_job)
    async with anyio.create_task_group() as group:
        rack.board.show(sold_view())
        group.start_soon(proofs.look, [sold_view()])
        await slow.asked[JOB].wait()
        rack.board.show(following)
        rack.board.show(beside)
        group.start_soon(proofs.look, [following, beside])
        await slow.asked[next_job].wait()
        slow.may_answer[next_job].set()
        await slow.asked[other_job].wait()
        slow.may_answer[JOB].set()
        await anyio.wait_all_tasks_blocked()
        slow.may_answer[other_job].set()
    errands = errands_of(rack.board.views(), proven=proofs.found)
    assert {errand.slot: errand.goes for errand in errands} == {A1: "hold", A2: "hold"}


async def test_a_record_that_nobody_understands_sells_nothing_and_hides_nothing(
    rack: FakeRack, visit: Browser
) -> None:
    rack.board.show(sold_view())
    rack.board.show(asking_view(A2, 2, Gate.NETWORK))
    rack.ledger.keep_sold()
    end = rack.ledger.stored[-1]
    data = {**end.entry.data, "outcome": "splendid"}
    rack.ledger.stored[-1] = replace(end, entry=replace(end.entry, data=data))
    async with visit() as client:
        answer = await client.get("/api/v1/queue")
    told = {errand["slot"]: errand["bin"] for errand in answer.json()["errands"]}
    assert told == {"A1": "hold", "A2": None}


PROOF = "/api/v1/slots/A1/proof"


class CountedLedger:
    """Counts its reads, which may fail."""

    def __init__(self, rack: FakeRack) -> None:
        self._entries = rack.ledger.entries
        self.asked = 0
        self.fault: Exception | None = None

    async def entries(self, job: JobId) -> Sequence[StoredEntry]:
        self.asked += 1
        await anyio.lowlevel.checkpoint()
        if self.fault is not None:
            raise self.fault
        return await self._entries(job)


@pytest.fixture
def ledger(rack: FakeRack, monkeypatch: pytest.MonkeyPatch) -> CountedLedger:
    rack.board.show(sold_view())
    rack.ledger.keep_sold('{"payload": ""}')
    counted = CountedLedger(rack)
    monkeypatch.setattr(rack.ledger, "entries", counted.entries)
    return counted


async def test_row_1_however_many_ask_the_ledger_is_read_once(
    ledger: CountedLedger, visit: Browser
) -> None:
    told: list[object] = []
    async with visit() as client:

        async def ask() -> None:
            told.append((await client.get(PROOF)).json()["proven"])

        for _ in range(2):
            async with anyio.create_task_group() as group:
                for _ in range(10):
                    group.start_soon(ask)
        await client.get("/api/v1/queue")
    assert told == [True] * 20
    assert ledger.asked == 1


async def test_row_1_what_the_slot_puts_on_record_is_asked_for_anew(
    rack: FakeRack, ledger: CountedLedger, visit: Browser
) -> None:
    async with visit() as client:
        assert (await client.get(PROOF)).json()["proven"] is True
        rack.issuer.doubts = {JOB}
        rack.board.show(replace(sold_view(), since=BEGAN))
        assert (await client.get(PROOF)).json()["proven"] is False
        rack.board.show(running_view())
        assert (await client.get(PROOF)).json()["proven"] is False
        rack.board.show(sold_view())
        rack.issuer.doubts = set()
        assert (await client.get(PROOF)).json()["proven"] is True
    assert ledger.asked == 3


@pytest.mark.parametrize(
    ("fault", "code", "again"),
    [(LedgerBusy("busy"), "ledger_busy", "1"), (LedgerFault("gone"), "ledger_fault", None)],
)
async def test_row_1_what_could_not_be_read_is_neither_proven_nor_remembered(
    ledger: CountedLedger, visit: Browser, fault: Exception, code: str, again: str | None
) -> None:
    async with visit() as client:
        ledger.fault = fault
        refused = await client.get(PROOF)
        assert refused.status_code == 503
        assert refused.json()["error"]["code"] == code
        assert refused.headers.get("retry-after") == again
        assert (await client.get("/api/v1/queue")).status_code == 200
        ledger.fault = None
        assert (await client.get(PROOF)).json()["proven"] is True
