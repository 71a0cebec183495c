"""`benchd setup`: from files that don't exist yet to an administrator who can sign in."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner, Result

from benchd.cli.main import app as command
from benchd.config import load_settings
from benchd.daemon.rack_people import people_on_disk
from benchd.domain.errors import NameRefused, PersonRefused
from benchd.ledger import export_lines
from tests.cli.people_commands import BADGE, PIN, people

NAMED = ("--person", "sato", "--name", "佐藤 健", "--reading", "さとう けん")


def setup(config: Path, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(command, ["setup", *words, "--config", str(config)], input=typed)


def listed(config: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(people(config, "list", "--json").stdout)["people"]
    return found


def test_everything_is_asked_and_nothing_secret_is_shown(config: Path) -> None:
    done = setup(config, typed=f"sato\n佐藤 健\nさとう けん\n{PIN}\n{PIN}\n{BADGE}\n")
    assert (done.exit_code, done.exception) == (0, None)
    assert PIN not in done.output
    assert BADGE not in done.output
    assert "benchd people add" in done.stdout
    [sato] = listed(config)
    assert (sato["name"], sato["reading"]) == ("佐藤 健", "さとう けん")
    assert sato["roles"] == ["operator", "supervisor", "administrator"]
    assert (sato["has_pin"], sato["has_badge"], sato["disabled_from"]) == (True, True, None)


def test_the_pin_and_the_badge_are_those_that_were_given(config: Path) -> None:
    done = setup(config, *NAMED, typed=f"{PIN}\n{PIN}\n{BADGE}\n")
    assert done.exit_code == 0

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


def test_a_weak_pin_in_a_file_is_refused_and_puts_nobody_on_record(config: Path) -> None:
    done = setup(config, *NAMED, "--pin-file", "-", typed="123456\n")
    assert isinstance(done.exception, PersonRefused)
    assert listed(config) == []


def test_what_is_typed_wrong_is_asked_again(config: Path) -> None:
    typed = f"Sato!\nsato\n\u200b\n佐藤 健\n\n123456\n123456\n{PIN}\n{PIN}\nab c\n\n"
    done = setup(config, typed=typed)
    assert (done.exit_code, done.exception) == (0, None)
    [sato] = listed(config)
    assert (sato["person"], sato["name"], sato["has_badge"]) == ("sato", "佐藤 健", False)


@pytest.mark.parametrize(
    ("words", "refusal"),
    [(("--person", "Sato!"), PersonRefused), (("--person", "sato", "--name", " "), NameRefused)],
)
def test_what_was_given_wrong_is_refused_and_changes_nothing(
    config: Path, words: tuple[str, ...], refusal: type[Exception]
) -> None:
    assert isinstance(setup(config, *words).exception, refusal)
    assert listed(config) == []


def test_who_gives_up_before_the_pin_has_put_nobody_on_record(config: Path) -> None:
    assert setup(config, *NAMED, typed=f"{PIN}\n").exit_code == 1
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
    people(config, "add", "sato", "--name", "佐藤 健", "--role", "administrator")
    done = setup(config, typed=f"{PIN}\n{PIN}\n\n")
    assert (done.exit_code, done.exception) == (0, None)
    [sato] = listed(config)
    assert (sato["has_pin"], sato["roles"]) == (True, ["administrator"])
