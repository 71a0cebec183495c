"""Each route has its row, and each row holds for every way to come without signing in."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.routing import Match

from benchd.domain.authority import Action
from benchd.domain.chip import ChipOwners
from benchd.domain.errand import TrayItem
from benchd.domain.handset import HandsetIdentity
from benchd.domain.ids import JobId, PortPath
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.people import PersonId
from benchd.domain.slot import (
    Away,
    AwayView,
    DirectedView,
    EarlierEnd,
    ProblemCode,
    ProblemView,
    QuestionView,
    SlotView,
    TransferView,
)
from benchd.domain.slot_states import SlotState
from benchd.ledger.records.records_access import Records
from benchd.papers.labels import label_source
from benchd.texts.catalogue import FACTS, Catalogue
from benchd.web.access_level import AccessLevel, Served, served_to
from benchd.web.acting_person import Acting
from benchd.web.authoriser import rows_of
from benchd.web.callers import Callers
from benchd.web.objects import SlotObject
from benchd.web.visitor_shares import FILES
from benchd.web.wall import WallHandsetObject, WallQuestionObject, WallSlotObject
from tests.web.served import app_of
from tests.web.test_rack_routes import FakeDossiers, a_trace, fake_source
from tests.web.web_fakes import A1, BEGAN, JOB, FakeRack, running_view, sold_view
from tests.web.web_running import browser, running

REAL_PATHS = {
    "{slot}": "A1",
    "{job}": JOB,
    "{key}": JOB,
    "{path:path}": "app.js",
    "{lot}": "L1",
    "{tag}": "T1",
    "{person}": "sato",
    "{token}": "stock",
}
STREAMS = "/api/v1/events"
SESSION = "/api/v1/session"


def whole_app(
    rack: FakeRack,
    catalogue: Catalogue,
    anonymous: AccessLevel = AccessLevel.WALL,
    *,
    records: Records | None = None,
) -> FastAPI:
    """With everything that benchd can serve."""
    return app_of(
        rack,
        catalogue,
        callers=Callers(anonymous=anonymous),
        scrape=fake_source,
        dossiers=FakeDossiers(),
        records=records,
        trace=a_trace,
    )


def declared(app: FastAPI) -> dict[tuple[str, str], Served]:
    """What each route of an application declares, by its method and path."""
    return {
        (method, row.path): served
        for row in rows_of(app.routes)
        for method, served in row.served.items()
    }


SERVED = declared(whole_app(FakeRack(), Catalogue.load()))


def test_the_files_that_nobody_is_kept_waiting_for_are_those_that_are_served() -> None:
    assert ("GET", FILES) in SERVED


def path_of(template: str) -> str:
    for placeholder, value in REAL_PATHS.items():
        template = template.replace(placeholder, value)
    assert "{" not in template
    return template


def test_no_application_is_made_of_what_does_not_declare_whom_it_serves(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    @served_to(AccessLevel.READ, action=Action.DRAIN)
    async def unguarded() -> None: ...

    @served_to(AccessLevel.READ)
    async def of_nothing(_: Acting) -> None: ...

    async def undeclared() -> None: ...

    assert len(SERVED) > 15
    for method, endpoint, fault in (
        ("GET", undeclared, "/api/v1/secrets doesn't declare"),
        ("POST", unguarded, "/api/v1/secrets declares an action without"),
        ("POST", of_nothing, "/api/v1/secrets declares an action without"),
    ):
        app = whole_app(rack, catalogue)
        app.add_api_route("/api/v1/secrets", endpoint, methods=[method])
        with pytest.raises(RuntimeError, match=fault):
            rows_of(app.routes)
    app = whole_app(rack, catalogue)
    app.mount("/files", FastAPI())
    with pytest.raises(RuntimeError, match="/files/"):
        rows_of(app.routes)


PAGES = {"/", "/board", "/lots", "/disposal", "/report", "/handsets"}


def test_the_documentation_names_each_route_that_is_no_page(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    paths = whole_app(rack, catalogue).openapi()["paths"]
    named = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    pages = {*PAGES, "/static/{path:path}", "/cards", "/openapi.json"}
    assert named == {(method, path) for method, path in SERVED if path not in pages}


def test_the_rows_say_what_was_decided() -> None:
    """By hand and apart from the table, so that no row opens by accident."""
    anybody = {*PAGES, "/static/{path:path}", "/api/v1/texts", "/healthz", "/metrics", SESSION}
    wall = {
        *("/api/v1", "/api/v1/slots", "/api/v1/slots/{slot}", "/api/v1/slots/{slot}/proof"),
        *("/api/v1/events", "/api/v1/queue", "/cards", "/cards.pdf"),
    }
    assert {
        path for (_, path), served in SERVED.items() if served.access_level is AccessLevel.NONE
    } == anybody
    assert {
        path for (_, path), served in SERVED.items() if served.access_level is AccessLevel.WALL
    } == wall
    writing = {
        row: one.access_level
        for row, one in SERVED.items()
        if row[0] != "GET" and row[1] != SESSION
    }
    assert min(writing.values()) is AccessLevel.READ
    assert {
        path for (_, path), access_level in writing.items() if access_level is AccessLevel.READ
    } == {
        "/api/v1/jobs/{job}/decisions",
        "/api/v1/jobs/{job}/label",
        "/api/v1/lots",
        "/api/v1/lots/{lot}/assets",
        "/api/v1/lots/{lot}/assets.csv",
        "/api/v1/lots/{lot}/attestations",
        "/api/v1/lots/{lot}/withdrawals",
        "/api/v1/network.csv",
        "/api/v1/assets/{tag}/strike",
        "/api/v1/assets/{tag}/unerasable",
        "/api/v1/assets/{tag}/grade",
        "/api/v1/jobs/{job}/grade",
        "/api/v1/assets/{tag}/assessments",
        "/api/v1/codes",
        "/api/v1/shipping",
        "/api/v1/shipments",
        "/api/v1/slots/{slot}/asset",
        "/api/v1/disposal/{job}",
    }


@pytest.mark.asyncio
async def test_a_route_without_a_row_is_served_to_nobody(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    app = whole_app(rack, catalogue, AccessLevel.READ)
    paths = ["/api/v1/secrets", "/api/v1/slots/A1/secret"]
    for path in paths:
        app.add_api_route(path, lambda: {"serial": "HQ6123"}, methods=["GET"])
    app.add_api_route("/api/v1/slots", lambda: {"serial": "HQ6123"}, methods=["PUT"])
    async with (
        running(app, tmp_path / "benchd.sock") as here,
        here.over_tcp() as tcp,
        here.over_unix() as unix,
    ):
        for client in (tcp, unix):
            for path in paths:
                assert (await client.get(path)).status_code == 404
            assert (await client.put("/api/v1/slots")).status_code == 405


@pytest.fixture(scope="module", params=[AccessLevel.NONE, AccessLevel.WALL, AccessLevel.READ])
def shown(request: pytest.FixtureRequest, catalogue: Catalogue) -> tuple[AccessLevel, FastAPI]:
    """What is shown to whoever hasn't signed in, and the API of a rack with a sold handset."""
    rack = FakeRack()
    rack.board.show(running_view())
    rack.ledger.keep_sold('{"payload": ""}')
    return request.param, whole_app(rack, catalogue, request.param)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "template"), [row for row in SERVED if row[1] != STREAMS])
