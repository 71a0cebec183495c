"""Every key that code and pages name has its text, and every text is named by one of them.

The catalogue itself holds the sections that have a text for each value of a type (`values`). For
all others the sources are read here: Python by its syntax, the scripts of the pages by their
literals.
"""

from __future__ import annotations

import ast
import errno
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path

import pytest

from benchd.cli.doctor.findings import Verdict
from benchd.domain.chip import ChipVerdict
from benchd.domain.job import Disposition
from benchd.domain.shift import FailedBy
from benchd.papers.lots.lot_statement import Standing
from benchd.texts.catalogue import OF_PAGES, Catalogue, values

HOUSE = Path(str(resources.files("benchd")))
SOURCES = sorted(HOUSE.rglob("*.py"))
SCRIPTS = {
    file.name: file.read_text()
    for folder in (HOUSE / "web" / "static", HOUSE / "fleet" / "pages")
    for file in folder.glob("*.js")
}
TEXTS = tomllib.loads((HOUSE / "texts" / "en.toml").read_text())
RECIPES = {file.stem for file in (HOUSE.parent / "configs" / "recipes").glob("*.toml")}
KEYS = Catalogue.load().keys
COMPOSED: Mapping[str, Iterable[str]] = {
    "verdict.": Verdict,
    "errand.": Disposition,
    "paper.chip_is_": ChipVerdict,
    "paper.lot_": Standing,
    "board.failed_by_": FailedBy,
    "file_trouble.": errno.errorcode.values(),
}
"""How keys begin that code puts together, and with what they may end."""
BY_KIND = ("failure",)
"""Keys that are names of exception classes; tests/texts/test_failures.py holds those."""
NO_TEXTS = {"fleet.html", "page.html", "page.js", "page.jsx", "recipe.name", "recipe.sha256"}
"""What looks like a key: files, and places in a certificate."""
ONLY_SERVED = {"word.operator_name"}
"""Named by nobody here, and handed out by the API."""
PLAIN_IN = {
    "refusal": ("web",),
    "act": ("web",),
    "cards": ("web", "papers"),
    "field": ("cli",),
}
"""Sections whose keys are named without the section, as codes are, and the rooms that do so."""

_KEY = re.compile(rf"(?:{'|'.join(TEXTS)})\.\w+(?:\.\w+)?")
_BEGUN = re.compile(rf"(?:{'|'.join(TEXTS)})\.\w*")


@cache
def parsed(file: Path) -> ast.AST:
    return ast.parse(file.read_text("utf-8"))


def keys_in(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """String literals that are keys by their form, each with its line."""
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(key)) if id(node) not in inside and _KEY.fullmatch(key):
                yield key, node.lineno
            case _:
                pass


def begun_in(tree: ast.AST) -> Iterator[str]:
    """How the keys begin that an f-string puts together."""
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=[ast.Constant(value=str(begun)), *_]) if _BEGUN.fullmatch(
                begun
            ):
                yield begun
            case _:
                pass


