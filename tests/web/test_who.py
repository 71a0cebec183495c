"""Whose a request is: by session, socket or proxy, and what each of them may do here."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import pytest

from benchd.domain.disposal import DisposalState
from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.domain.people import PersonId, Role
from benchd.domain.record import EntryKind
from benchd.web import acting_person
from benchd.web.access_level import AccessLevel
from benchd.web.callers import COOKIE, Callers, session_way, unix_way
from benchd.web.proxy import TrustedProxy, by_uid
from benchd.web.session_routes import SESSION
from tests.people.people_rig import BADGE, BY, PIN, Door
from tests.web.proxy_side import HEADER
from tests.web.staffed import DECISIONS, OpenShop, asked
from tests.web.web_fakes import JOB, FakeRack
from tests.web.web_running import running

pytestmark = pytest.mark.asyncio

ME = os.getuid()
RETURNED = {"state": "returned", "note": "持ち主"}
RELEASED = {"state": "rerun_due", "note": "もう一度"}
REBUILD = "/api/v1/records/rebuild"


@asynccontextmanager
async def on_socket(
    shop: OpenShop, folder: Path, *, behind: bool = False
) -> AsyncGenerator[tuple[Door, httpx2.AsyncClient]]:
    """A rack with real people and a connection to its socket, which is the proxy's if `behind`."""

    def callers(door: Door) -> Callers:
        name_of = door.people.acting_name
        proxy = TrustedProxy(header=HEADER, sends=by_uid(ME), name_of=name_of) if behind else None
        ways = (session_way(door.sessions), unix_way(door.of_uid.get, name_of, proxy))
        return Callers(ways, proxy=proxy, anonymous=AccessLevel.WALL)

    async with (
        shop(callers, allowed_hosts=["rack7.example"]) as here,
        running(here.app, folder / "benchd.sock") as served,
        served.over_unix() as client,
    ):
        if behind:
            client.headers["host"] = "rack7.example"
        yield here.door, client


async def test_an_operator_says_what_was_done_and_a_supervisor_what_is_to_be_done(
    rack: FakeRack, shop: OpenShop, tmp_path: Path
) -> None:
    rack.ledger.keep_job(job=JobId("job-1"), disposition="return", reason="locked")
    rack.ledger.keep_job(job=JobId("job-2"), disposition="hold")
    one, two = "/api/v1/disposal/job-1", "/api/v1/disposal/job-2"
    async with on_socket(shop, tmp_path) as (door, client):
        # Whoever owns the files is nobody by that alone.
        assert await asked(client, "POST", one, RETURNED) == (401, "not_signed_in")
        door.of_uid[ME] = PersonId("mori")
        await door.people.set_roles(BY, "mori", [Role.CONFIRMER, Role.AUDITOR])
        assert await asked(client, "POST", one, RETURNED) == (403, "not_allowed")
        await door.people.set_roles(BY, "mori", [Role.OPERATOR])
        other = {**RETURNED, "operator": "kato"}
        assert await asked(client, "POST", one, other) == (401, "not_signed_in")
        assert await asked(client, "POST", one, RETURNED) == (200, "")
        assert await asked(client, "POST", two, RELEASED) == (403, "not_allowed")
        await door.people.set_roles(BY, "mori", [Role.SUPERVISOR])
        assert await asked(client, "POST", two, RELEASED) == (200, "")
    kept = [one.data for one in rack.ledger.of(EntryKind.HANDSET_SETTLED)]
    assert [(one["to"], one["person"], one["shown_by"]) for one in kept] == [
        (DisposalState.RETURNED, "mori", "unix"),
        (DisposalState.RERUN_DUE, "mori", "unix"),
    ]


async def test_who_may_have_the_read_model_made_anew(
    rack: FakeRack, shop: OpenShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with on_socket(shop, tmp_path) as (door, client):
        assert await asked(client, "POST", REBUILD, {}) == (202, "")
        monkeypatch.setattr(acting_person, "ROOT", ME + 1)
        monkeypatch.setattr(acting_person.os, "geteuid", lambda: ME + 2)
        assert await asked(client, "POST", REBUILD, {}) == (401, "not_signed_in")
        door.of_uid[ME] = PersonId("mori")
        await door.people.set_roles(BY, "mori", [Role.OPERATOR, Role.SUPERVISOR])
        assert await asked(client, "POST", REBUILD, {}) == (403, "not_allowed")
        await door.people.set_roles(BY, "mori", [Role.ADMINISTRATOR])
        assert await asked(client, "POST", REBUILD, {}) == (202, "")


async def test_whom_the_proxy_names_answers_and_is_nobody_more_than_that(
    rack: FakeRack, shop: OpenShop, tmp_path: Path
) -> None:
    answer = {"gate": Gate.OBSERVE, "approved": "true"}
    async with on_socket(shop, tmp_path, behind=True) as (door, client):
        # Even where it runs as whoever owns the files, or is mapped to somebody.
        door.of_uid[ME] = PersonId("mori")
        assert await asked(client, "POST", REBUILD, {}) == (403, "socket_only")
        assert await asked(client, "POST", DECISIONS, answer) == (403, "sign_in_needed")
        client.headers[HEADER] = "kato"
        assert await asked(client, "POST", REBUILD, {}) == (403, "socket_only")
        async with anyio.create_task_group() as group:
            group.start_soon(rack.ask, Gate.OBSERVE)
            await anyio.wait_all_tasks_blocked()
            given = await client.post(DECISIONS, json={"gate": "observe", "approved": True})
            assert given.status_code == 200, given.text
        told = (await client.get(SESSION)).json()
        assert (told["person"], told["shown_by"], told["csrf"], told["idle_s"]) == (
            *("kato", "proxy", ""),
            None,
        )
        await door.people.disable(BY, "kato")
        assert await asked(client, "POST", DECISIONS, answer) == (403, "proxy_header_refused")
    [kept] = [one.data for one in rack.ledger.of(EntryKind.DECISION)]
    assert (kept["person"], kept["shown_by"]) == ("kato", "proxy")


async def test_a_session_counts_before_the_proxys_word_and_a_dead_one_is_taken_away(
    rack: FakeRack, shop: OpenShop, tmp_path: Path
) -> None:
    async with on_socket(shop, tmp_path, behind=True) as (door, client):
        client.headers[HEADER] = "kato"
        await client.post(SESSION, json={"badge": BADGE, "pin": PIN})
        assert (await client.get(SESSION)).json()["person"] == "mori"
        door.seconds.s += door.sessions.idle_s
        answer = {"gate": "observe", "approved": True}
        refused = await client.post(DECISIONS, json=answer)
        assert refused.json()["error"]["code"] == "not_signed_in"
        seen = await client.get(SESSION)
        assert seen.json()["person"] == "kato"
        assert COOKIE in seen.headers["set-cookie"]
        assert COOKIE not in client.cookies
        assert (await client.post(DECISIONS, json=answer)).status_code == 404


async def test_a_session_shows_more_until_it_is_locked_and_looking_keeps_none_open(
    rack: FakeRack, shop: OpenShop, tmp_path: Path
) -> None:
    async with on_socket(shop, tmp_path, behind=True) as (door, client):
        assert (await client.get("/api/v1")).json()["shown"] == "wall"
        await client.post(SESSION, json={"badge": BADGE, "pin": PIN})
        for _ in range(5):
            assert (await client.get("/api/v1")).json()["shown"] == "read"
            door.seconds.s += door.sessions.idle_s / 5
        assert (await client.get("/api/v1")).json()["shown"] == "wall"
        assert (await client.get(f"/api/v1/jobs/{JOB}")).status_code == 403
