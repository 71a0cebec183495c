"""Signing in over the API, with real people: cookies, CSRF, tries, and who may do what."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from benchd.domain.authority import ACTION_OF, AUTHORITY, Action
from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.domain.people import Role
from benchd.domain.record import EntryKind
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.people.login_throttle import FREE_TRIES_OF_SOURCE
from benchd.texts.catalogue import Catalogue
from benchd.web import acting_person
from benchd.web.access_level import AccessLevel, served_of
from benchd.web.acting_person import GUARDS, somebody
from benchd.web.cross_site_guard import SAFE_METHODS
from benchd.web.session_routes import SESSION
from tests.core.world import CountingEntropy
from tests.intake.lots import lot_with
from tests.people.people_rig import BADGE, BY, OTHER_BADGE, OTHER_PIN, PIN, Door, people_in
from tests.web.served import app_of
from tests.web.staffed import CSRF, DECISIONS, SHOWN, OpenShop, asked, staffed
from tests.web.test_records_routes import PAPERS
from tests.web.test_rows import path_of
from tests.web.web_fakes import JOB, FakeClock, FakeRack
from tests.web.web_running import running

pytestmark = pytest.mark.asyncio


async def test_the_cookie_is_no_scripts_and_no_other_sites(shop: OpenShop) -> None:
    async with shop() as here, here.browser() as at:
        assert (await at.get(SESSION)).json() is None
        answer = await here.sign_in(at, badge=BADGE, pin=PIN)
        assert answer.status_code == 201
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "path=/" in cookie
        assert at.cookies["benchd_session"] not in answer.text
        told = (await at.get(SESSION)).json()
        assert (told["person"], told["name"], told["strong"]) == ("mori", "森 葵", True)
        may = {gate for gate in Gate if Role.OPERATOR in AUTHORITY[ACTION_OF[gate]].roles}
        assert set(told["gates"]) == may != set(Gate)
        stayed = await at.put(SESSION)
        assert stayed.status_code == 200
        assert (await at.delete(SESSION)).status_code == 204
        assert (await at.get(SESSION)).json() is None


async def test_item_2_the_session_supplies_the_person_to_whom_a_pin_is_added(
    shop: OpenShop,
) -> None:
    async with shop() as here, here.browser() as at:
        await here.sign_in(at, badge=BADGE)
        del at.headers[CSRF]
        assert await asked(at, "POST", SESSION, {"pin": PIN}) == (401, "not_signed_in")
        # A page that was loaded anew has the token from here, and the badge from nowhere.
        at.headers[CSRF] = (await at.get(SESSION)).json()["csrf"]
        assert await asked(at, "POST", SESSION, {"pin": OTHER_PIN}) == (401, "not_signed_in")
        assert (await here.sign_in(at, pin=PIN)).status_code == 201
        told = (await at.get(SESSION)).json()
        assert (told["person"], told["shown_by"], told["strong"]) == ("mori", "badge_and_pin", True)


async def test_item_8_of_the_stumbles_what_comes_late_takes_no_newer_cookie(
    shop: OpenShop,
) -> None:
    """Two windows of one browser: what one has asked arrives after the other has signed in anew."""
    async with shop() as here, here.browser() as at:
        await here.sign_in(at, badge=BADGE)
        late = {"cookie": f"benchd_session={at.cookies['benchd_session']}"}
        await here.sign_in(at, badge=OTHER_BADGE)
        for asked_late in (at.get, at.delete):
            answer = await asked_late(SESSION, headers=late)
            assert answer.is_success
            assert "set-cookie" not in answer.headers
        assert (await at.get(SESSION)).json()["person"] == "kato"
        # What nobody has replaced goes when its screen is locked; and an idle one takes nothing.
        here.door.seconds.s += here.door.sessions.idle_s
        assert "set-cookie" not in (seen := await at.get(SESSION)).headers
        assert seen.json() is None
        assert "max-age=0" in (await at.delete(SESSION)).headers["set-cookie"].lower()


async def test_item_1_of_the_stumbles_a_tag_is_nobodys_badge_and_no_try(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    desk = IntakeDesk(IntakeStore(rack.ledger, FakeClock()), CountingEntropy())
    await lot_with(desk, "T-000123", OTHER_BADGE, "730184")
    for level, code in ((AccessLevel.READ, "code_of_asset"), (AccessLevel.WALL, "not_signed_in")):
        folder = tmp_path / level.name
        folder.mkdir()
        callers = partial(Door.callers, anonymous=level)
        async with (
            staffed(rack, catalogue, folder, callers, intake=desk) as here,
            here.browser() as at,
        ):
            shown = {"badge": "T-000123"}
            assert await asked(at, "POST", SESSION, shown) == (401, code)
            kept = [one for one in here.door.records if one.kind is EntryKind.PERSON_REFUSED]
            # Who isn't shown assets isn't told that it is one.
            assert len(kept) == (0 if level is AccessLevel.READ else 1)
            # A label that somebody has put on their badge is their badge.
            assert (await here.sign_in(at, badge=OTHER_BADGE)).json()["person"] == "kato"
            told = {"pin": "730184", "perhaps_badge": "730184"}
            assert await asked(at, "POST", SESSION, told) == (401, "code_of_asset")


async def test_what_was_scanned_is_told_of_without_an_error_and_is_a_try_all_the_same(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    desk = IntakeDesk(IntakeStore(rack.ledger, FakeClock()), CountingEntropy())
    await lot_with(desk, "T-000123")
    callers = partial(Door.callers, anonymous=AccessLevel.READ)
    async with (
        staffed(rack, catalogue, tmp_path, callers, intake=desk) as here,
        here.browser() as at,
    ):
        for code, why in (("T-000123", "code_of_asset"), ("NOBODYS-1", "not_signed_in")):
            assert await asked(at, "POST", SESSION, {"scanned": code}) == (200, why)
        assert (await at.get(SESSION)).json() is None
        refused = [one for one in here.door.records if one.kind is EntryKind.PERSON_REFUSED]
        assert len(refused) == 1
        assert (await here.sign_in(at, scanned=OTHER_BADGE)).status_code == 201
        assert (await at.get(SESSION)).json()["person"] == "kato"
        # Guessed by it no code is told any longer than by any other way.
        guess = {"scanned": "NOBODYS-2"}
        told = [await asked(at, "POST", SESSION, guess) for _ in range(FREE_TRIES_OF_SOURCE)]
        assert told[-1] == (429, "tried_too_often")


async def test_without_a_session_or_by_a_cookie_alone_nobody_answers(
    rack: FakeRack, shop: OpenShop
) -> None:
    async with shop() as here, here.browser() as at:
        for gate in Gate:
            assert await here.answer(at, gate) == (401, "not_signed_in")
        assert (await at.get("/api/v1/slots")).status_code == 200
        await here.sign_in(at, badge=BADGE, pin=PIN)
        del at.headers[CSRF]
        assert await here.answer(at, Gate.OBSERVE) == (401, "not_signed_in")
        assert (await at.put(SESSION)).status_code == 401
    assert rack.ledger.of(EntryKind.DECISION) == []


def wanted(action: Action, role: Role, shown: str) -> tuple[int, str]:
    """What somebody of this role hears who has shown this."""
    rule = AUTHORITY[action]
    if role not in rule.roles:
        return 403, "not_allowed"
    if not rule.by_badge and shown != "badge and pin":
        return 403, "more_to_show"
    return 200, ""


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("role", Role)
async def test_each_gate_by_role_and_by_what_was_shown(
    shop: OpenShop, role: Role, shown: str
) -> None:
    async with shop() as here, here.browser() as at:
        await here.door.people.set_roles(BY, "mori", [role])
        await here.sign_in(at, **SHOWN[shown])
        for gate in (Gate.CONFIRM, *(gate for gate in Gate if gate is not Gate.CONFIRM)):
            told = await here.answer(at, gate)
            assert told == wanted(ACTION_OF[gate], role, shown), gate


CRUSHED: dict[str, str] = {"state": "destroyed", **PAPERS}
RELEASED: dict[str, str] = {"state": "to_return", "note": "lock not removed"}
DOOMED = "/api/v1/disposal/doomed"


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("role", Role)
async def test_settling_by_role_and_by_what_was_shown(
    rack: FakeRack, shop: OpenShop, role: Role, shown: str
) -> None:
    rack.ledger.keep_job(job=JobId("doomed"), disposition="destroy", reason="felica_residue")
    rack.ledger.keep_job(job=JobId("held"))
    async with shop() as here, here.browser() as at:
        await here.door.people.set_roles(BY, "mori", [role])
        await here.sign_in(at, **SHOWN[shown])
        settling = wanted(Action.SETTLE, role, shown)
        assert await asked(at, "POST", DOOMED, CRUSHED) == settling
        for kept in rack.ledger.of(EntryKind.HANDSET_SETTLED):
            assert (kept.data["person"], kept.data["shown_by"]) == ("mori", "badge_and_pin")
        # To release takes what settling takes, and more.
        releasing = wanted(Action.RELEASE, role, shown) if settling[0] == 200 else settling
        assert await asked(at, "POST", "/api/v1/disposal/held", RELEASED) == releasing


async def test_nobody_and_a_cookie_alone_settle_nothing_and_who_settles_is_on_record(
    rack: FakeRack, shop: OpenShop
) -> None:
    rack.ledger.keep_job(job=JobId("doomed"), disposition="destroy", reason="felica_residue")
    async with shop() as here, here.browser() as at:
        assert await asked(at, "POST", DOOMED, CRUSHED) == (401, "not_signed_in")
        assert (await at.post(SESSION, json={"badge": BADGE, "pin": PIN})).status_code == 201
        assert await asked(at, "POST", DOOMED, CRUSHED) == (401, "not_signed_in")
        at.headers[CSRF] = "another's"
        assert await asked(at, "POST", DOOMED, CRUSHED) == (401, "not_signed_in")
        await here.sign_in(at, badge=BADGE, pin=PIN)
        other = {**CRUSHED, "operator": "kato"}
        assert await asked(at, "POST", DOOMED, other) == (401, "not_signed_in")
        assert rack.ledger.of(EntryKind.HANDSET_SETTLED) == []
        assert await asked(at, "POST", DOOMED, CRUSHED) == (200, "")
    kept = rack.ledger.stored[-1].entry
    assert (kept.kind, kept.data["person"]) == (EntryKind.HANDSET_SETTLED, "mori")
    assert kept.data["shown_by"] == "badge_and_pin"


async def test_what_could_not_be_plugged_in_is_listed_found_and_settled(
    rack: FakeRack, shop: OpenShop
) -> None:
    async with shop() as here, here.browser() as at, anyio.create_task_group() as group:
        await here.sign_in(at, badge=BADGE, pin=PIN)
        lot = {"lot": "L-1", "consignor": "個人", "kind": "purchase", "paper": "No.12"}
        assert (await at.post("/api/v1/lots", json=lot)).is_success
        asset = {"tag": "T-001", "model": "SO-51B"}
        assert (await at.post("/api/v1/lots/L-1/assets", json=asset)).is_success
        dead = await at.post("/api/v1/assets/T-001/unerasable", json={"reason": "no_power"})
        case = dead.json()["case"]
        group.start_soon(here.records.run)
        with anyio.fail_after(30):
            await here.records.until(lambda: here.records.upto.sequence == len(rack.ledger.stored))
        [item] = (await at.get("/api/v1/disposal")).json()["items"]
        assert (item["job"]["job"], item["job"]["state"]) == (case, "to_destroy")
        assert (item["job"]["tag"], item["job"]["unerasable"]) == ("T-001", "no_power")
        assert item["job"]["reason_text"]["ja"] == "電源が入らない"
        assert item["moves"] == ["run_again", "destroyed"]
        [found] = (await at.get("/api/v1/handsets?find=T-001")).json()["handsets"]
        assert found["newest"]["job"] == case
        assert (await at.get(f"/api/v1/handsets/{case}")).is_success
        assert (await at.get(f"/api/v1/jobs/{case}")).status_code == 404
        assert (await at.get("/api/v1/jobs")).json()["jobs"] == []
        assert await asked(at, "POST", f"/api/v1/disposal/{case}", CRUSHED) == (200, "")
        group.cancel_scope.cancel()


async def test_who_has_worked_on_it_does_not_confirm_whatever_they_show(
    rack: FakeRack, shop: OpenShop
) -> None:
    """Nor does one process that answers everything under one name and its look-alikes."""
    async with shop() as here, here.browser() as at:
        await here.sign_in(at, badge=OTHER_BADGE, pin=OTHER_PIN)
        assert await here.answer(at, Gate.OBSERVE) == (200, "")
        assert await here.answer(at, Gate.CONFIRM) == (409, "second_person_needed")
        for name in ("加藤 舞\u3164", "加藤  舞", "kato ", "kato\u200b"):
            assert (await here.answer(at, Gate.CONFIRM, operator=name))[0] == 401
        await here.sign_in(at, badge=BADGE, pin=PIN)
        assert await here.answer(at, Gate.CONFIRM) == (403, "not_allowed")
        await here.door.people.set_roles(BY, "mori", [Role.CONFIRMER])
        assert await here.answer(at, Gate.CONFIRM) == (200, "")
    kept = rack.ledger.of(EntryKind.DECISION)
    assert [one.data["person"] for one in kept] == ["kato", "mori"]


async def test_too_many_tries_are_told_how_long_to_wait(shop: OpenShop) -> None:
    async with shop() as here, here.browser() as at:
        for _ in range(3):
            assert (await here.sign_in(at, person="mori", pin="551904")).status_code == 401
        paused = await here.sign_in(at, person="mori", pin=PIN)
        assert (paused.status_code, paused.json()["error"]["code"]) == (429, "tried_too_often")
        assert paused.headers["retry-after"] == "2"


async def test_a_cookie_from_the_network_is_none_on_the_socket(
    shop: OpenShop, tmp_path: Path
) -> None:
    async with (
        shop() as here,
        running(here.app, tmp_path / "benchd.sock") as served,
        served.over_tcp() as tcp,
        served.over_unix() as unix,
    ):
        del tcp.headers["cookie"]
        opened = await tcp.post(SESSION, json={"badge": BADGE, "pin": PIN})
        stolen = {
            "cookie": f"benchd_session={tcp.cookies['benchd_session']}",
            CSRF: opened.json()["csrf"],
        }
        assert (await tcp.put(SESSION, headers={CSRF: stolen[CSRF]})).status_code == 200
        assert (await unix.put(SESSION, headers=stolen)).status_code == 401
        # Not even whoever owns the files does anything with somebody's cookie.
        assert (await unix.get("/api/v1/people", headers=stolen)).status_code == 401


CODES = "/api/v1/codes"
ROUTES: dict[tuple[str, str], Action | str] = {
    ("POST", DECISIONS.replace(JOB, "{job}")): "the desk, by the gate",
    ("POST", SESSION): "whoever shows who they are",
    ("PUT", SESSION): "the session's own",
    ("DELETE", SESSION): "locks, and does nothing else",
    ("POST", CODES): "looks up, and does nothing else",
    ("POST", "/api/v1/jobs/{job}/label"): Action.PRINT,
    ("POST", "/api/v1/drain"): Action.DRAIN,
    ("PUT", "/api/v1/drain/pause"): Action.DRAIN,
    ("PUT", "/api/v1/log-level"): Action.LOG,
    ("POST", "/api/v1/lots"): Action.TAKE_IN,
    ("POST", "/api/v1/lots/{lot}/assets"): Action.TAKE_IN,
    ("POST", "/api/v1/lots/{lot}/assets.csv"): Action.TAKE_IN,
    ("POST", "/api/v1/lots/{lot}/attestations"): Action.ATTEST,
    ("POST", "/api/v1/lots/{lot}/withdrawals"): Action.ATTEST,
    ("POST", "/api/v1/network.csv"): Action.TAKE_IN,
    ("POST", "/api/v1/time"): Action.ADMINISTER,
    ("POST", "/api/v1/assets/{tag}/strike"): Action.TAKE_IN,
    ("POST", "/api/v1/assets/{tag}/unerasable"): Action.TAKE_IN,
    ("POST", "/api/v1/assets/{tag}/grade"): Action.GRADE,
    ("POST", "/api/v1/jobs/{job}/grade"): Action.GRADE,
    ("POST", "/api/v1/assets/{tag}/assessments"): Action.ATTEST,
    ("POST", "/api/v1/shipping"): Action.TAKE_OUT,
    ("POST", "/api/v1/shipments"): Action.SETTLE,
    ("POST", "/api/v1/slots/{slot}/asset"): Action.ANSWER,
    ("POST", "/api/v1/disposal/{job}"): Action.SETTLE,
    ("POST", "/api/v1/records/rebuild"): Action.REBUILD,
    ("POST", "/api/v1/slots/{slot}/dossier"): Action.RECORD,
    ("POST", "/api/v1/people"): Action.ADMINISTER,
    ("PUT", "/api/v1/people/{person}/roles"): Action.ADMINISTER,
    ("PUT", "/api/v1/people/{person}/badge"): Action.ADMINISTER,
    ("PUT", "/api/v1/people/{person}/pin"): Action.ADMINISTER,
    ("PUT", "/api/v1/people/{person}/disabled"): Action.ADMINISTER,
    ("POST", "/api/v1/tokens"): Action.ADMINISTER,
    ("PUT", "/api/v1/tokens/{token}/secret"): Action.ADMINISTER,
    ("DELETE", "/api/v1/tokens/{token}"): Action.ADMINISTER,
}
"""Every route that does something, and what it takes: a new one without a row fails."""


def unsafe_routes(app: FastAPI) -> list[tuple[str, str, APIRoute]]:
    return [
        (method, route.path, route)
        for route in all_routes(app)
        for method in sorted((route.methods or set()) - SAFE_METHODS)
    ]


def all_routes(app: FastAPI) -> list[APIRoute]:
    found: list[APIRoute] = []
    waiting = list(app.routes)
    while waiting:
        route = waiting.pop()
        if isinstance(route, APIRoute):
            found.append(route)
        else:
            waiting += getattr(route, "routes", None) or []
            router = getattr(route, "original_router", None)
            waiting += router.routes if router is not None else []
    return found


def guards(dependant: Dependant) -> list[Callable[..., Any]]:
    calls = [one.call for one in dependant.dependencies]
    return [call for call in calls if call is not None and (call in GUARDS or call is somebody)]


async def test_every_route_that_does_something_has_its_row_and_its_guard(shop: OpenShop) -> None:
    async with shop() as here:
        routes = {(method, path): route for method, path, route in unsafe_routes(here.app)}
    assert set(routes) == set(ROUTES)
    for key, row in ROUTES.items():
        found = guards(routes[key].dependant)
        if isinstance(row, Action):
            served = served_of(routes[key].endpoint)
            assert served is not None, key
            assert served.action is row, key
            assert len([one for one in found if one in GUARDS]) == 1, key
        elif key[1] == CODES:
            # It reads: whoever isn't here is answered, and told of nobody's badge.
            assert found == [], key
        elif key[1] != SESSION:
            assert found == [somebody], key


GUARDED = {key: row for key, row in ROUTES.items() if isinstance(row, Action)}


async def told(at: httpx2.AsyncClient, method: str, route: str) -> tuple[int, str]:
    """The status and the code of a request that asks for nothing in particular."""
    return await asked(at, method, path_of(route), {})


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("role", Role)
async def test_each_route_by_role_and_by_what_was_shown(
    shop: OpenShop, tmp_path: Path, role: Role, shown: str
) -> None:
    async with (
        shop() as here,
        running(here.app, tmp_path / "benchd.sock") as served,
        served.over_unix() as at,
    ):
        await here.door.people.set_roles(BY, "mori", [role])
        for (method, route), action in GUARDED.items():
            await here.sign_in(at, **SHOWN[shown])
            status, code = await told(at, method, route)
            if wanted(action, role, shown) == (200, ""):
                assert status not in {401, 403}, (route, code)
            else:
                assert (status, code) == wanted(action, role, shown), route


async def test_without_a_session_or_with_a_locked_one_no_route_does_anything(
    rack: FakeRack, shop: OpenShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        shop() as here,
        running(here.app, tmp_path / "benchd.sock") as served,
        served.over_unix() as at,
        served.over_tcp() as tcp,
    ):
        tcp.headers.clear()
        for method, route in GUARDED:
            not_let_in = {(401, "not_signed_in"), (403, "socket_only")}
            assert await told(tcp, method, route) in not_let_in, route
        # A cookie alone is no session, nor is one with another's token.
        await here.sign_in(at, badge=BADGE, pin=PIN)
        csrf = at.headers[CSRF]
        kept = {"cookie": f"benchd_session={at.cookies['benchd_session']}"}
        before = len(rack.ledger.stored)
        for shown in ("", "another's"):
            at.headers[CSRF] = shown
            for method, route in GUARDED:
                assert await told(at, method, route) == (401, "not_signed_in"), route
        at.headers[CSRF] = csrf
        assert (await at.delete(SESSION)).status_code == 204
        at.headers.update(kept)
        for method, route in GUARDED:
            assert await told(at, method, route) == (401, "not_signed_in"), route
        # On the socket only whoever owns the files, or root, is more than nobody.
        own = os.geteuid()
        monkeypatch.setattr(acting_person, "ROOT", own + 1)
        monkeypatch.setattr(acting_person.os, "geteuid", lambda: own + 2)
        async with served.over_unix() as nobody:
            for method, route in (*GUARDED, ("GET", "/api/v1/people")):
                assert await told(nobody, method, route) == (401, "not_signed_in"), route
        assert len(rack.ledger.stored) == before


async def test_a_role_that_was_taken_away_is_gone_at_once(shop: OpenShop, tmp_path: Path) -> None:
    async with (
        shop() as here,
        running(here.app, tmp_path / "benchd.sock") as served,
        served.over_unix() as at,
    ):
        await here.sign_in(at, badge=BADGE, pin=PIN)
        status, code = await told(at, "POST", "/api/v1/lots")
        assert status not in {401, 403}, code
        await here.door.people.set_roles(BY, "mori", [Role.AUDITOR])
        assert await told(at, "POST", "/api/v1/lots") == (403, "not_allowed")
        await here.door.people.disable(BY, "mori", None)
        assert await told(at, "POST", "/api/v1/lots") == (401, "not_signed_in")


SATO = {"person": "sato", "name": "佐藤 健", "reading": "さとう けん", "roles": ["administrator"]}


async def test_people_over_the_socket(rack: FakeRack, catalogue: Catalogue, tmp_path: Path) -> None:
    async with (
        people_in(tmp_path) as people,
        running(app_of(rack, catalogue, people=people), tmp_path / "benchd.sock") as here,
        here.over_unix() as client,
    ):
        added = await client.post("/api/v1/people", json=SATO)
        assert added.status_code == 201
        assert added.json() == {
            **SATO,
            "has_badge": False,
            "has_pin": False,
            "lost_secret": False,
            "disabled_from": None,
        }
        pin = await client.put("/api/v1/people/sato/pin", json={"pin": PIN})
        badge = await client.put("/api/v1/people/sato/badge", json={"code": BADGE})
        assert pin.json()["has_pin"]
        assert badge.json()["has_badge"]
        weak = await client.put("/api/v1/people/sato/pin", json={"pin": "111111"})
        assert (weak.status_code, weak.json()["error"]["code"]) == (409, "person_refused")
        like = await client.post("/api/v1/people", json={**SATO, "person": "sat0"})
        assert (like.status_code, like.json()["error"]["code"]) == (409, "person_refused")
        hidden = await client.post("/api/v1/people", json={**SATO, "name": "佐藤\u3164"})
        assert (hidden.status_code, hidden.json()["error"]["code"]) == (409, "name_refused")
        last = await client.put("/api/v1/people/sato/disabled", json={"disabled": True})
        assert last.status_code == 409
        nobody = await client.put("/api/v1/people/mori/roles", json={"roles": ["operator"]})
        assert nobody.status_code == 404
        everybody = await client.get("/api/v1/people")
        assert [one["person"] for one in everybody.json()["people"]] == ["sato"]
        for answer in (added, pin, badge, weak, everybody):
            assert PIN not in answer.text
            assert BADGE not in answer.text
        assert await people.is_pin(people.person("sato"), PIN)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("POST", "", SATO),
        ("PUT", "/sato/roles", {"roles": ["operator"]}),
        ("PUT", "/sato/badge", {"code": BADGE}),
        ("PUT", "/sato/pin", {"pin": PIN}),
        ("PUT", "/sato/disabled", {"disabled": True}),
    ],
)
async def test_people_are_nobody_elses(
    rack: FakeRack,
    catalogue: Catalogue,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    body: object,
) -> None:
    path = f"/api/v1/people{path}"
    async with people_in(tmp_path) as people:
        app = app_of(rack, catalogue, people=people)
        async with running(app, tmp_path / "benchd.sock") as here:
            async with here.over_tcp() as client:
                assert await asked(client, method, path, body) == (403, "socket_only")
            own = os.geteuid()
            monkeypatch.setattr(acting_person, "ROOT", own + 1)
            monkeypatch.setattr(acting_person.os, "geteuid", lambda: own + 2)
            async with here.over_unix() as client:
                assert await asked(client, method, path, body) == (401, "not_signed_in")
        assert people.everybody == ()