def plain_in(rooms: Iterable[str]) -> set[str]:
    """Every string literal of these rooms."""
    return {
        node.value
        for room in rooms
        for file in (HOUSE / room).rglob("*.py")
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def is_there(key: str) -> bool:
    """Whether it is a text, or names a title and what to do."""
    return key in KEYS or {f"{key}.title", f"{key}.what_to_do"} <= KEYS


def said_in_python() -> set[str]:
    said = {key for file in SOURCES for key, _ in keys_in(parsed(file))}
    said |= {f"{begun}{end}" for begun, ends in COMPOSED.items() for end in ends}
    for section, rooms in PLAIN_IN.items():
        said |= {f"{section}.{word}" for word in plain_in(rooms)}
    return {f"{key}{part}" for key in said for part in ("", ".title", ".what_to_do")}


def test_every_key_that_code_names_has_its_text() -> None:
    lost = [
        f"{file.relative_to(HOUSE)}:{line}: {key}"
        for file in SOURCES
        for key, line in keys_in(parsed(file))
        if not is_there(key) and key not in NO_TEXTS
    ]
    assert lost == []


def test_every_key_that_code_puts_together_has_its_text() -> None:
    begun = {begin for file in SOURCES for begin in begun_in(parsed(file))}
    of_values = {begin for begin in begun if begin.partition(".")[0] in values()}
    assert begun - of_values - {"recipe."} == COMPOSED.keys()
    open_ended = {"file_trouble."}
    whole = {f"{begin}{end}" for begin in COMPOSED.keys() - open_ended for end in COMPOSED[begin]}
    assert [key for key in sorted(whole) if not is_there(key)] == []


def test_every_text_is_named_by_code_or_by_a_page() -> None:
    elsewhere = {*values(), *BY_KIND, "recipe"}
    wanted = {key for key in KEYS if key.partition(".")[0] not in elsewhere}
    on_pages = {f"{section}.{key}" for section in TEXTS for key in named(section)}
    assert wanted - said_in_python() - on_pages == ONLY_SERVED


def columns_in(tree: ast.AST) -> Iterator[str]:
    """The fields that a command lists or tells one below the other."""
    assigned: dict[str, ast.expr | None] = {}
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                assigned[name] = node.value
            case _:
                pass
    place = {"tell_rows": 0, "print_rows": 3, "print_sheet": 2, "rows_of": 1}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in place:
            argument = node.args[place[node.func.id]]
            told = assigned.get(argument.id) if isinstance(argument, ast.Name) else argument
            if isinstance(told, ast.Tuple):
                yield from ast.literal_eval(told)


def test_every_column_of_a_command_has_its_heading() -> None:
    columns = {name for file in (HOUSE / "cli").rglob("*.py") for name in columns_in(parsed(file))}
    assert len(columns) > 30
    assert columns - TEXTS["field"].keys() == set()


LITERAL = re.compile(r"\"(\w+)\"|\b(\w+):")
"""What may be a key in a script: a string, or the name of a property that is one."""
BEGUN = re.compile(r"[`\"](\w+_)\$?\{\w+\}[`\"]")
ENDED = re.compile(r"`\$\{\w+\}(_\w+)`")
"""Halves of keys that are put together, as in `sum_${value}`."""


def alias_of(section: str, script: str) -> str | None:
    """The name by which a script asks this section alone, as `const t = …` makes it."""
    made = re.search(rf"const (\w+) = \(value\) => word\(\"{section}\", value\)", script)
    if made:
        return made[1]
    return "page" if section == "page" else None


def asked(section: str, script: str) -> set[str]:
    """Keys that a script asks for by a literal, also by one of two: `t(a ? "yes" : "no")`."""
    calls = re.findall(rf"\bword\(\s*\"{section}\",([^()]*)\)", script)
    if alias := alias_of(section, script):
        calls += re.findall(rf"\b{alias}\(([^()]*)\)", script)
    chosen = [call.rpartition("?")[2] for call in calls]
    return {key for call in chosen for key in re.findall(r"\"(\w+)\"", call)}


def named(section: str) -> set[str]:
    """Keys of a section that some script has as a string or puts together.

    Scripts hand keys on to one another, so it isn't asked which of them has it.
    """
    if section not in {*OF_PAGES, "word", "refusal"}:
        return set()
    literal = {"".join(key) for text in SCRIPTS.values() for key in LITERAL.findall(text)}
    begun = tuple(begin for text in SCRIPTS.values() for begin in BEGUN.findall(text))
    ended = tuple(end for text in SCRIPTS.values() for end in ENDED.findall(text))
    return {
        key
        for key in TEXTS[section]
        if key in literal or key.startswith(begun) or key.endswith(ended)
    }


WORDS_OF_CARDS = [
    key
    for file in ("papers/labels/sheets.py", "web/cards.py")
    for key in re.findall(r"words\[\"(\w+)\"\]", (HOUSE / file).read_text())
]


@pytest.mark.parametrize("section", [*OF_PAGES, "word", "refusal"])
def test_what_a_script_asks_for_is_there(section: str) -> None:
    wanted = {key for script in SCRIPTS.values() for key in asked(section, script)}
    assert wanted - TEXTS[section].keys() == set()


def test_what_a_sheet_of_cards_asks_for_is_there() -> None:
    assert WORDS_OF_CARDS
    assert {*WORDS_OF_CARDS} <= TEXTS["cards"].keys()


def test_recipes_that_come_along_are_named() -> None:
    assert TEXTS["recipe"].keys() == RECIPES


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('word("lots", "kind")', {"kind"}),
        (
            'const t = (value) => word("lots", value);\nt("kind"); t(is === "x" ? "a" : "b")',
            {"kind", "a", "b"},
        ),
        ('word("lot", "kind")', set[str]()),
    ],
)
def test_a_look_up_in_a_script_is_seen(script: str, found: set[str]) -> None:
    assert asked("lots", script) == found


def test_a_key_in_code_is_seen() -> None:
    tree = ast.parse('tell("say.left"); say(f"paper.lot_{standing}", "say.no such", "other.left")')
    assert list(keys_in(tree)) == [("say.left", 1)]
    assert list(begun_in(tree)) == ["paper.lot_"]
