"""A browser that reaches the rack through nginx, with TLS and the shop's own login."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import pytest
from chromium import Visits, needs_chromium
from nginx import HOST, in_front_of
from playwright.async_api import expect

from benchd.domain.job import Gate
from benchd.domain.record import EntryKind
from benchd.slots.question_desk import Desk
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel
from benchd.web.callers import Callers, session_way, unix_way
from benchd.web.proxy import TrustedProxy, by_uid
from tests.nginx_running import needs_nginx
from tests.patience import PATIENCE_S
from tests.people.people_rig import door_in
from tests.web.certificates import Authority
from tests.web.proxy_side import HEADER
from tests.web.served import app_of
from tests.web.web_fakes import A1, FakeClock, FakeRack, asking_view, running_view
from tests.web.web_running import running

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(120),
    needs_chromium,
    needs_nginx,
]

LOGINS = {"kato": "open-sesame", "mallory": "whatever"}
"""Both have a login of the shop; benchd knows the first one only."""


async def listens(client: httpx2.AsyncClient) -> None:
    with anyio.fail_after(PATIENCE_S):
        while True:
            try:
                await client.get("/healthz")
            except httpx2.ConnectError:
                await anyio.sleep(0.05)
            else:
                return


@asynccontextmanager
async def shop(
    folder: Path, rack: FakeRack, catalogue: Catalogue
) -> AsyncGenerator[httpx2.AsyncClient]:
    """A staffed rack on its socket, nginx before it, and a client that believes its certificate."""
    async with door_in(folder) as door:
        rack.desk = Desk(rack.ledger, FakeClock(), door.people)
        name_of = door.people.acting_name
        proxy = TrustedProxy(
            header=HEADER, sends=by_uid(os.getuid()), name_of=name_of, tells_visitors=True
        )
        ways = (session_way(door.sessions), unix_way(door.of_uid.get, name_of, proxy))
        app = app_of(
            rack,
            catalogue,
            callers=Callers(ways, proxy=proxy, anonymous=AccessLevel.WALL),
            allowed_hosts=[HOST],
            people=door.people,
            sessions=door.sessions,
        )
        authority = Authority(folder, "authority")
        async with running(app, folder / "benchd.sock") as here:
            pair = authority.issue("rack")
            with in_front_of(here.path, folder / "nginx", pair, LOGINS) as port:
                # Only browsers know where that name leads.
                client = httpx2.AsyncClient(
                    base_url=f"https://127.0.0.1:{port}",
                    headers={"host": f"{HOST}:{port}"},
                    verify=authority.visitor(),
                    trust_env=False,
                    timeout=PATIENCE_S,
                )
                async with client:
                    await listens(client)
                    yield client


async def test_who_has_the_shops_login_answers_at_the_screen(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"})
    rack.board.show(asking_view(A1, 1, Gate.OBSERVE))
    async with shop(tmp_path, rack, catalogue) as client, anyio.create_task_group() as group:
        group.start_soon(rack.ask, Gate.OBSERVE)
        url = f"https://{HOST}:{client.base_url.port}/"
        async with visit(url, login=("kato", LOGINS["kato"])) as seen:
            await seen.live()
            await expect(seen.page.locator("#operator .who")).to_have_text("加藤 舞")
            await seen.open("A1")
            await seen.answer()
            await expect(seen.panel()).to_be_hidden()
            # What happens is shown when it happens: nginx keeps none of it back.
            rack.board.show(running_view(0.629))
            await seen.shows("A1", "62%")
    [kept] = [one.entry.data for one in rack.ledger.stored if one.entry.kind is EntryKind.DECISION]
    assert (kept["person"], kept["shown_by"]) == ("kato", "proxy")


async def test_nobody_gets_past_the_proxy_as_somebody_else(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with shop(tmp_path, rack, catalogue) as client:
        assert (await client.get("/")).status_code == 401
        assert (await client.get("/", auth=("kato", "wrong"))).status_code == 401
        kato = ("kato", LOGINS["kato"])
        for lie in ([(HEADER, "sato")], [(HEADER, "sato"), (HEADER.lower(), "sato")]):
            told = await client.get("/api/v1/session", auth=kato, headers=lie)
            assert told.json()["person"] == "kato"
        # The shop has let him in, benchd doesn't know him.
        refused = await client.get("/api/v1", auth=("mallory", LOGINS["mallory"]))
        assert refused.json()["error"]["code"] == "proxy_header_refused"
        # Another site's page, whose name leads here.
        elsewhere = await client.get("/api/v1", auth=kato, headers={"host": "evil.example"})
        assert elsewhere.json()["error"]["code"] == "host_refused"
