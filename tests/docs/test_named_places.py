"""What manuals name is there, and they name what runs beside the loop; so do pages in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup, TyperOption

from benchd.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/runbooks/*.md")],
)
MANUALS = sorted(str(page.relative_to(ROOT)) for page in ROOT.glob("docs/*.md"))
BENCHD = typer.main.get_command(app)
SIGNED = "benchd key rotation v1"
"""What stands before a rotation where it is signed; no command."""
CODE = ("benchd", "configs", "scripts", "systemd", ".ci")


def is_there(place: str) -> bool:
    """Whether there is such a file or folder, and in it a test of the name behind `::`."""
    file, _, test = place.partition("::")
    found = ROOT / file
    return found.exists() and (not test or f" {test}(" in found.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", ["SECURITY.md", "README.md", *MANUALS])
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:benchd|configs|docs|scripts|systemd|tests)/[^`\s]*)`", text)
    assert [place for place in named if not is_there(place)] == []


def test_each_threat_is_held_by_a_test_or_says_what_remains() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (.*?) \| ?(.*?) ?\|$", text, re.MULTILINE)
    assert len(rows) > 40
    for tries, stops, remains in rows:
        assert "`tests/" in stops or "the same tests" in stops or remains, tries


def pages_that_code_names() -> Iterator[tuple[str, str]]:
    for folder in CODE:
        for file in (ROOT / folder).rglob("*"):
            if (
                file.suffix in {".pyc", ".woff2", ".ttf"}
                or not file.is_file()
                or "bin" in file.parts
            ):
                continue
            text = file.read_text(encoding="utf-8", errors="replace")
            yield from re.findall(r"(?<![\w/.])(docs/[\w./-]+\.md)(?:#([\w-]+))?", text)


def test_every_page_and_place_that_the_code_names_is_there() -> None:
    named = set(pages_that_code_names())
    assert ("docs/runbooks/service.md", "benchddown") in named
    for page, anchor in sorted(named):
        text = (ROOT / page).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        anchors = {
            re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings
        }
        assert not anchor or anchor in anchors, (page, anchor)


def lines_of_benchd(page: Path) -> Iterator[str]:
    """Commands in a page: what stands in a block, or in one piece in a line."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    inline = re.sub(r"^ *```\w*\n.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for line in [*lines, *re.findall(r"`([^`\n]+)`", inline)]:
        told = re.match(r"(?:sudo |as_benchd )?benchd (.+)", line)
        if told and line != SIGNED:
            yield told[1]


def mistake_of(line: str) -> str | None:
    """What benchd would not understand of a line that begins behind its name."""
    words = line.split()
    command = BENCHD
    for word in words:
        if not isinstance(command, TyperGroup) or not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        if word not in command.commands:
            return f"no command {word}"
        command = command.commands[word]
    options = [parameter for parameter in command.params if isinstance(parameter, TyperOption)]
    known = {"--help"}.union(*(option.opts + option.secondary_opts for option in options))
    asked = {option for word in words for option in re.findall(r"(?<!\w)--[a-z-]+", word)}
    return f"no option {asked - known}" if asked - known else None


def test_every_command_that_a_page_shows_is_one_with_these_options() -> None:
    shown = {(page.name, line) for page in PAGES for line in lines_of_benchd(page)}
    assert ("operators.ja.md", "setup") in shown
    mistakes = [(page, line, mistake_of(line)) for page, line in sorted(shown)]
    assert [told for told in mistakes if told[2]] == []


HOUSE = ROOT / "benchd"
MANUAL = ROOT / "docs" / "service.md"
MAKES = {"Thread", "Popen", "open_process", "run_process", "ProcessPoolExecutor"}
NOT_OF_THE_DAEMON = ("lab", "cli", "config")


def made_in() -> Iterator[str]:
    """Each file that makes a process or a thread."""
    for file in sorted(HOUSE.rglob("*.py")):
        if file.relative_to(HOUSE).parts[0] in NOT_OF_THE_DAEMON:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in MAKES:
                    yield str(file.relative_to(ROOT))


def test_each_is_in_the_table_and_nothing_else() -> None:
    section = MANUAL.read_text(encoding="utf-8").partition("## What runs beside the loop")[2]
    told = re.findall(
        r"^\|[^|]+\| `(benchd/[^`]+)` \|", section.partition("\n## ")[0], re.MULTILINE
    )
    assert told
    assert set(told) == set(made_in())
