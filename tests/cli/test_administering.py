"""`benchd tokens` and `log-level`: what administrators do, with and without a daemon."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
import typer
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from benchd.cli.client import BenchdClient
from benchd.cli.log_level_commands import seconds_of
from benchd.cli.main import app as command
from benchd.domain.errors import NotAllowed, NotFound, TokenRefused
from benchd.domain.ids import JsonValue
from benchd.domain.people import Role
from benchd.domain.token import TOKEN_SECRET
from benchd.ledger import export_lines
from benchd.observe.log_level_change import LogLevels
from benchd.texts.catalogue import Catalogue
from tests.cli.shop import Shop
from tests.people.people_rig import BADGE, PIN
from tests.people.tokens.token_rig import bearing, house_in
from tests.web.web_fakes import FakeRack, running_view
from tests.web.web_running import running


def tokens(config: Path, *words: str) -> Result:
    return CliRunner().invoke(command, ["tokens", *words, "--config", str(config)])


def test_tokens_without_a_daemon_are_told_once_on_standard_output_alone(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def as_mori(folder: Path, wanted: Mapping[str, JsonValue]) -> None:
    """Asked over the socket by a person who has signed in."""
    with BenchdClient(folder / "benchd.sock") as client:
        client.sign_in(person="mori", pin=PIN, badge=BADGE)
        client.set_log_level(wanted)


@pytest.mark.asyncio
async def test_an_administrator_has_more_logged_and_is_named_in_the_log(shop: Shop) -> None:
    levels = LogLevels(lambda: 0.0)
    shop.rack.board.show(running_view())
    async with shop.daemon(Role.ADMINISTRATOR, logs=levels):
        assert "as usual" in (await shop.done("log-level")).output
        with capture_logs() as lines:
            done = await shop.done("log-level", "debug", "--slot", "A1", "--for", "2m")
        assert "slot A1 everything is logged for another 120.0 s" in done.output
        assert levels.lets_through("debug", "A1")
        assert not levels.lets_through("debug", "B1")
        told = json.loads((await shop.done("log-level", "--json")).output)
        assert told == {"debug": [{"slot": "A1", "left_s": 120.0}]}
        with capture_logs() as more:
            await anyio.to_thread.run_sync(as_mori, shop.folder, {"level": "info"})
        assert levels.in_effect() == []
        nowhere = (await shop.benchd("log-level", "debug", "--slot", "Z9")).exception
        assert isinstance(nowhere, NotFound)
        assert "Z9" in str(nowhere)
        assert levels.in_effect() == []
    [line, back] = [line for line in (*lines, *more) if line["event"] == "log_level_changed"]
    assert (line["set_to"], line["slot"], line["for_s"]) == ("debug", "A1", 120.0)
    # Whoever owns the rack's files is nobody in particular.
    assert (line["person"], line["uid"]) == (None, os.geteuid())
    assert (back["set_to"], back["person"]) == ("info", "mori")


@pytest.mark.asyncio
async def test_nobody_else_changes_what_is_logged(shop: Shop) -> None:
    levels = LogLevels(lambda: 0.0)
    async with shop.daemon(Role.SUPERVISOR, logs=levels):
        with pytest.raises(NotAllowed):
            await anyio.to_thread.run_sync(as_mori, shop.folder, {"level": "debug"})
        assert levels.in_effect() == []


def test_a_time_is_a_number_and_a_unit_and_else_refused_with_how_to_write_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    assert [seconds_of(text) for text in ("90s", "10m", "24h")] == [90, 600, 86_400]
    for text in ("", "10", "0m", "25h", "-5m", "5d", "1e3s"):
        with pytest.raises(typer.BadParameter, match="90s, 10m or 2h"):
            seconds_of(text)
