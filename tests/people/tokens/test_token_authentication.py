"""Another system at the door: each way to come with a token that isn't one, and what one may."""

from __future__ import annotations

import os
import socket
from itertools import product
from pathlib import Path

import anyio.to_thread
import httpx2
import pytest

from benchd.domain.token import Scope
from benchd.people.tokens.token_authentication import TokenAuthenticator, shares
from benchd.signing.tls import Tls, TlsFiles
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel
from benchd.web.callers import COOKIE
from benchd.web.proxy import by_uid
from benchd.web.session_routes import SESSION
from tests.people.people_rig import BADGE, BY, PIN, HandClock, HandSeconds
from tests.people.tokens.token_rig import House, OpenHouse, bearing, code_of, tokens_in
from tests.web.certificates import Authority
from tests.web.proxy_side import HEADER, proxied
from tests.web.served import app_of
from tests.web.test_rows import SERVED, STREAMS, path_of
from tests.web.web_fakes import JOB, FakeRack, running_view
from tests.web.web_running import Running, running

pytestmark = pytest.mark.asyncio

LOT = {"lot": "L-1", "consignor": "private", "kind": "purchase", "paper": "No.12"}
LOTS, ASSETS = "/api/v1/lots", "/api/v1/assets"
CERTIFICATE = "/api/v1/jobs/job-1/certificate.json"
MAY_ASK = {
    ("POST", "/api/v1/lots"): "intake:write",
    ("POST", "/api/v1/lots/{lot}/assets"): "intake:write",
    ("POST", "/api/v1/lots/{lot}/assets.csv"): "intake:write",
    ("GET", "/api/v1/lots"): "intake:read",
    ("GET", "/api/v1/lots/{lot}"): "intake:read",
    ("GET", "/api/v1/assets"): "intake:read",
    ("GET", "/api/v1/assets/{tag}"): "intake:read",
    ("GET", "/api/v1/certificates"): "certificates:read",
    ("GET", "/api/v1/jobs/{job}/certificate.json"): "certificates:read",
    ("GET", "/api/v1/jobs/{job}/certificate.pdf"): "certificates:read",
}
"""By hand and apart from the table, so that no row opens by accident."""


async def test_the_apis_document_tells_where_a_token_counts(house: House) -> None:
    document = house.app.openapi()
    assert house.app.openapi() is document
    told = {
        (method.upper(), path): operation["security"]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "security" in operation
    }
    assert told == {row: [{}, {"token": [scope]}] for row, scope in MAY_ASK.items()}
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


async def asked(client: httpx2.AsyncClient, method: str, template: str) -> httpx2.Response:
    path = path_of(template).replace("{token}", "stock")
    return await client.request(method, path, json={} if method != "GET" else None)


@pytest.mark.parametrize("anonymous", [AccessLevel.WALL, AccessLevel.READ])
async def test_each_scope_at_each_route(
    open_house: OpenHouse, rack: FakeRack, anonymous: AccessLevel
) -> None:
    """Also where who shows nothing at all would be shown more."""
    rack.board.show(running_view())
    rack.ledger.keep_job()
    before = len(rack.ledger.stored)
    async with open_house(anonymous=anonymous) as house:
        secrets = {scope: await house.token(f"t{n}", [scope]) for n, scope in enumerate(Scope)}
        secrets_of_all = await house.token("all")
        for scope, (method, template) in product([*Scope, None], SERVED):
            async with house.client(secrets[scope] if scope else secrets_of_all) as client:
                answer = await asked(client, method, template)
            wanted = MAY_ASK.get((method, template))
            if wanted is not None and scope in (wanted, None):
                assert answer.status_code not in (401, 403), (template, answer.text)
            else:
                assert code_of(answer) == (403, "token_out_of_scope"), (scope, template)
                assert "insufficient_scope" in answer.headers["www-authenticate"]
                assert "HQ6123" not in answer.text
        assert len(house.tokens.all) == 4
    assert len(rack.ledger.stored) == before
    assert STREAMS in {path for _, path in SERVED}


async def test_a_token_answers_no_gate_settles_nothing_and_signs_in_nobody(
    house: House, rack: FakeRack
) -> None:
    rack.ledger.keep_job()
    before = len(rack.ledger.stored)
    told = {
        f"/api/v1/jobs/{JOB}/decisions": {"gate": "observe", "approved": True},
        f"/api/v1/disposal/{JOB}": {"state": "rerun_due", "note": "x"},
        "/api/v1/lots/L-1/attestations": {"kinds": ["consent"]},
        "/api/v1/assets/T1/unerasable": {"reason": "no_power"},
        "/api/v1/slots/A1/asset": {"tag": "T1"},
        SESSION: {"badge": BADGE, "pin": PIN},
        "/api/v1/people": {"person": "eve", "name": "Eve", "roles": ["administrator"]},
        "/api/v1/tokens": {"token": "eve", "scopes": ["intake:read"]},
        "/api/v1/drain": {},
    }
    async with house.client(await house.token("stock")) as client:
        for path, body in told.items():
            answer = await client.post(path, json=body)
            assert code_of(answer) == (403, "token_out_of_scope"), path
            assert "set-cookie" not in answer.headers
    assert len(rack.ledger.stored) == before


