"""What pages name by themselves is in the catalogue, and what is in it only for them is named."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from benchd.texts.catalogue import ONLY_IN_FILES

HOUSE = Path(str(resources.files("benchd")))
SCRIPTS = {file.name: file.read_text() for file in (HOUSE / "web" / "static").glob("*.js")}
MODULES = {
    "cards": ("labels/sheets.py", "web/cards.py"),
    "board": ("web/shift_objects.py",),
    "page": ("commands/tables/cells.py", "commands/tables/watch.py"),
    # Codes of refusals, which a page has words of its own for.
    "act": ("web/refusals.py",),
}
"""The product's files that name keys of a section besides."""
TEXTS = tomllib.loads((HOUSE / "texts" / "en.toml").read_text())
RECIPES = {file.stem for file in (HOUSE.parent / "configs" / "recipes").glob("*.toml")}
LITERAL = re.compile(r"\"(\w+)\"|\b(\w+):")
"""What may be a key: a string, or the name of a property that is one."""
BEGUN = re.compile(r"[`\"](\w+_)\$?\{\w+\}[`\"]")
ENDED = re.compile(r"`\$\{\w+\}(_\w+)`")
"""Halves of keys that are put together, as in `sum_${value}`, in Python without the $."""


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
    """Keys of a section that some script, or a file of MODULES, has as a string or puts together.

    Scripts hand keys on to one another, so it isn't asked which of them has it.
    """
    texts = [*SCRIPTS.values(), *((HOUSE / file).read_text() for file in MODULES.get(section, ()))]
    literal = {"".join(key) for text in texts for key in LITERAL.findall(text)}
    begun = tuple(begin for text in texts for begin in BEGUN.findall(text))
    ended = tuple(end for text in texts for end in ENDED.findall(text))
    return {
        key
        for key in TEXTS[section]
        if key in literal or key.startswith(begun) or key.endswith(ended)
    }


@pytest.mark.parametrize("section", ONLY_IN_FILES)
def test_what_a_script_asks_for_is_there(section: str) -> None:
    wanted = {key for script in SCRIPTS.values() for key in asked(section, script)}
    assert wanted - TEXTS[section].keys() == set()


@pytest.mark.parametrize("section", sorted({*ONLY_IN_FILES} - {"recipe"}))
def test_what_nothing_names_is_not_in_the_catalogue(section: str) -> None:
    assert TEXTS[section].keys() - named(section) == set(), section


def test_recipes_that_come_along_are_named() -> None:
    assert TEXTS["recipe"].keys() == RECIPES


ALIAS = 'const t = (value) => word("lots", value);\n'


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
def test_a_look_up_is_seen(script: str, found: set[str]) -> None:
    assert asked("lots", script) == found


@pytest.mark.parametrize(
    ("section", "call"),
    [
        ("board", r"\b(?:board|say)\(\"(\w+)\"\)"),
        ("page", r"\bpage\(\"(\w+)\"\)"),
        ("cards", r"words\[\"(\w+)\"\]"),
    ],
)
def test_what_the_product_asks_for_is_there(section: str, call: str) -> None:
    texts = "".join((HOUSE / file).read_text() for file in MODULES[section])
    wanted = set(re.findall(call, texts))
    assert wanted
    assert wanted <= TEXTS[section].keys()
