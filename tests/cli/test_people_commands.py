"""`benchd people` and `setup`, with and without a daemon, and who is known while none runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from typer.testing import CliRunner, Result

from benchd.cli.local_authentication import name_of_whoever_may
from benchd.cli.main import app as command
from benchd.config import load_settings
from benchd.daemon.rack_people import people_on_disk
from benchd.domain.authority import Action
from benchd.domain.errors import (
    LedgerFault,
    MoreToShow,
    NameRefused,
    NotAllowed,
    NotSignedIn,
    PersonRefused,
)
from benchd.ledger import export_lines
from benchd.ledger.lock import writer_lock
from benchd.people import person_register
from benchd.texts.catalogue import Catalogue
from tests.people.people_rig import people_in
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack
from tests.web.web_running import running

PIN, BADGE = "902716", "B-7781-4402"
NAMED = ("--person", "sato", "--name", "佐藤 健", "--reading", "さとう けん")
SATO = ("add", "sato", "--name", "佐藤 健", "--role", "administrator")
MORI = ("add", "mori", "--name", "森 葵", "--role", "operator")


def people(config: Path, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(command, ["people", *words, "--config", str(config)], input=typed)


def setup(config: Path, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(command, ["setup", *words, "--config", str(config)], input=typed)


def listed(config: Path) -> list[dict[str, object]]:
    return json.loads(people(config, "list", "--json").stdout)["people"]


def test_without_a_daemon_on_its_files(config: Path) -> None:
    added = people(config, *SATO)
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
    mori = listed(config)[1]
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
    people(config, *SATO)
    assert people(config, "pin", "sato", typed=f"{PIN}\n551903\n").exit_code == 1
    assert people(config, "pin", "sato", typed=f"{PIN}\n{PIN}\n").exit_code == 0


def test_what_is_refused_says_what_would_do(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people(config, *SATO)
    refused = people(config, "add", "sato2", "--name", "佐藤健", "--role", "operator")
    assert isinstance(refused.exception, PersonRefused)
    assert "choose what nobody takes for the other" in str(refused.exception)
    assert people(config, "role", "sato", "--role", "boss").exit_code == 2
    monkeypatch.setattr(person_register, "MOST_PEOPLE", 1)
    too_many = people(config, *MORI).exception
    assert isinstance(too_many, PersonRefused)
    assert not isinstance(too_many, NotAllowed)


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
            added = await in_thread(lambda: people(config, *SATO))
            assert (added.exit_code, added.exception) == (0, None)
            await in_thread(lambda: people(config, "pin", "sato", typed=f"{PIN}\n{PIN}\n"))
            listed = await in_thread(lambda: people(config, "list"))
        assert listed.stdout == "sato\t佐藤 健\t-\tadministrator\tpin\n"
        assert await register_of_daemon.is_pin(register_of_daemon.person("sato"), PIN)
    assert not (tmp_path / "ledger.sqlite").exists()


def test_a_daemon_that_holds_the_ledger_is_not_written_around(config: Path) -> None:
    people(config, *SATO)

    async def while_held() -> Result:
        with writer_lock(config.parent / "ledger.sqlite"):
            return await in_thread(lambda: people(config, "list"))

    assert isinstance(anyio.run(while_held).exception, LedgerFault)


def test_a_setup_asks_for_everything_and_shows_nothing_secret(config: Path) -> None:
    done = setup(config, typed=f"sato\n佐藤 健\nさとう けん\n{PIN}\n{PIN}\n{BADGE}\n")
    assert (done.exit_code, done.exception) == (0, None)
    assert PIN not in done.output
    assert BADGE not in done.output
    assert "benchd people add" in done.stdout
    [sato] = listed(config)
    assert (sato["name"], sato["reading"]) == ("佐藤 健", "さとう けん")
    assert sato["roles"] == ["operator", "supervisor", "administrator"]
    assert (sato["has_pin"], sato["has_badge"], sato["disabled_from"]) == (True, True, None)

    async def shown() -> None:
        async with people_on_disk(load_settings(config)) as register:
            sato = register.person("sato")
            assert await register.is_pin(sato, PIN)
            assert register.of_badge(BADGE) == sato
            assert register.has_administrator()

    anyio.run(shown)


def test_a_script_gives_files_and_is_asked_nothing(config: Path, tmp_path: Path) -> None:
    badge = tmp_path / "badge"
    badge.write_text(BADGE)
    files = ("--pin-file", "-", "--badge-file", str(badge))
    assert setup(config, *NAMED, *files, typed=f"{PIN}\n").exit_code == 0
    [sato] = listed(config)
    assert (sato["has_pin"], sato["has_badge"]) == (True, True)


def test_what_is_typed_wrong_is_asked_again(config: Path) -> None:
    typed = f"Sato!\nsato\n\u200b\n佐藤 健\n\n123456\n123456\n{PIN}\n{PIN}\nab c\n\n"
    done = setup(config, typed=typed)
    assert (done.exit_code, done.exception) == (0, None)
    [sato] = listed(config)
    assert (sato["person"], sato["name"], sato["has_badge"]) == ("sato", "佐藤 健", False)


@pytest.mark.parametrize(
    ("words", "typed", "refusal"),
    [
        ((*NAMED, "--pin-file", "-"), "123456\n", PersonRefused),
        (("--person", "Sato!"), "", PersonRefused),
        (("--person", "sato", "--name", " "), "", NameRefused),
        (NAMED, f"{PIN}\n", SystemExit),
    ],
    ids=["a weak PIN", "no id", "no name", "who gives up before the second PIN"],
)
def test_what_a_setup_refuses_puts_nobody_on_record(
    config: Path, words: tuple[str, ...], typed: str, refusal: type[BaseException]
) -> None:
    refused = setup(config, *words, typed=typed)
    assert (refused.exit_code, isinstance(refused.exception, refusal)) == (1, True)
    assert listed(config) == []


def test_an_administrator_who_can_show_it_is_left_alone(config: Path) -> None:
    setup(config, *NAMED, typed=f"{PIN}\n{PIN}\n\n")
    before = export_lines(config.parent / "ledger.sqlite")
    again = setup(config, "--person", "mori", "--name", "森 葵")
    assert again.exit_code == 0
    assert again.stdout == "sato administers this rack; nothing was changed\n"
    assert list(export_lines(config.parent / "ledger.sqlite")) == list(before)


def test_an_administrator_without_pin_and_badge_is_given_them(config: Path) -> None:
    """A crash between the record and the PIN, or `people add` alone."""
    people(config, *SATO)
    done = setup(config, typed=f"{PIN}\n{PIN}\n\n")
    assert (done.exit_code, done.exception) == (0, None)
    [sato] = listed(config)
    assert (sato["has_pin"], sato["roles"]) == (True, ["administrator"])


@pytest.fixture
def staffed(config: Path) -> Path:
    people(config, *SATO)
    people(config, *MORI)
    people(config, "pin", "mori", "--from-file", "-", typed=PIN)
    return config


def name(config: Path, person: str, pin: str, badge: str | None = None) -> str:
    folder = config.parent
    (folder / "pin").write_text(pin)
    if badge is not None:
        (folder / "badge").write_text(badge)
    return name_of_whoever_may(
        Action.ATTEST,
        person,
        config,
        pin_file=folder / "pin",
        badge_file=None if badge is None else folder / "badge",
    )


def test_it_is_the_name_on_record(staffed: Path) -> None:
    assert name(staffed, "mori", PIN) == "森 葵"
    people(staffed, "badge", "mori", "--from-file", "-", typed=BADGE)
    assert name(staffed, "mori", PIN, BADGE) == "森 葵"


@pytest.mark.parametrize(
    ("person", "pin", "badge"),
    [
        ("mori", "551903", None),
        ("kato", PIN, None),
        ("mori", PIN, "B-0031-9920"),
        ("森 葵", PIN, None),
        ("sato", "", None),
    ],
)
def test_a_claim_is_not_enough(staffed: Path, person: str, pin: str, badge: str | None) -> None:
    with pytest.raises(NotSignedIn):
        name(staffed, person, pin, badge)


def test_a_pin_alone_is_too_little_and_a_role_or_who_has_left_may_not(staffed: Path) -> None:
    people(staffed, "role", "mori", "--role", "confirmer")
    with pytest.raises(NotAllowed):
        name(staffed, "mori", PIN)
    people(staffed, "role", "mori", "--role", "operator")
    people(staffed, "badge", "mori", "--from-file", "-", typed=BADGE)
    with pytest.raises(MoreToShow):
        name(staffed, "mori", PIN)
    people(staffed, "disable", "mori")
    with pytest.raises(NotAllowed):
        name(staffed, "mori", PIN, BADGE)