async def test_what_isnt_a_token_that_counts_is_told_why(house: House) -> None:
    gone, old = await house.token("gone"), await house.token("stock")
    await house.tokens.revoke(BY, "gone")
    _, new = await house.tokens.rotate(BY, "stock", days=30, overlap_hours=1)
    cases = {gone: "revoked", f"benchd_{'A' * 43}": "no token", "": "no token", "x": "no token"}
    async with house.client() as client:
        assert (await client.get(LOTS, headers=bearing(old))).status_code == 200
        house.clock.forward(3600)
        for secret, why in {**cases, old: "rotated"}.items():
            answer = await client.get(LOTS, headers=bearing(secret))
            assert code_of(answer) == (401, "token_not_accepted")
            assert why in answer.json()["error"]["message"]
            assert "invalid_token" in answer.headers["www-authenticate"]
        assert (await client.get(LOTS, headers=bearing(new))).status_code == 200
        house.clock.forward(31 * 24 * 3600)
        answer = await client.get(LOTS, headers=bearing(new))
        assert code_of(answer) == (401, "token_not_accepted")
        assert "expired" in answer.json()["error"]["message"]


async def test_a_bad_token_isnt_taken_for_nobody(open_house: OpenHouse) -> None:
    """Else whoever has a wrong one would be shown what anybody is, and never notice."""
    async with (
        open_house(anonymous=AccessLevel.READ) as house,
        house.client("benchd_wrong") as client,
    ):
        for path in ("/", "/healthz", "/api/v1/slots", "/nothing/here"):
            assert code_of(await client.get(path)) == (401, "token_not_accepted")


async def test_other_schemes_are_nothing_to_benchd(house: House) -> None:
    """A proxy's own login often hands its header on."""
    async with house.client() as client:
        for value in ("Basic c2F0bzp4", "Digest x", "BearerX y", ""):
            answer = await client.get("/api/v1", headers={"authorization": value})
            assert answer.json()["shown"] == "wall"


async def test_a_schemes_letters_may_be_of_any_size(house: House) -> None:
    secret = await house.token("stock")
    async with house.client() as client:
        for scheme in ("Bearer", "bearer", "BEARER"):
            answer = await client.get(LOTS, headers={"authorization": f"{scheme} {secret}"})
            assert answer.status_code == 200


async def misplaced(house: House, path: str, headers: object) -> None:
    async with house.client() as client:
        answer = await client.get(path, headers=headers)  # type: ignore[arg-type]
    assert code_of(answer) == (400, "token_misplaced"), answer.text


async def test_a_token_stands_in_one_header_and_nowhere_else(open_house: OpenHouse) -> None:
    async with open_house(anonymous=AccessLevel.READ) as house:
        secret = await house.token("stock")
        one = ("authorization", f"Bearer {secret}")
        await misplaced(house, LOTS, [one, one])
        await misplaced(house, LOTS, [one, ("authorization", "Basic c2F0bzp4")])
        await misplaced(house, LOTS, [("authorization", "Basic c2F0bzp4"), one])
        for query in (
            f"access_token={secret}",
            "access_token=",
            "ACCESS_TOKEN=x",
            "limit=1&access%5Ftoken=x",
            f"token={secret}",
            f"x={secret.replace('_', '%5f')}",
            secret,
        ):
            await misplaced(house, f"{LOTS}?{query}", [])
            await misplaced(house, f"{LOTS}?{query}", [one])
        await misplaced(house, f"{ASSETS}/{secret}", [])
        await misplaced(house, LOTS, [one, ("cookie", f"{COOKIE}=x")])
        async with house.client() as client:
            # In a body it's nothing; and nobody has come in by any of this.
            answer = await client.post(LOTS, json={**LOT, "access_token": secret})
            assert answer.status_code in (401, 422)
            assert (await client.get(LOTS, headers=[one])).json() == {"lots": []}  # type: ignore[arg-type]


