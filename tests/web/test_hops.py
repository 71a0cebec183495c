"""What a browser is told of its way here, and what other sites' names and pages get of the rack."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from benchd.web.session_routes import SESSION
from tests.people.people_rig import BADGE, PIN
from tests.web.staffed import OpenShop
from tests.web.test_forwarded import ME, behind, visitor
from tests.web.test_rows import SERVED
from tests.web.web_fakes import JOB, FakeRack, running_view
from tests.web.web_running import Browser

pytestmark = pytest.mark.asyncio


PLAIN, OURS = "benchd_session", "__Host-benchd_session"


HSTS = "strict-transport-security"


PROTO = "X-Forwarded-Proto"


NAVIGATION = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


async def test_over_tls_the_cookie_is_this_hosts_alone(shop: OpenShop) -> None:
    async with shop() as here, here.browser("https://127.0.0.1:8420") as at:
        cookie = (await here.sign_in(at, badge=BADGE, pin=PIN)).headers["set-cookie"]
        told = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert cookie.startswith(f"{OURS}=")
        assert told == {"httponly", "path=/", "samesite=strict", "secure"}
        assert (await at.get(SESSION)).json()["person"] == "mori"
        assert (await at.put(SESSION)).status_code == 200
        gone = (await at.delete(SESSION)).headers["set-cookie"].lower()
        # A browser drops what isn't Secure under this name, also where it takes the cookie away.
        assert gone.startswith(f"{OURS.lower()}=")
        assert "secure" in gone
        assert (await at.get(SESSION)).json() is None
        # What listens in clear at another port of this host sets whatever cookie it likes.
        await here.sign_in(at, badge=BADGE, pin=PIN)
        token = at.cookies[OURS]
        at.cookies.clear()
        assert (await at.get(SESSION, headers={"cookie": f"{PLAIN}={token}"})).json() is None
        assert (await at.get(SESSION, headers={"cookie": f"{OURS}={token}"})).json() is not None


async def test_in_clear_on_this_machine_the_cookie_works_as_ever(shop: OpenShop) -> None:
    async with shop() as here, here.browser() as at:
        answer = await here.sign_in(at, badge=BADGE, pin=PIN)
        assert answer.headers["set-cookie"].startswith(f"{PLAIN}=")
        assert "secure" not in answer.headers["set-cookie"].lower()
        assert HSTS not in answer.headers
        assert (await at.get(SESSION)).json()["person"] == "mori"


@pytest.mark.parametrize(
    ("told", "is_proxy", "name"),
    [
        ("https", True, OURS),
        ("HTTPS", True, OURS),
        ("http", True, PLAIN),
        ("https, http", True, PLAIN),
        ("", True, PLAIN),
        ("https", False, PLAIN),
    ],
)
async def test_behind_the_proxy_its_word_counts_for_how_the_browser_came(
    shop: OpenShop, tmp_path: Path, told: str, *, is_proxy: bool, name: str
) -> None:
    uid = ME if is_proxy else ME + 1
    async with (
        behind(tmp_path, shop, uid=uid) as (here, _),
        visitor(here, "192.0.2.7") as client,
    ):
        answer = await client.post(
            SESSION, json={"badge": BADGE, "pin": PIN}, headers={PROTO: told}
        )
        assert answer.headers["set-cookie"].startswith(f"{name}=")
        assert ("secure" in answer.headers["set-cookie"].lower()) is (name == OURS)
        assert (HSTS in answer.headers) is (name == OURS)


@pytest.mark.parametrize("host", ["localhost:8420", "127.0.0.1:8420", "[::1]:8420"])
async def test_this_machines_own_names_are_not_bound_to_tls_for_a_year(
    shop: OpenShop, host: str
) -> None:
    async with shop() as here, here.browser(f"https://{host}") as at:
        assert HSTS not in (await at.get("/")).headers


def broken() -> None:
    raise RuntimeError


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 200),
        ("/static/index.css", {}, 404),
        ("/api/v1/slots", {}, 200),
        ("/nowhere", {}, 404),
        ("/api/v1/slots", {"host": "evil.example"}, 403),
        ("/api/v1/slots", {"sec-fetch-site": "cross-site"}, 403),
        ("/healthz", {}, 500),
    ],
)
async def test_every_answer_tells_browsers_to_keep_other_sites_out(
    app: FastAPI, rack: FakeRack, path: str, headers: dict[str, str], status: int
) -> None:
    rack.board.show(running_view())
    if status == 500:
        rack.board.views = broken  # type: ignore[assignment, method-assign]
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="https://rack7.example") as at:
        answer = await at.get(path, headers=headers)
    assert answer.status_code == status
    told = answer.headers
    assert told["cross-origin-opener-policy"] == "same-origin"
    assert told["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in told["permissions-policy"]
    assert told["x-content-type-options"] == "nosniff"
    assert told["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in told["content-security-policy"]
    assert told["cache-control"] == "no-store"
    year_s = 365 * 24 * 3600
    age, subdomains = told[HSTS].split("; ")
    assert int(age.removeprefix("max-age=")) >= year_s
    assert subdomains == "includeSubDomains"


READ = [path for method, path in SERVED if method == "GET" and "{" not in path]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("path", READ)
async def test_what_another_sites_page_loads_is_refused(
    visit: Browser, path: str, site: str
) -> None:
    async with visit() as client:
        for asked in (
            {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
            {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
            {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
            {},
        ):
            answer = await client.get(path, headers={"sec-fetch-site": site, **asked})
            assert answer.json()["error"]["code"] == "origin_refused"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_link_on_another_sites_page_opens_a_page_and_not_the_api(
    visit: Browser, site: str
) -> None:
    headers = {"sec-fetch-site": site, **NAVIGATION}
    async with visit() as client:
        for path in ("/", "/board", "/lots", "/disposal", "/report", "/handsets?q=1", "/cards"):
            assert (await client.get(path, headers=headers)).status_code == 200
        for path in ("/api/v1/slots", "/api/v1/jobs", "/API/v1/slots"):
            assert (await client.get(path, headers=headers)).status_code in {403, 404}
        assert (await client.get("/api/v1/slots", headers=headers)).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"},
        {"sec-fetch-site": "none", **NAVIGATION},
    ],
)
async def test_our_own_page_a_typed_address_and_whoever_is_no_browser_read_on(
    visit: Browser, headers: dict[str, str]
) -> None:
    async with visit() as client:
        assert (await client.get("/api/v1/slots", headers=headers)).status_code == 200


DECISIONS = f"/api/v1/jobs/{JOB}/decisions"


ANSWER = {"gate": "consent", "approved": True}


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8420",
        "127.0.0.1",
        "127.9.9.9",
        "localhost:8420",
        "LOCALHOST",
        "[::1]:8420",
        "rack7.example",
        "Rack7.Example:443",
    ],
)
async def test_own_hosts_are_served(visit: Browser, host: str) -> None:
    async with visit() as client:
        answer = await client.get("/api/v1/slots", headers={"host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8420",
        "127.0.0.1.evil.example",
        "rack7.example.evil.example",
        "192.0.2.1",
        "0.0.0.0:8420",
        "",
        ":8420",
        "localhost:99999",
        "localhost:x",
        "user@localhost",
        "localhost/x",
        "localhost@evil.example",
        "[::1",
        "::1",
        "localhost.evil.example",
    ],
)
async def test_foreign_hosts_are_refused(rack: FakeRack, visit: Browser, host: str) -> None:
    rack.board.show(running_view())
    async with visit() as client:
        answer = await client.get("/api/v1/slots", headers={"host": host})
        own = ("host", "127.0.0.1:8420")
        both = await client.get("/healthz", headers=[own, ("host", host)])
    assert answer.status_code == both.status_code == 403
    assert answer.json()["error"]["code"] == "host_refused"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:3000"},
        {"origin": "null"},
        {"origin": "file://127.0.0.1:8420"},
        {"origin": "http://[::1"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://127.0.0.1:8420", "sec-fetch-site": "cross-site"},
    ],
)
async def test_writes_of_other_sites_are_refused(visit: Browser, headers: dict[str, str]) -> None:
    async with visit() as client:
        answer = await client.post(DECISIONS, json=ANSWER, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "origin_refused"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://127.0.0.1:8420"},
        {"origin": "http://127.0.0.1:8420", "sec-fetch-site": "same-origin"},
        {"host": "rack7.example", "origin": "https://rack7.example"},
    ],
)
async def test_own_writes_come_through(visit: Browser, headers: dict[str, str]) -> None:
    async with visit() as client:
        answer = await client.post(DECISIONS, json=ANSWER, headers=headers)
    assert answer.json()["error"]["code"] == "not_found"
