"""`benchd tokens` with and without a daemon: a secret is told once, on standard output alone."""

from __future__ import annotations

import json
from pathlib import Path

import anyio.to_thread
import pytest
from typer.testing import CliRunner, Result

from benchd.cli.main import app as command
from benchd.domain.errors import NotFound, TokenRefused
from benchd.domain.token import TOKEN_SECRET
from benchd.ledger import export_lines
from benchd.texts.catalogue import Catalogue
from tests.people.tokens.token_rig import bearing, house_in
from tests.web.web_fakes import FakeRack
from tests.web.web_running import running


def tokens(config: Path, *words: str) -> Result:
    return CliRunner().invoke(command, ["tokens", *words, "--config", str(config)])


def test_without_a_daemon_on_its_files(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    both = ("--scope", "intake:write", "--scope", "certificates:read")
    made = tokens(config, "create", "stock", *both, "--days", "30")
    assert (made.exit_code, made.exception) == (0, None)
    # What a script takes is the secret and nothing else.
    secret = made.stdout.removesuffix("\n")
    assert TOKEN_SECRET.fullmatch(secret)
    assert "もう表示しません" in made.stderr
    assert secret not in made.stderr
    assert tokens(config, "create", "short", "--scope", "intake:read", "--days", "1").exit_code == 0
    rotated = tokens(config, "rotate", "stock", "--overlap", "2.5")
    assert TOKEN_SECRET.fullmatch(rotated.stdout.removesuffix("\n"))
    listed = tokens(config, "list")
    assert "前のトークンは" in listed.stdout
    [told, _] = json.loads(tokens(config, "list", "--json").stdout)["tokens"]
    assert (told["token"], told["scopes"], told["over"]) == (
        *("stock", ["intake:write", "certificates:read"]),
        False,
    )
    assert "失効" in tokens(config, "revoke", "stock").stdout
    assert "失効" in tokens(config, "list").stdout
    lines = [json.loads(line)["body"] for line in export_lines(config.parent / "ledger.sqlite")]
    assert [(one["kind"], one["data"]["change"]) for one in lines] == [
        ("token_changed", "created"),
        ("token_changed", "created"),
        ("token_changed", "rotated"),
        ("token_changed", "revoked"),
    ]
    assert all(one["data"]["source"].startswith("files, uid ") for one in lines)
    for shown in (listed.output, json.dumps(lines)):
        assert secret.removeprefix("benchd_") not in shown


def test_what_is_refused_says_what_would_do(config: Path) -> None:
    bad = tokens(config, "create", "Stock", "--scope", "intake:read")
    assert isinstance(bad.exception, TokenRefused)
    assert bad.stdout == ""
    assert tokens(config, "create", "stock").exit_code == 2
    assert tokens(config, "create", "stock", "--scope", "gates:answer").exit_code == 2
    assert isinstance(tokens(config, "revoke", "stock").exception, NotFound)
    far = tokens(config, "create", "stock", "--scope", "intake:read", "--days", "731")
    assert isinstance(far.exception, TokenRefused)


@pytest.mark.asyncio
async def test_through_the_daemon_and_in_by_it(
    config: Path, rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async def typed(*words: str) -> Result:
        return await anyio.to_thread.run_sync(lambda: tokens(config, *words))

    inside = tmp_path / "daemon"
    inside.mkdir()
    async with (
        house_in(inside, rack, catalogue, per_minute=60) as house,
        running(house.app, tmp_path / "benchd.sock") as here,
        here.over_tcp() as client,
    ):
        client.headers.clear()
        made = await typed("create", "stock", "--scope", "intake:read")
        assert (made.exit_code, made.exception) == (0, None)
        old = made.stdout.strip()
        assert (await client.get("/api/v1/lots", headers=bearing(old))).status_code == 200
        new = (await typed("rotate", "stock", "--overlap", "0")).stdout.strip()
        assert (await client.get("/api/v1/lots", headers=bearing(old))).status_code == 401
        assert (await client.get("/api/v1/lots", headers=bearing(new))).status_code == 200
        again = await typed("create", "stock", "--scope", "intake:read")
        assert "names are never reused" in str(again.exception)
        assert "revoked" in (await typed("revoke", "stock")).stdout
        assert (await client.get("/api/v1/lots", headers=bearing(new))).status_code == 401
        told = json.loads((await typed("list", "--json")).stdout)["tokens"]
        assert [(one["token"], one["over"]) for one in told] == [("stock", True)]
        # Over TCP nobody asks for any of this, not even who is anybody.
        assert (await client.get("/api/v1/tokens")).json()["error"]["code"] == "socket_only"
    assert not (tmp_path / "ledger.sqlite").exists()
