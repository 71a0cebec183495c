"""The panel of a demo by hand is the lab's alone, and is served by the same rules as the rest."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio
import httpx2
import pytest

from benchd.lab.demo.plug_panel import SCRIPT, STYLE, plug_panel
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel
from benchd.web.app import create_app
from benchd.web.authoriser import rows_of
from benchd.web.callers import Callers
from tests.daemon.started_daemon import started
from tests.web.fake_sessions import believing
from tests.web.served import app_of, served_rack
from tests.web.web_fakes import FakeRack
from tests.web.web_running import NO_TLS, browser

pytestmark = pytest.mark.asyncio

TEXTS = Catalogue.load()
HAND = "/lab/handsets/{name}/{what}"
TELL_WHAT_IS_HANDED = """
import sys
from benchd.daemon import composition
async def run_daemon(*_, **options):
    sys.stdout.write(" ".join(options))
composition.run_daemon = run_daemon
from benchd.cli.main import main
main()
"""
"""A command whose daemon only says by what names it was given its parts."""


async def test_a_rack_without_it_serves_nothing_of_it() -> None:
    async with browser(app_of(FakeRack(), TEXTS, callers=believing(AccessLevel.READ))) as client:
        assert "/lab/" not in (await client.get("/")).text
        for path in (SCRIPT, STYLE, "/lab/handsets"):
            assert (await client.get(path)).status_code == 404


async def test_no_installed_daemon_serves_it(tmp_path: Path) -> None:
    """Nor does `benchd run` hand one over: the room that makes it isn't even in the package."""
    async with started(tmp_path) as settings:
        transport = httpx2.AsyncHTTPTransport(uds=str(settings.http.socket), verify=NO_TLS)
        async with httpx2.AsyncClient(transport=transport, base_url="http://benchd") as client:
            assert "/lab/" not in (await client.get("/")).text
            for path in (SCRIPT, STYLE, "/lab/handsets"):
                assert (await client.get(path)).status_code == 404
            assert (await client.post("/lab/handsets/A1/unplug")).status_code == 404
    command = [sys.executable, "-c", TELL_WHAT_IS_HANDED, "run", "--config"]
    told = await anyio.run_process([*command, str(tmp_path / "benchd.toml")])
    handed = told.stdout.decode().split()
    assert "reread" in handed
    assert "addition" not in handed


async def test_who_may_not_read_neither_sees_nor_moves_a_handset() -> None:
    rack, addition = FakeRack(), plug_panel(Path("/nowhere"), {})
    app = create_app(served_rack(rack, TEXTS), TEXTS, callers=Callers(), addition=addition)
    served = {row.path: row.served for row in rows_of(app.routes)}
    assert served["/lab/handsets"]["GET"].access_level is AccessLevel.READ
    assert served[HAND]["POST"].access_level is AccessLevel.READ
    callers = believing(AccessLevel.WALL)
    app = create_app(served_rack(rack, TEXTS), TEXTS, callers=callers, addition=addition)
    async with browser(app) as client:
        del client.headers["cookie"]
        assert f'<script type="module" src="{SCRIPT}">' in (await client.get("/")).text
        assert (await client.get(SCRIPT)).headers["content-type"].startswith("text/javascript")
        assert (await client.get("/lab/handsets")).status_code == 403
        assert (await client.post("/lab/handsets/A1/unplug")).status_code == 403
