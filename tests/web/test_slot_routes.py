from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from benchd.domain.ids import SlotName
from benchd.domain.job import Disposition, Outcome, Reason
from benchd.domain.slot import ProblemCode, ProblemView, SlotView
from benchd.domain.slot_states import SlotState
from benchd.domain.version_info import version
from benchd.domain.wall_plan import WallPlan
from benchd.texts.catalogue import Catalogue
from benchd.web.service import PlanInEffect
from tests.web.served import app_of
from tests.web.web_fakes import (
    A1,
    HOSTILE,
    JOB,
    FakeRack,
    asking_view,
    identity,
    port,
    running_view,
    waiting_view,
)
from tests.web.web_running import SEES_ALL, Browser, browser, got

pytestmark = pytest.mark.asyncio


async def test_slot_object_is_the_contract(rack: FakeRack, visit: Browser) -> None:
    rack.board.show(replace(running_view(), model_name="Xperia 1 III"))
    async with visit() as client:
        answer = await client.get("/api/v1/slots")
    assert answer.status_code == 200
    assert answer.json() == {
        "slots": [
            {
                "slot": "A1",
                "port_path": "pci-0000:03:00.0-usb-0:1.1",
                "state": "running",
                "since": None,
                "mends_itself": False,
                "absence": None,
                "occupancy": 7,
                "job": JOB,
                "recipe": "overwrite",
                "stage": "overwrite",
                "progress": 0.25,
                "eta_s": 192.4,
                "handset_left_s": None,
                "handset": {
                    "serial": "HQ6123",
                    "model": "SO-51B",
                    "android": "13",
                    "manufacturer": "Sony",
                    "imei": "356938035643809",
                    "name": "Xperia 1 III",
                    "known_model": True,
                },
                "problem": None,
                "question": None,
                "outcome": None,
                "disposition": None,
                "reason": None,
                "reason_text": None,
                "owners": None,
                "dossier": None,
                "earlier": None,
                "asset": None,
                "directed": None,
            }
        ],
        "unknown_ports": [],
        "notices": [],
    }


async def test_slots_keep_the_order_of_the_rack(rack: FakeRack, visit: Browser) -> None:
    for number, name in enumerate(("B2", "A1", "A10"), start=1):
        rack.board.show(SlotView(slot=SlotName(name), port_path=port(number)))
    answer = await got(visit, "/api/v1/slots")
    assert [slot["slot"] for slot in answer["slots"]] == ["B2", "A1", "A10"]
    assert {slot["state"] for slot in answer["slots"]} == {"empty"}


async def test_problem_and_question_say_what_to_do_in_both_languages(
    rack: FakeRack, visit: Browser
) -> None:
    rack.board.show(waiting_view(SlotName("A2"), 2))
    rack.board.show(asking_view(SlotName("A3"), 3))
    async with visit() as client:
        waiting = (await client.get("/api/v1/slots/A2")).json()
        asking = (await client.get("/api/v1/slots/A3")).json()
    assert waiting["state"] == "waiting"
    assert waiting["problem"]["code"] == "adb_disabled"
    assert waiting["problem"]["ja"] == "USBデバッグが無効です"
    assert "開発者向けオプション" in waiting["problem"]["what_to_do"]["ja"]
    assert "Developer options" in waiting["problem"]["what_to_do"]["en"]
    assert asking["question"]["gate"] == "confirm"
    assert "SO-51B（シリアル番号 HQ6123、IMEI末尾" in asking["question"]["ja"]
    assert set(asking["question"]) == {
        *("gate", "asking", "ja", "en", "what_to_do", "yes", "no"),
        *("roles", "by_badge", "answered_by", "until"),
    }
    assert (asking["question"]["roles"], asking["question"]["by_badge"]) == (["confirmer"], False)
    assert asking["question"]["yes"] == {"ja": "承認", "en": "approved"}
    assert asking["question"]["no"]["ja"] == "否認して保留"


async def test_an_end_has_its_reason_and_an_unheard_of_model_no_name(
    rack: FakeRack, visit: Browser
) -> None:
    end = replace(
        running_view(),
        state=SlotState.FINISHED,
        outcome=Outcome.FAILED,
        disposition=Disposition.DESTROY,
        reason=Reason.STORAGE_FAULT,
    )
    rack.board.show(end)
    told = await got(visit, "/api/v1/slots/A1")
    ended = (told["outcome"], told["disposition"], told["reason"])
    assert ended == ("failed", "destroy", "storage_fault")
    assert told["reason_text"]["what_to_do"]["ja"].startswith("破砕へ")
    assert (told["handset"]["name"], told["handset"]["known_model"]) == (None, False)