async def test_each_row_holds(
    shown: tuple[AccessLevel, FastAPI], method: str, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No read model follows here, and a label would wait for it.
    monkeypatch.setattr(label_source, "CAUGHT_UP_S", 0.0)
    anonymous, app = shown
    async with browser(app) as client:
        answer = await client.request(method, path_of(template))
        head = await client.head(path_of(template))
    wanted = SERVED[method, template].access_level
    if wanted <= anonymous:
        # 204: nobody is signed in any more; 422: what was asked for is missing; 503: the read
        # model doesn't run.
        assert answer.status_code in (200, 204, 404, 422, 503), answer.text
        return
    assert answer.status_code == 403
    code = "socket_only" if wanted is AccessLevel.SOCKET else "sign_in_needed"
    assert answer.json()["error"]["code"] == code
    assert "HQ6123" not in answer.text
    assert head.status_code in (403, 405)


@pytest.mark.asyncio
@pytest.mark.parametrize("anonymous", [AccessLevel.NONE, AccessLevel.WALL])
async def test_the_socket_sees_everything_whatever_is_shown_to_others(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, anonymous: AccessLevel
) -> None:
    rack.board.show(running_view())
    rack.ledger.keep_job()
    app = whole_app(rack, catalogue, anonymous)
    async with running(app, tmp_path / "benchd.sock") as here, here.over_unix() as client:
        assert (await client.get("/api/v1")).json()["shown"] == "read"
        [slot] = (await client.get("/api/v1/slots")).json()["slots"]
        assert slot["handset"]["serial"] == "HQ6123"
        assert (await client.get(f"/api/v1/jobs/{JOB}")).status_code == 200
        assert (await client.post("/api/v1/drain")).status_code == 202


SPELLINGS = [
    "//api/v1/jobs",
    "/api/v1/jobs/",
    "/api/v1//jobs",
    "/api/v1/./jobs",
    "/static/../api/v1/jobs",
    "/API/v1/jobs",
    "/api/v1/jobs%2f",
    "/api/v1/slots/..%2fjobs",
    f"/api/v1/slots/A1%2f..%2f..%2fjobs%2f{JOB}",
    f"/static/..%2fapi%2fv1%2fjobs%2f{JOB}",
]


@pytest.mark.asyncio
async def test_no_other_spelling_of_a_path_leads_past_its_row(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    rack.board.show(running_view())
    rack.ledger.keep_job()
    app = whole_app(rack, catalogue)
    async with running(app, tmp_path / "benchd.sock") as here, here.over_tcp() as client:
        for path in SPELLINGS:
            url = f"http://127.0.0.1:{here.port}{path}"
            answer = await client.send(client.build_request("GET", url))
            assert answer.status_code in (403, 404), path
            assert "HQ6123" not in answer.text, path
            assert JOB not in answer.text.replace(path, ""), path


SECRET = "356938035643809"


def telling_view() -> SlotView:
    """A slot in which every field that has room for it holds a number that isn't for the wall."""
    return SlotView(
        slot=A1,
        port_path=PortPath(f"pci-{SECRET}"),
        state=SlotState.FINISHED,
        since=BEGAN,
        occupancy=7,
        job=JobId(f"job-{SECRET}"),
        last_job=JobId(f"last-{SECRET}"),
        recipe=f"recipe-{SECRET}",
        stage=StageName.CONFIRM,
        progress=0.5,
        eta_s=3.0,
        transfer=TransferView(bytes_done=5, bytes_per_s=3.0),
        handset_left_s=5.0,
        away=AwayView(why=Away.CABLE_OUT, until=BEGAN),
        identity=HandsetIdentity(
            serial=SECRET,
            manufacturer="Sony",
            model="SO-51B",
            android=SECRET,
            build=SECRET,
            imei=SECRET,
        ),
        model_name="Xperia 1 III",
        problem=ProblemView(
            code=ProblemCode.LOW_BATTERY, facts={"serial": SECRET, "percent": "3", "minimum": "9"}
        ),
        question=QuestionView(
            gate=Gate.CONFIRM,
            facts={"model": "SO-51B", "serial": SECRET, "imei_end": SECRET},
            answered_by=(PersonId(SECRET),),
            until=BEGAN,
        ),
        outcome=Outcome.FAILED,
        disposition=Disposition.HOLD,
        reason=Reason.LOCKED,
        owners=ChipOwners(ja=SECRET, en=SECRET),
        dossier=f"dossier-{SECRET}",
        earlier=EarlierEnd(
            job=JobId(f"job-{SECRET}"),
            at=BEGAN,
            disposition=Disposition.DESTROY,
            reason=Reason.FELICA_RESIDUE,
            doomed=True,
        ),
        directed=DirectedView(held_by="stock", place="H1"),
    )


@pytest.mark.asyncio
@pytest.mark.parametrize("path", ["/api/v1/slots", "/api/v1/slots/A1", "/api/v1/queue", STREAMS])
@pytest.mark.parametrize("away", [AwayView(why=Away.CABLE_OUT, until=BEGAN), None])
async def test_nothing_on_the_wall_tells_of_the_handset(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, path: str, away: AwayView | None
) -> None:
    asks = SlotState.FINISHED if away else SlotState.AWAITING_OPERATOR
    rack.board.show(replace(telling_view(), away=away, state=asks))
    rack.board.show_tray(
        [TrayItem(job=JobId(f"job-{SECRET}"), slot=A1, since=BEGAN, model="F-51", serial=SECRET)]
    )
    told: list[str] = []
    async with (
        running(whole_app(rack, catalogue), tmp_path / "benchd.sock") as here,
        here.over_tcp() as client,
        client.stream("GET", path) as answer,
    ):
        async for line in answer.aiter_lines():
            told.append(line)
            if line.startswith("event: alive"):
                break
    text = "\n".join(told)
    assert "SO-51B" in text
    assert '"gate":"confirm"' in text.replace(" ", "")
    assert SECRET not in text


@pytest.mark.asyncio
async def test_what_is_hidden_is_there_for_who_may_read(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    """Else the test before could not fail."""
    view = telling_view()
    assert [one.name for one in fields(SlotView) if getattr(view, one.name) is None] == []
    rack.board.show(view)
    async with browser(whole_app(rack, catalogue, AccessLevel.READ)) as client:
        told = (await client.get("/api/v1/slots/A1")).json()
    hiding = {name for name, value in told.items() if SECRET in json.dumps(value)}
    hidden = {"port_path", "job", "recipe", "owners", "dossier", "earlier"}
    assert hiding == {*hidden, "handset", "question"}


def test_a_new_field_of_a_slot_is_hidden_until_somebody_shows_it() -> None:
    shown = {
        *("slot", "state", "occupancy", "stage", "progress", "eta_s", "handset", "problem"),
        *("question", "outcome", "disposition", "reason", "reason_text"),
        *("since", "mends_itself", "absence", "handset_left_s", "directed"),
    }
    assert set(WallSlotObject.model_fields) == shown
    assert set(SlotObject.model_fields) - shown == {
        *("port_path", "job", "recipe", "owners", "dossier", "earlier", "asset"),
    }
    assert set(WallHandsetObject.model_fields) == {"manufacturer", "model", "name", "known_model"}
    assert set(WallQuestionObject.model_fields) == {"gate"}


def test_no_text_of_a_problem_has_room_for_what_names_a_handset() -> None:
    naming = {"serial", "imei", "imei_end", "model", "job", "operator", "note"}
    facts = {key: names for key, names in FACTS.items() if key.startswith("problem.")}
    assert facts
    assert {key: names & naming for key, names in facts.items() if names & naming} == {}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("change", "certificate", "doubted", "proven"),
    [
        ({}, '{"payload": ""}', False, True),
        ({}, None, False, False),
        ({}, '{"payload": ""}', True, False),
        ({"state": SlotState.RUNNING}, '{"payload": ""}', False, False),
        ({"job": JobId("20261124-ffffffffff")}, '{"payload": ""}', False, False),
        ({"job": None}, '{"payload": ""}', False, False),
    ],
)
async def test_proof_is_of_the_ledger_for_the_job_that_is_shown(
    rack: FakeRack,
    catalogue: Catalogue,
    change: dict[str, object],
    certificate: str | None,
    doubted: bool,
    proven: bool,
) -> None:
    rack.board.show(replace(sold_view(), **change))
    rack.ledger.keep_sold(certificate)
    rack.issuer.doubts = {JOB} if doubted else set()
    async with browser(whole_app(rack, catalogue)) as client:
        told = (await client.get("/api/v1/slots/A1/proof")).json()
        missing = await client.get("/api/v1/slots/Z9/proof")
    assert told == {"slot": "A1", "occupancy": 7, "proven": proven}
    assert missing.status_code == 404


def test_rows_are_matched_as_the_application_matches(rack: FakeRack, catalogue: Catalogue) -> None:
    """Each row's own path reaches its route, so that no row is dead."""
    app = whole_app(rack, catalogue)
    for method, template in SERVED:
        scope = {"type": "http", "path": path_of(template), "method": method, "headers": []}
        assert any(route.matches(scope)[0] is not Match.NONE for route in app.routes), template
