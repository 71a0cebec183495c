"""The tables of scenarios, recipes and commands in the manuals are those that benchd knows."""

from __future__ import annotations

import os
import re

import pytest
import typer.main

from benchd.cli.main import app
from benchd.lab.manuals import BEGIN, END, MORE, ROOT, commands, recipes, tables, with_table
from benchd.lab.simulator.scenarios import SCENARIOS

COMMAND = typer.main.get_group(app)
TABLES = {page: list(lines) for page, lines in tables(COMMAND).items()}
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("page", sorted(TABLES))
def test_the_table_of_a_page_is_as_the_code_makes_it(page: str) -> None:
    """If this fails: scripts/manual-tables."""
    text = (ROOT / page).read_text()
    assert with_table(text, TABLES[page]) == text


def test_only_what_stands_between_the_marks_is_made_anew() -> None:
    page = f"# A\n\n{BEGIN}\nold\n{END}\n\nkept\n"
    assert with_table(page, ["new"]) == f"# A\n\n{BEGIN}\n\nnew\n\n{END}\n\nkept\n"


@pytest.mark.parametrize("page", ["", BEGIN, f"{END}\n{BEGIN}"])
def test_a_page_without_marks_is_left_alone(page: str) -> None:
    with pytest.raises(ValueError, match="needs a line"):
        with_table(page, ["new"])


def test_each_scenario_tells_its_story() -> None:
    assert [name for name, scenario in SCENARIOS.items() if not scenario.story] == []


def test_each_row_of_a_command_says_what_it_is_for() -> None:
    rows = [re.findall(r"(?<!\\)\| *(.*?) *(?=(?<!\\)\|)", row) for row in commands(COMMAND)][2:]
    assert len(rows) > 80
    assert [row for row in rows if len(row) != 3 or not row[1]] == []


def test_more_is_told_only_of_commands_that_there_are() -> None:
    assert MORE.keys() <= {
        row.split("|")[1].strip(" `").split()[1] for row in commands(COMMAND) if "`" in row
    }


def test_a_recipe_is_told_by_the_first_sentences_of_its_file() -> None:
    told = "\n".join(recipes())
    assert "| `delete` | 買取時の削除: resets a handset on purchase" in told
    assert "`observe`, `confirm` | `overwrite_due` |" in told


def test_the_commands_that_readme_begins_with_are_there_and_each_is_said_in_a_line() -> None:
    block = README.partition("## Two commands")[2].split("```")[1]
    lines = [line.partition("#") for line in block.strip().splitlines()]
    assert [command.strip() for command, _, _ in lines] == ["scripts/demo", "scripts/test"]
    assert all(os.access(ROOT / command.strip(), os.X_OK) and told for command, _, told in lines)


def test_readme_is_two_screens_with_one_picture() -> None:
    assert len(README.splitlines()) <= 80
    assert README.count("![") == 1
