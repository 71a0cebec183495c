"""`benchd people` with and without a daemon: the same words, the same record."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import anyio.to_thread
import pytest
from typer.testing import Result

from benchd.domain.errors import LedgerFault, NotAllowed, PersonRefused
from benchd.ledger import export_lines
from benchd.ledger.lock import writer_lock
from benchd.people import person_register
from benchd.texts.catalogue import Catalogue
from tests.cli.people_commands import BADGE, PIN, people
from tests.people.people_rig import people_in
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack
from tests.web.web_running import running


def test_without_a_daemon_on_its_files(config: Path) -> None:
    added = people(config, "add", "sato", "--name", "佐藤 健", "--role", "administrator")
    assert (added.exit_code, added.exception) == (0, None)
    assert added.stdout == "sato\t佐藤 健\t-\tadministrator\tno badge, no PIN\n"
    reading = ("--reading", "もり あおい", "--role", "operator", "--role", "confirmer")
    assert people(config, "add", "mori", "--name", "森 葵", *reading).exit_code == 0
    assert people(config, "pin", "mori", "--from-file", "-", typed=f"{PIN}\n").exit_code == 0
    typed = people(config, "badge", "mori", typed=f"{BADGE}\n")
    assert typed.exit_code == 0
    assert BADGE not in typed.output
    assert people(config, "role", "mori", "--role", "auditor").exit_code == 0
    gone = people(config, "disable", "mori", "--from", "2026-12-01")
    assert "disabled from 2026-12-01" in gone.stdout
    listed = json.loads(people(config, "list", "--json").stdout)
    mori = listed["people"][1]
    assert mori["roles"] == ["auditor"]
    assert (mori["has_badge"], mori["has_pin"], mori["lost_secret"]) == (True, True, False)
    assert mori["reading"] == "もり あおい"
    lines = export_lines(config.parent / "ledger.sqlite")
    told = [json.loads(line)["body"] for line in lines]
    changes = [(one["data"]["person"], one["data"]["change"]) for one in told]
    assert changes == [
        ("sato", "added"),
        ("mori", "added"),
        ("mori", "pin"),
        ("mori", "badge"),
        ("mori", "roles"),
        ("mori", "disabled"),
    ]
    assert all(one["data"]["source"].startswith("files, uid ") for one in told)


def test_a_pin_is_typed_twice(config: Path) -> None:
    people(config, "add", "sato", "--name", "佐藤 健", "--role", "administrator")
    assert people(config, "pin", "sato", typed=f"{PIN}\n551903\n").exit_code == 1
    assert people(config, "pin", "sato", typed=f"{PIN}\n{PIN}\n").exit_code == 0


def test_what_is_refused_says_what_would_do(config: Path) -> None:
    people(config, "add", "sato", "--name", "佐藤 健", "--role", "administrator")
    refused = people(config, "add", "sato2", "--name", "佐藤健", "--role", "operator")
    assert isinstance(refused.exception, PersonRefused)
    assert "choose what nobody takes for the other" in str(refused.exception)
    unknown = people(config, "role", "sato", "--role", "boss")
    assert unknown.exit_code == 2


async def in_thread(call: Callable[[], Result]) -> Result:
    return await anyio.to_thread.run_sync(call)


@pytest.mark.asyncio
async def test_through_the_daemon(
    config: Path, rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    folder = tmp_path / "daemon"
    folder.mkdir()
    async with people_in(folder) as register_of_daemon:
        app = app_of(rack, catalogue, people=register_of_daemon)
        async with running(app, tmp_path / "benchd.sock"):
            words = ("add", "sato", "--name", "佐藤 健", "--role", "administrator")
            added = await in_thread(lambda: people(config, *words))
            assert (added.exit_code, added.exception) == (0, None)
            await in_thread(lambda: people(config, "pin", "sato", typed=f"{PIN}\n{PIN}\n"))
            listed = await in_thread(lambda: people(config, "list"))
        assert listed.stdout == "sato\t佐藤 健\t-\tadministrator\tpin\n"
        assert await register_of_daemon.is_pin(register_of_daemon.person("sato"), PIN)
    assert not (tmp_path / "ledger.sqlite").exists()


def test_a_daemon_that_holds_the_ledger_is_not_written_around(config: Path) -> None:
    people(config, "add", "sato", "--name", "佐藤 健", "--role", "administrator")

    async def while_held() -> Result:
        with writer_lock(config.parent / "ledger.sqlite"):
            return await in_thread(lambda: people(config, "list"))

    assert isinstance(anyio.run(while_held).exception, LedgerFault)


def test_most_people(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person_register, "MOST_PEOPLE", 1)
    people(config, "add", "sato", "--name", "佐藤 健", "--role", "administrator")
    refused = people(config, "add", "mori", "--name", "森 葵", "--role", "operator")
    assert isinstance(refused.exception, PersonRefused)
    assert not isinstance(refused.exception, NotAllowed)
