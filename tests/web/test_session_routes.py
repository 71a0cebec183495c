"""Signing in over the API, with real people: cookies, CSRF, tries, and who may answer what."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from benchd.domain.authority import ACTION_OF, AUTHORITY, Action
from benchd.domain.job import Gate
from benchd.domain.people import Role
from benchd.domain.record import EntryKind
from benchd.ledger.records.records_access import Records
from benchd.slots.question_desk import Desk
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import served_of
from benchd.web.acting_person import GUARDS, somebody
from benchd.web.guard import SAFE_METHODS
from benchd.web.session_routes import SESSION
from tests.people.people_rig import BADGE, BY, OTHER_BADGE, OTHER_PIN, PIN, Door, door_in
from tests.web.served import app_of
from tests.web.web_fakes import JOB, FakeClock, FakeRack, Feed
from tests.web.web_running import running

pytestmark = pytest.mark.asyncio

DECISIONS = f"/api/v1/jobs/{JOB}/decisions"
CSRF = "x-benchd-csrf"


class Shop:
    """A rack with real people, seen over TCP as every browser sees it."""

    def __init__(self, rack: FakeRack, door: Door, app: FastAPI) -> None:
        self.rack = rack
        self.door = door
        self.app = app

    def browser(self) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8420")

    async def sign_in(self, at: httpx2.AsyncClient, **shown: str) -> httpx2.Response:
        answer = await at.post(SESSION, json=shown)
        if answer.is_success:
            at.headers[CSRF] = answer.json()["csrf"]
        return answer

    async def answer(self, at: httpx2.AsyncClient, gate: Gate) -> tuple[int, str]:
        """The status and code of an answer that is given while its question is open."""
        note = {
            Gate.NETWORK: "○",
            Gate.IMEI: "356938035643809",
            Gate.SERIAL: "HQ6123",
            Gate.ASSET: "T1",
            Gate.DESTROYED_BEFORE: "its board was replaced",
            Gate.SAME_HANDSET: "other, compared",
            Gate.SAME_HANDSET_HELD: "other, compared",
        }
        body = {"gate": gate, "approved": True, "note": note.get(gate, "")}
        async with anyio.create_task_group() as group:
            group.start_soon(self.rack.ask, gate)
            await anyio.wait_all_tasks_blocked()
            answer = await at.post(DECISIONS, json=body)
            group.cancel_scope.cancel()
            return answer.status_code, answer.json().get("error", {}).get("code", "")
        raise AssertionError


@asynccontextmanager
async def shop(folder: Path, rack: FakeRack, catalogue: Catalogue) -> AsyncGenerator[Shop]:
    async with door_in(folder) as door:
        rack.desk = Desk(rack.ledger, FakeClock(), door.people)
        app = app_of(
            rack,
            catalogue,
            callers=door.callers(),
            people=door.people,
            sessions=door.sessions,
        )
        yield Shop(rack, door, app)


async def test_the_cookie_is_no_scripts_and_no_other_sites(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with shop(tmp_path, rack, catalogue) as here, here.browser() as at:
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


async def test_without_a_session_nobody_answers(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with shop(tmp_path, rack, catalogue) as here, here.browser() as at:
        for gate in Gate:
            assert await here.answer(at, gate) == (401, "not_signed_in")
        assert (await at.get("/api/v1/slots")).status_code == 200
    assert not [s for s in rack.ledger.stored if s.entry.kind is EntryKind.DECISION]


async def test_a_cookie_alone_does_nothing(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with shop(tmp_path, rack, catalogue) as here, here.browser() as at:
        await here.sign_in(at, badge=BADGE, pin=PIN)
        del at.headers[CSRF]
        assert await here.answer(at, Gate.OBSERVE) == (401, "not_signed_in")
        assert (await at.put(SESSION)).status_code == 401


SHOWN: dict[str, dict[str, str]] = {
    "badge": {"badge": BADGE},
    "pin": {"person": "mori", "pin": PIN},
    "badge and pin": {"badge": BADGE, "pin": PIN},
}


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("role", Role)
async def test_each_gate_by_role_and_by_what_was_shown(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, role: Role, shown: str
) -> None:
    async with shop(tmp_path, rack, catalogue) as here, here.browser() as at:
        await here.door.people.set_roles(BY, "mori", [role])
        await here.sign_in(at, **SHOWN[shown])
        for gate in (Gate.CONFIRM, *(gate for gate in Gate if gate is not Gate.CONFIRM)):
            rule = AUTHORITY[ACTION_OF[gate]]
            wanted = (200, "")
            if role not in rule.roles:
                wanted = (403, "not_allowed")
            elif not rule.by_badge and shown != "badge and pin":
                wanted = (403, "more_to_show")
            assert await here.answer(at, gate) == wanted, gate


async def test_who_has_worked_on_it_does_not_confirm_whatever_they_show(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with shop(tmp_path, rack, catalogue) as here, here.browser() as at:
        await here.sign_in(at, badge=OTHER_BADGE, pin=OTHER_PIN)
        assert await here.answer(at, Gate.OBSERVE) == (200, "")
        assert await here.answer(at, Gate.CONFIRM) == (409, "second_person_needed")
        await here.sign_in(at, badge=BADGE, pin=PIN)
        assert await here.answer(at, Gate.CONFIRM) == (403, "not_allowed")
        await here.door.people.set_roles(BY, "mori", [Role.CONFIRMER])
        assert await here.answer(at, Gate.CONFIRM) == (200, "")
    kept = [s.entry.data for s in rack.ledger.stored if s.entry.kind is EntryKind.DECISION]
    assert [one["person"] for one in kept] == ["kato", "mori"]


async def test_the_issues_two_attacks(rack: FakeRack, catalogue: Catalogue, tmp_path: Path) -> None:
    """One process answers everything under one name, then under the same with more in it."""
    async with shop(tmp_path, rack, catalogue) as here, here.browser() as at:
        await here.sign_in(at, badge=OTHER_BADGE, pin=OTHER_PIN)
        assert await here.answer(at, Gate.OBSERVE) == (200, "")
        for name in ("加藤 舞\u3164", "加藤  舞", "kato ", "kato\u200b"):
            body = {"gate": "confirm", "approved": True, "operator": name}
            async with anyio.create_task_group() as group:
                group.start_soon(rack.ask, Gate.CONFIRM)
                await anyio.wait_all_tasks_blocked()
                answer = await at.post(DECISIONS, json=body)
                assert answer.status_code == 401
                group.cancel_scope.cancel()
    assert len([s for s in rack.ledger.stored if s.entry.kind is EntryKind.DECISION]) == 1


async def test_too_many_tries_are_told_how_long_to_wait(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with shop(tmp_path, rack, catalogue) as here, here.browser() as at:
        for _ in range(3):
            assert (await here.sign_in(at, person="mori", pin="551904")).status_code == 401
        paused = await here.sign_in(at, person="mori", pin=PIN)
        assert (paused.status_code, paused.json()["error"]["code"]) == (429, "tried_too_often")
        assert paused.headers["retry-after"] == "2"


async def test_a_cookie_from_the_network_is_none_on_the_socket(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with (
        shop(tmp_path, rack, catalogue) as here,
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


ROUTES: dict[tuple[str, str], Action | str] = {
    ("POST", DECISIONS.replace(JOB, "{job}")): "the desk, by the gate",
    ("POST", SESSION): "whoever shows who they are",
    ("PUT", SESSION): "the session's own",
    ("DELETE", SESSION): "locks, and does nothing else",
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
    ("POST", "/api/v1/assets/{tag}/unerasable"): Action.TAKE_IN,
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


class NoDossiers:
    """A fake door to dossiers behind which there are none."""


async def test_every_route_that_does_something_has_its_row_and_its_guard(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with door_in(tmp_path) as door:
        records = Records(tmp_path / "records.sqlite", Feed(rack))
        app = app_of(
            rack,
            catalogue,
            records=records,
            people=door.people,
        )
        routes = {(method, path): route for method, path, route in unsafe_routes(app)}
        assert set(routes) == set(ROUTES)
        for key, row in ROUTES.items():
            found = guards(routes[key].dependant)
            if isinstance(row, Action):
                served = served_of(routes[key].endpoint)
                assert served is not None, key
                assert served.action is row, key
                assert len([one for one in found if one in GUARDS]) == 1, key
            elif key[1] != SESSION:
                assert found == [somebody], key
