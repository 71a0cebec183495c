"""`benchd log-level`: an administrator has more logged, and the log says who it was."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
import typer
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from benchd.cli.client import BenchdClient
from benchd.cli.log_level_commands import seconds_of
from benchd.cli.main import app as command
from benchd.domain.errors import NotAllowed, NotFound
from benchd.domain.ids import JsonValue
from benchd.domain.people import Role
from benchd.observe.log_level_change import LogLevels
from benchd.texts.catalogue import Catalogue
from tests.people.people_rig import BADGE, BY, PIN, door_in
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack, running_view
from tests.web.web_running import running


@asynccontextmanager
async def daemon(
    folder: Path, rack: FakeRack, catalogue: Catalogue, *roles: Role
) -> AsyncGenerator[LogLevels]:
    """One whose user is Mori, with these roles; slot A1 is busy."""
    rack.board.show(running_view())
    levels = LogLevels(lambda: 0.0)
    async with door_in(folder) as door:
        await door.people.set_roles(BY, "mori", roles)
        app = app_of(
            rack,
            catalogue,
            callers=door.callers(),
            people=door.people,
            sessions=door.sessions,
            logs=levels,
        )
        async with running(app, folder / "benchd.sock"):
            yield levels


def as_mori(folder: Path, wanted: Mapping[str, JsonValue]) -> None:
    """Asked over the socket by a person who has signed in."""
    with BenchdClient(folder / "benchd.sock") as client:
        client.sign_in(person="mori", pin=PIN, badge=BADGE)
        client.set_log_level(wanted)


async def log_level(folder: Path, *words: str) -> Result:
    env = {"BENCHD_SOCKET": str(folder / "benchd.sock"), "LANG": "C", "LC_ALL": "C"}

    def run() -> Result:
        return CliRunner().invoke(command, ["log-level", *words], env=env)

    return await anyio.to_thread.run_sync(run)


@pytest.mark.asyncio
async def test_an_administrator_changes_it_and_is_named_in_the_log(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with daemon(tmp_path, rack, catalogue, Role.ADMINISTRATOR) as levels:
        assert "as usual" in (await log_level(tmp_path)).output
        with capture_logs() as lines:
            done = await log_level(tmp_path, "debug", "--slot", "A1", "--for", "2m")
        assert done.exit_code == 0, done.output
        assert "slot A1 everything is logged for another 120.0 s" in done.output
        assert levels.lets_through("debug", "A1")
        assert not levels.lets_through("debug", "B1")
        told = json.loads((await log_level(tmp_path, "--json")).output)
        assert told == {"debug": [{"slot": "A1", "left_s": 120.0}]}
        with capture_logs() as more:
            await anyio.to_thread.run_sync(as_mori, tmp_path, {"level": "info"})
        assert levels.in_effect() == []
    [line, back] = [line for line in (*lines, *more) if line["event"] == "log_level_changed"]
    assert (line["set_to"], line["slot"], line["for_s"]) == ("debug", "A1", 120.0)
    # Whoever owns the rack's files is nobody in particular.
    assert (line["person"], line["uid"]) == (None, os.geteuid())
    assert (back["set_to"], back["person"]) == ("info", "mori")


@pytest.mark.asyncio
async def test_nobody_else_changes_it(rack: FakeRack, catalogue: Catalogue, tmp_path: Path) -> None:
    async with daemon(tmp_path, rack, catalogue, Role.SUPERVISOR) as levels:
        with pytest.raises(NotAllowed):
            await anyio.to_thread.run_sync(as_mori, tmp_path, {"level": "debug"})
        assert levels.in_effect() == []


@pytest.mark.asyncio
async def test_a_slot_that_there_isnt_is_named(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with daemon(tmp_path, rack, catalogue, Role.ADMINISTRATOR) as levels:
        done = await log_level(tmp_path, "debug", "--slot", "Z9")
        assert levels.in_effect() == []
    assert isinstance(done.exception, NotFound)
    assert "Z9" in str(done.exception)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("24h", 86_400)])
def test_a_time_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "0m", "25h", "-5m", "5d", "1e3s"])
def test_what_is_no_time_is_refused_with_how_to_write_one(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    with pytest.raises(typer.BadParameter, match="90s, 10m or 2h"):
        seconds_of(text)
