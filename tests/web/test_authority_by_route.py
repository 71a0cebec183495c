"""Each route that does something, asked by each role in each way of showing oneself, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from benchd.domain.authority import AUTHORITY, Action
from benchd.domain.people import Role
from benchd.ledger.records.records_access import Records
from benchd.texts.catalogue import Catalogue
from benchd.web.session_routes import SESSION
from tests.people.people_rig import BADGE, BY, PIN, Door, door_in
from tests.web.served import app_of
from tests.web.test_session_routes import CSRF, ROUTES, SHOWN
from tests.web.web_fakes import JOB, FakeRack, Feed
from tests.web.web_running import Running, running

pytestmark = pytest.mark.asyncio

GUARDED = {key: row for key, row in ROUTES.items() if isinstance(row, Action)}
IN_PATH = {
    "{lot}": "L1",
    "{tag}": "T1",
    "{slot}": "A1",
    "{job}": JOB,
    "{person}": "kato",
    "{token}": "stock",
}
REFUSED = {401, 403}
NOT_LET_IN = {(401, "not_signed_in"), (403, "socket_only")}


def path_of(route: str) -> str:
    for name, value in IN_PATH.items():
        route = route.replace(name, value)
    assert "{" not in route
    return route


@asynccontextmanager
async def asked(
    folder: Path, rack: FakeRack, catalogue: Catalogue
) -> AsyncGenerator[tuple[Door, httpx2.AsyncClient, Running]]:
    """Every room of the API on its socket, with real people at its door."""
    async with door_in(folder) as door:
        records = Records(folder / "records.sqlite", Feed(rack))
        app = app_of(
            rack,
            catalogue,
            callers=door.callers(),
            records=records,
            people=door.people,
            sessions=door.sessions,
        )
        async with running(app, folder / "benchd.sock") as served, served.over_unix() as at:
            yield door, at, served


async def told(at: httpx2.AsyncClient, method: str, route: str) -> tuple[int, str]:
    """The status and the code of a request that asks for nothing in particular."""
    answer = await at.request(method, path_of(route), json={})
    try:
        code = str(answer.json()["error"]["code"])
    except (ValueError, KeyError, TypeError):
        code = ""
    return answer.status_code, code


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("role", Role)
async def test_each_route_by_role_and_by_what_was_shown(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, role: Role, shown: str
) -> None:
    async with asked(tmp_path, rack, catalogue) as (door, at, _):
        await door.people.set_roles(BY, "mori", [role])
        for (method, route), action in GUARDED.items():
            signed_in = await at.post(SESSION, json=SHOWN[shown])
            at.headers[CSRF] = signed_in.json()["csrf"]
            rule = AUTHORITY[action]
            status, code = await told(at, method, route)
            if role not in rule.roles:
                assert (status, code) == (403, "not_allowed"), route
            elif not rule.by_badge and shown != "badge and pin":
                assert (status, code) == (403, "more_to_show"), route
            else:
                assert status not in REFUSED, (route, code)


async def test_without_a_session_or_with_a_locked_one_no_route_does_anything(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with asked(tmp_path, rack, catalogue) as (_, at, served):
        async with served.over_tcp() as tcp:
            tcp.headers.clear()
            for method, route in GUARDED:
                assert await told(tcp, method, route) in NOT_LET_IN, route
        signed_in = await at.post(SESSION, json={"badge": BADGE, "pin": PIN})
        at.headers[CSRF] = signed_in.json()["csrf"]
        kept = {"cookie": f"benchd_session={at.cookies['benchd_session']}"}
        before = len(rack.ledger.stored)
        assert (await at.delete(SESSION)).status_code == 204
        at.headers.update(kept)
        for method, route in GUARDED:
            assert await told(at, method, route) == (401, "not_signed_in"), route
        assert len(rack.ledger.stored) == before


async def test_a_role_that_was_taken_away_is_gone_at_once(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with asked(tmp_path, rack, catalogue) as (door, at, _):
        signed_in = await at.post(SESSION, json={"badge": BADGE, "pin": PIN})
        at.headers[CSRF] = signed_in.json()["csrf"]
        status, code = await told(at, "POST", "/api/v1/lots")
        assert status not in REFUSED, code
        await door.people.set_roles(BY, "mori", [Role.AUDITOR])
        assert await told(at, "POST", "/api/v1/lots") == (403, "not_allowed")
        await door.people.disable(BY, "mori", None)
        assert await told(at, "POST", "/api/v1/lots") == (401, "not_signed_in")