async def test_unknown_ports_and_what_is_the_matter_with_the_whole_rack_are_told(
    rack: FakeRack, visit: Browser
) -> None:
    rack.board.show_unknown_port(port(9), attached=True)
    for code in (ProblemCode.ANCHOR_UNREACHABLE, ProblemCode.LEDGER_BROKEN):
        rack.board.show_notice(ProblemView(code=code))
    rack.board.withdraw_notice(ProblemCode.ANCHOR_UNREACHABLE)
    answer = await got(visit, "/api/v1/slots")
    (unknown,) = answer["unknown_ports"]
    assert unknown["port_path"] == port(9)
    assert unknown["problem"]["code"] == "unknown_port"
    for language in ("ja", "en"):
        lines = unknown["problem"]["what_to_do"][language].splitlines()
        assert lines[-2:] == ["[slots.NAME]", f'port = "{port(9)}"']
    [notice] = answer["notices"]
    assert notice["code"] == "ledger_broken"
    assert "benchd ledger verify" in notice["what_to_do"]["en"]


async def test_hostile_handset_does_no_harm(rack: FakeRack, visit: Browser) -> None:
    rack.board.show(replace(running_view(), identity=identity(model=HOSTILE, serial=HOSTILE)))
    rack.board.show(waiting_view(SlotName("A2"), 2))
    async with visit() as client:
        answer = await client.get("/api/v1/slots")
    model = answer.json()["slots"][0]["handset"]["model"]
    assert len(model) <= 80
    assert model.isprintable()
    assert len(answer.json()["slots"]) == 2


@pytest.mark.parametrize(
    ("progress", "eta_s", "told"),
    [
        (1.7, -3.0, (1.0, 0.0)),
        (-0.1, math.inf, (0.0, None)),
        (math.nan, math.nan, (None, None)),
    ],
)
async def test_numbers_stay_in_their_bounds(
    rack: FakeRack,
    visit: Browser,
    progress: float,
    eta_s: float,
    told: tuple[float | None, float | None],
) -> None:
    rack.board.show(replace(running_view(), progress=progress, eta_s=eta_s))
    async with visit() as client:
        answer = await client.get("/api/v1/slots/A1")
    assert (answer.json()["progress"], answer.json()["eta_s"]) == told


async def test_index_health_and_openapi(rack: FakeRack, visit: Browser) -> None:
    rack.board.show(SlotView(slot=A1, port_path=port(1)))
    async with visit() as client:
        index = (await client.get("/api/v1")).json()
        assert index["slots"] == "/api/v1/slots"
        assert index["wall"] == {"rows": [["A1"]], "scan_prefix": ""}
        for path in (index[key] for key in ("slots", "jobs", "texts", "openapi", "health")):
            assert (await client.get(path)).status_code == 200
        health = (await client.get("/healthz")).json()
        openapi = (await client.get("/openapi.json")).json()
        docs = await client.get("/docs")
    assert health == {"status": "ok", "slots": 1}
    assert index["version"] == openapi["info"]["version"] == version()
    assert set(openapi["paths"]) > {
        "/healthz",
        "/api/v1",
        "/api/v1/texts",
        "/api/v1/slots",
        "/api/v1/slots/{slot}",
        "/api/v1/slots/{slot}/proof",
        "/api/v1/jobs",
        "/api/v1/jobs/{job}",
        "/api/v1/jobs/{job}/certificate.json",
        "/api/v1/jobs/{job}/decisions",
        "/api/v1/events",
        "/api/v1/queue",
        "/api/v1/session",
    }
    states = openapi["components"]["schemas"]["SlotState"]["enum"]
    assert states == [state.value for state in SlotState]
    assert "HTTPValidationError" not in json.dumps(openapi)
    assert docs.status_code == 404


async def test_what_is_not_there_has_the_one_form(visit: Browser) -> None:
    async with visit() as client:
        missing = await client.get("/metrics-of-old")
        wrong = await client.delete("/api/v1/slots")
        slot = await client.get("/api/v1/slots/Z9")
    assert missing.json()["error"]["code"] == "not_found"
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "method_not_allowed")
    assert slot.status_code == 404
    told = slot.json()["error"]
    assert (told["code"], told["message"]) == ("not_found", "there is no slot Z9")
    assert told["cause"] == {
        "ja": "スロット Z9 はありません。名前は「benchd slots list」で分かります",
        "en": "there is no slot Z9",
    }


async def test_index_tells_where_each_slot_stands(rack: FakeRack, catalogue: Catalogue) -> None:
    for number, name in enumerate(("A1", "A2", "B1"), 1):
        rack.board.show(SlotView(slot=SlotName(name), port_path=port(number)))
    wall = PlanInEffect(WallPlan(rows=(("A2", "", "A1"),), scan_prefix="~"))
    app = app_of(rack, catalogue, callers=SEES_ALL, wall=wall)
    async with browser(app) as client:
        told = (await client.get("/api/v1")).json()["wall"]
        assert told == {"rows": [["A2", "", "A1"], ["B1"]], "scan_prefix": "~"}
        # Another one after a reload.
        wall.plan = WallPlan()
        told = (await client.get("/api/v1")).json()["wall"]
        assert told == {"rows": [["A1", "A2", "B1"]], "scan_prefix": ""}
