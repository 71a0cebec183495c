"""Visitors behind the trusted proxy: each is a source of their own, by the proxy's word alone."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from structlog.testing import capture_logs

from benchd.people.login_throttle import FREE_TRIES_OF_SOURCE
from benchd.web.access_level import AccessLevel
from benchd.web.callers import Callers, session_way
from benchd.web.proxy import TrustedProxy, by_uid
from benchd.web.session_routes import SESSION
from tests.people.people_rig import BADGE, PIN, Door
from tests.web.proxy_side import HEADER
from tests.web.staffed import OpenShop
from tests.web.web_running import Running, running

pytestmark = pytest.mark.asyncio

ME = os.getuid()
HOST = "rack7.example"
FOR = "X-Forwarded-For"


@asynccontextmanager
async def behind(
    folder: Path, shop: OpenShop, *, uid: int = ME, forwarded: bool = True
) -> AsyncGenerator[tuple[Running, Door]]:
    """A staffed rack whose proxy is whoever has this user id."""

    def callers(door: Door) -> Callers:
        proxy = TrustedProxy(
            header=HEADER,
            sends=by_uid(uid),
            name_of=door.people.acting_name,
            tells_visitors=forwarded,
        )
        return Callers((session_way(door.sessions),), proxy=proxy, anonymous=AccessLevel.WALL)

    async with (
        shop(callers, allowed_hosts=[HOST]) as here,
        running(here.app, folder / "benchd.sock") as served,
    ):
        yield served, here.door


def visitor(here: Running, address: str | None) -> httpx2.AsyncClient:
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
    async with behind(tmp_path, shop) as (here, door), visitor(here, None) as client:
        headers = [(FOR, value) for value in sent]
        await client.post(SESSION, json={"badge": "B-0000-0000"}, headers=headers)
        assert [record.data["source"] for record in door.records] == [source]


async def test_who_is_not_the_proxy_says_nothing_of_where_they_come_from(
    tmp_path: Path, shop: OpenShop
) -> None:
    async with behind(tmp_path, shop, uid=ME + 1) as (here, door):
        async with visitor(here, "192.0.2.7") as client:
            await client.post(SESSION, json={"badge": "B-0000-0000"})
        async with here.over_tcp() as client:
            await client.post(SESSION, json={"badge": "B-0000-0000"}, headers={FOR: "192.0.2.7"})
        told = [record.data["source"] for record in door.records]
        assert told == [f"socket, uid {ME}", "127.0.0.1"]


async def test_a_proxy_that_hands_on_what_visitors_send_is_not_asked(
    tmp_path: Path, shop: OpenShop
) -> None:
    """Unless the configuration says that it sets the header itself."""
    async with behind(tmp_path, shop, forwarded=False) as (here, door):
        async with visitor(here, "192.0.2.7") as client:
            await client.post(SESSION, json={"badge": "B-0000-0000"})
        assert [record.data["source"] for record in door.records] == [f"socket, uid {ME}"]


async def test_a_proxy_that_does_not_say_from_whom_is_told_of_once(
    tmp_path: Path, shop: OpenShop
) -> None:
    with capture_logs() as told:
        async with behind(tmp_path, shop) as (here, _), visitor(here, None) as client:
            for _ in range(3):
                await client.get("/healthz")
    assert [line["event"] for line in told] == ["proxy_visitors_unknown"]


async def test_a_session_is_good_at_its_own_visitors_address_only(
    tmp_path: Path, shop: OpenShop
) -> None:
    async with behind(tmp_path, shop) as (here, _), visitor(here, None) as client:
        here_it_is, moved = {FOR: "192.0.2.7"}, {FOR: "192.0.2.8"}
        signed_in = await client.post(
            SESSION, json={"badge": BADGE, "pin": PIN}, headers=here_it_is
        )
        assert signed_in.status_code == 201
        # The answer to who has moved takes the cookie away.
        client.headers["cookie"] = signed_in.headers["set-cookie"].partition(";")[0]
        assert (await client.get(SESSION, headers=moved)).json() is None
        assert (await client.get(SESSION, headers=here_it_is)).json()["person"] == "mori"
