"""Whose a request is and from where: by session, by socket and by the trusted proxy's word."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import pytest
from structlog.testing import capture_logs

from benchd.domain.disposal import DisposalState
from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.domain.people import PersonId, Role
from benchd.domain.record import EntryKind
from benchd.people.login_throttle import FREE_TRIES_OF_SOURCE
from benchd.web import acting_person
from benchd.web.access_level import AccessLevel
from benchd.web.callers import COOKIE, Callers, session_way, unix_way
from benchd.web.proxy import TrustedProxy, by_uid
from benchd.web.session_routes import SESSION
from tests.people.people_rig import BADGE, BY, PIN, Door
from tests.web.proxy_side import HEADER
from tests.web.staffed import DECISIONS, OpenShop, asked
from tests.web.web_fakes import JOB, FakeRack
from tests.web.web_running import Running, running

pytestmark = pytest.mark.asyncio


ME = os.getuid()


HOST = "rack7.example"


FOR = "X-Forwarded-For"


@asynccontextmanager
async def behind(
    folder: Path, shop: OpenShop, *, uid: int | None = ME, forwarded: bool = True
) -> AsyncGenerator[tuple[Running, Door]]:
    """A staffed rack whose proxy is whoever has this user id, or that has none."""

    def callers(door: Door) -> Callers:
        name_of = door.people.acting_name
        proxy = None
        if uid is not None:
            proxy = TrustedProxy(
                header=HEADER, sends=by_uid(uid), name_of=name_of, tells_visitors=forwarded
            )
        ways = (session_way(door.sessions), unix_way(door.of_uid.get, name_of, proxy))
        return Callers(ways, proxy=proxy, anonymous=AccessLevel.WALL)

    async with (
        shop(callers, allowed_hosts=[HOST]) as here,
        running(here.app, folder / "benchd.sock") as served,
    ):
        yield served, here.door


def visitor(here: Running, address: str | None = None) -> httpx2.AsyncClient:
    """Somebody at the other side of the proxy."""
    client = here.over_unix()
    client.headers["host"] = HOST
    if address is not None:
        client.headers[FOR] = address
    return client


async def sign_in(client: httpx2.AsyncClient, **shown: str) -> int:
    return (await client.post(SESSION, json=shown)).status_code


async def test_one_who_guesses_behind_the_proxy_is_held_and_nobody_else(
    tmp_path: Path, shop: OpenShop
) -> None:
    async with behind(tmp_path, shop) as (here, door):
        async with visitor(here, "192.0.2.7") as guessing:
            told = [
                await sign_in(guessing, person=f"no-{number}", pin=PIN)
                for number in range(FREE_TRIES_OF_SOURCE + 5)
            ]
            assert told == [401] * FREE_TRIES_OF_SOURCE + [429] * 5
            assert await sign_in(guessing, person="sato", pin="730184") == 429
        async with visitor(here, "192.0.2.8") as other:
            assert await sign_in(other, person="sato", pin="730184") == 201
            assert await sign_in(other, badge=BADGE, pin=PIN) == 201
        assert {str(record.data["source"]) for record in door.records} == {"192.0.2.7"}


@pytest.mark.parametrize(
    ("sent", "source"),
    [
        # Only the last is the proxy's own word: what stands before it, a visitor may have sent.
        (["198.51.100.1, 192.0.2.7"], "192.0.2.7"),
        (["198.51.100.1", "192.0.2.7"], "192.0.2.7"),
        (["192.0.2.7"], "192.0.2.7"),
        (["2001:db8::7"], "2001:db8::7"),
        (["::ffff:192.0.2.7"], "192.0.2.7"),
        (["192.0.2.7,,"], f"socket, uid {ME}"),
        (["unknown"], f"socket, uid {ME}"),
        (["socket, uid 0"], f"socket, uid {ME}"),
        (["192.0.2.7:4711"], f"socket, uid {ME}"),
        (["fe80::1%" + "x" * 300], f"socket, uid {ME}"),
        ([""], f"socket, uid {ME}"),
        ([], f"socket, uid {ME}"),
    ],
)
async def test_what_the_proxy_itself_has_put_last_counts(
    tmp_path: Path, shop: OpenShop, sent: list[str], source: str
) -> None:
    async with behind(tmp_path, shop) as (here, door), visitor(here) as client:
        headers = [(FOR, value) for value in sent]
        await client.post(SESSION, json={"badge": "B-0000-0000"}, headers=headers)
        assert [record.data["source"] for record in door.records] == [source]


@pytest.mark.parametrize(("uid", "forwarded"), [(ME + 1, True), (ME, False)])
async def test_who_is_not_the_proxy_or_hands_on_what_visitors_send_says_not_where_from(
    tmp_path: Path, shop: OpenShop, uid: int, forwarded: bool
) -> None:
    """The proxy counts where the configuration says that it sets the header itself."""
    badge = {"badge": "B-0000-0000"}
    async with behind(tmp_path, shop, uid=uid, forwarded=forwarded) as (here, door):
        async with visitor(here, "192.0.2.7") as client:
            await client.post(SESSION, json=badge)
        async with here.over_tcp() as client:
            await client.post(SESSION, json=badge, headers={FOR: "192.0.2.7"})
        told = [record.data["source"] for record in door.records]
        assert told == [f"socket, uid {ME}", "127.0.0.1"]


async def test_a_proxy_that_does_not_say_from_whom_is_told_of_once(
    tmp_path: Path, shop: OpenShop
) -> None:
    with capture_logs() as told:
        async with behind(tmp_path, shop) as (here, _), visitor(here) as client:
            for _ in range(3):
                await client.get("/healthz")
    assert [line["event"] for line in told] == ["proxy_visitors_unknown"]


async def test_a_session_is_good_at_its_own_visitors_address_only(
    tmp_path: Path, shop: OpenShop
) -> None:
    async with behind(tmp_path, shop) as (here, _), visitor(here) as client:
        here_it_is, moved = {FOR: "192.0.2.7"}, {FOR: "192.0.2.8"}
        signed_in = await client.post(
            SESSION, json={"badge": BADGE, "pin": PIN}, headers=here_it_is
        )
        assert signed_in.status_code == 201
        # The answer to who has moved takes the cookie away.
        client.headers["cookie"] = signed_in.headers["set-cookie"].partition(";")[0]
        assert (await client.get(SESSION, headers=moved)).json() is None
        assert (await client.get(SESSION, headers=here_it_is)).json()["person"] == "mori"


RETURNED = {"state": "returned", "note": "持ち主"}


RELEASED = {"state": "rerun_due", "note": "もう一度"}


REBUILD = "/api/v1/records/rebuild"


async def test_an_operator_says_what_was_done_and_a_supervisor_what_is_to_be_done(
    rack: FakeRack, shop: OpenShop, tmp_path: Path
) -> None:
    rack.ledger.keep_job(job=JobId("job-1"), disposition="return", reason="locked")
    rack.ledger.keep_job(job=JobId("job-2"), disposition="hold")
    one, two = "/api/v1/disposal/job-1", "/api/v1/disposal/job-2"
    async with behind(tmp_path, shop, uid=None) as (here, door), visitor(here) as client:
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
    async with behind(tmp_path, shop, uid=None) as (here, door), visitor(here) as client:
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
    async with behind(tmp_path, shop) as (here, door), visitor(here) as client:
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
    async with behind(tmp_path, shop) as (here, door), visitor(here) as client:
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
    async with behind(tmp_path, shop) as (here, door), visitor(here) as client:
        assert (await client.get("/api/v1")).json()["shown"] == "wall"
        await client.post(SESSION, json={"badge": BADGE, "pin": PIN})
        for _ in range(5):
            assert (await client.get("/api/v1")).json()["shown"] == "read"
            door.seconds.s += door.sessions.idle_s / 5
        assert (await client.get("/api/v1")).json()["shown"] == "wall"
        assert (await client.get(f"/api/v1/jobs/{JOB}")).status_code == 403