async def test_nobody_between_can_read_a_token(house: House) -> None:
    loopback, others = "127.0.0.1:8420", "rack7.example"
    cases = {
        (f"http://{others}", "192.0.2.7"): (403, "token_in_clear"),
        (f"http://{loopback}", "192.0.2.7"): (403, "token_in_clear"),
        (f"http://{loopback}", "a name"): (403, "token_in_clear"),
        (f"https://{others}", "192.0.2.7"): (200, ""),
        (f"http://{loopback}", "127.0.0.1"): (200, ""),
        ("http://[::1]:8420", "::1"): (200, ""),
    }
    secret = await house.token("stock")
    for (address, peer), told in cases.items():
        async with house.client(secret, address, client=(peer, 4711)) as client:
            answer = await client.get(LOTS)
        code = "" if answer.is_success else answer.json()["error"]["code"]
        assert (answer.status_code, code) == told, address


async def test_a_token_outranks_whoever_the_socket_shows(house: House, tmp_path: Path) -> None:
    """Over the machine's own socket it is still only a token."""
    secret = await house.token("stock", [Scope.CERTIFICATES_READ])
    async with (
        running(house.app, tmp_path / "benchd.sock") as here,
        here.over_unix() as client,
    ):
        assert (await client.get("/api/v1/people")).status_code == 200
        answer = await client.get("/api/v1/people", headers=bearing(secret))
        assert code_of(answer) == (403, "token_out_of_scope")
        drained = await client.post("/api/v1/drain", headers=bearing(secret))
        assert code_of(drained) == (403, "token_out_of_scope")


async def test_over_tls(house: House, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    pair = authority.issue("rack")
    tls = Tls(TlsFiles(certificate=pair.certificate, key=pair.key))
    secret = await house.token("stock")
    async with (
        running(house.app, tmp_path / "benchd.sock", tls=tls) as here,
        here.over_tls(authority.visitor()) as client,
    ):
        client.headers.pop("cookie")
        assert (await client.get(LOTS, headers=bearing(secret))).status_code == 200
        assert (await client.get(LOTS)).status_code == 403


async def test_behind_the_trusted_proxy_a_request_is_a_persons_or_a_systems(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    seconds = HandSeconds()
    async with tokens_in(tmp_path, HandClock()) as tokens:
        _, secret = await tokens.create(BY, "stock", [Scope.CERTIFICATES_READ], days=1)
        app = app_of(
            rack,
            catalogue,
            callers=proxied(by_uid(os.getuid())),
            allowed_hosts=["rack7.example"],
            tokens=TokenAuthenticator(tokens, shares(60, seconds), seconds),
        )
        async with running(app, tmp_path / "benchd.sock") as here, here.over_unix() as client:
            client.headers["host"] = "rack7.example"
            found = await client.get(CERTIFICATE, headers=bearing(secret))
            assert code_of(found) == (404, "not_found")
            blank = {**bearing(secret), HEADER: ""}
            assert (await client.get(CERTIFICATE, headers=blank)).status_code == 404
            both = await client.get(CERTIFICATE, headers={**bearing(secret), HEADER: "sato"})
            assert code_of(both) == (400, "token_misplaced")
            # The token takes from the proxy what the proxy's word would give, and the other way.
            jobs = await client.get("/api/v1/jobs", headers=bearing(secret))
            assert code_of(jobs) == (403, "token_out_of_scope")
            assert (await client.get("/api/v1/jobs", headers={HEADER: "sato"})).status_code == 200


def raw(here: Running, *headers: bytes) -> bytes:
    """The status line of what is answered to these very bytes."""
    with socket.create_connection(("127.0.0.1", here.port), timeout=30) as wire:
        lines = (b"GET /api/v1/lots HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close", *headers)
        wire.sendall(b"\r\n".join((*lines, b"", b"")))
        return wire.makefile("rb").readline()


async def test_as_bytes_on_the_wire(house: House, tmp_path: Path) -> None:
    secret = (await house.token("stock")).encode()
    good = b"Authorization: Bearer " + secret
    cases = {
        (good,): b"200",
        (b"AUTHORIZATION:  bearer   " + secret + b"  ",): b"200",
        (good, good): b"400",
        (good, b"authorization: Basic eDp5"): b"400",
        (b"Authorization: Bearer " + secret + b", Bearer " + secret,): b"401",
        (b"Authorization: Bearer\t" + secret,): b"401",
        (b"Authorization:\tBearer\t" + secret,): b"401",
        (b"Authorization: " + secret,): b"401",
        (b"Authorization: Token " + secret,): b"401",
        (b"Authorization: Basic eDp5",): b"403",
        (b"Authorization: Bearer " + secret + b"\xff",): b"401",
        (b"Authorization: Bearer \xe3\x81\x82",): b"401",
        (b"Authorization: Bearer " + b"A" * 9000,): b"401",
        (b"Authorization: Bearer",): b"401",
        (b"X-Forwarded-Authorization: Bearer " + secret,): b"403",
    }
    async with running(house.app, tmp_path / "benchd.sock") as here:
        for headers, status in cases.items():
            line = await anyio.to_thread.run_sync(raw, here, *headers)
            assert line.split()[1] == status, headers
