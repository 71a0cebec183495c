"""What `--help` shows is what was written: Rich takes what stands in brackets for a style."""

from __future__ import annotations

from collections.abc import Iterator

import typer.main
from rich.text import Text
from typer.core import TyperGroup
from typer.testing import CliRunner

from benchd.cli import main

MARKUP = "\\["
"""How a bracket is written that Rich is to show."""


def help_texts() -> Iterator[tuple[str, str]]:
    """All that commands say of themselves and of their options, each with its place."""
    waiting = [("benchd", typer.main.get_command(main.app))]
    while waiting:
        name, command = waiting.pop()
        yield name, command.help or ""
        for parameter in command.params:
            yield f"{name} {parameter.name}", str(getattr(parameter, "help", None) or "")
        if isinstance(command, TyperGroup):
            waiting += [(f"{name} {each}", inner) for each, inner in command.commands.items()]


def test_no_help_loses_a_word_in_brackets() -> None:
    texts = dict(help_texts())
    assert texts["benchd drain operator"]
    shown = {place: Text.from_markup(text).plain for place, text in texts.items()}
    assert shown == {place: text.replace(MARKUP, "[") for place, text in texts.items()}


def test_help_names_the_table_of_the_configuration_that_it_means() -> None:
    for command, table in ((["drain"], "[people.unix]"), (["models", "list"], "[models]")):
        told = CliRunner().invoke(main.app, [*command, "--help"], env={"COLUMNS": "200"})
        assert table in told.stdout
