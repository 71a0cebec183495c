"""The page says nothing that isn't in the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import pytest

from benchd.domain.intake import AttestationKind, LotKind, Seen, Unerasable

STATIC = Path(str(resources.files("benchd") / "web" / "static"))
SCRIPTS = sorted(STATIC.glob("*.js"))
PAGES = sorted(STATIC.glob("*.html"))
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
AWAY = "const AWAY ="
"""What is said where the catalogue can't be had: the one line in a script that is in words."""
COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", re.DOTALL)
NO_WORDS = re.compile(r"new Error\([^\n]*\)|class: \"[^\"\n]*\"|className = \"[^\"\n]*\"")
"""What is thrown reaches nobody's eyes, and the names of classes are none."""
LITERAL = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'|`([^`]*)`", re.DOTALL)
FACT = re.compile(r"\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
SENTENCE = re.compile(
    r"(?:^|\s)[A-Z][a-z']+ [a-z']+|[a-z']{2,}(?: [a-z']{2,}){2,}|[a-z]{2,}[.!?](?:\s|$)"
)


def code_of(script: str) -> str:
    lines = [line for line in script.splitlines() if not line.startswith(AWAY)]
    return NO_WORDS.sub("", COMMENT.sub("", "\n".join(lines)))


def sentences(script: str) -> list[str]:
    """Literals that read like words for people, without what is filled into them."""
    found = ("".join(groups) for groups in LITERAL.findall(code_of(script)))
    return [text for text in found if SENTENCE.search(FACT.sub("0", text))]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_no_script_has_words_of_its_own(script: Path) -> None:
    text = script.read_text("utf-8")
    assert not JAPANESE.findall(code_of(text))
    assert sentences(text) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_says_only_that_it_needs_its_scripts(page: Path) -> None:
    said = re.sub(r"<noscript>.*?</noscript>", "", page.read_text("utf-8"), flags=re.DOTALL)
    assert not JAPANESE.search(re.sub(r"<!--.*?-->", "", said, flags=re.DOTALL))


@pytest.mark.parametrize(
    "script",
    [
        'say(place, "Plug it in again.");',
        "const text = `the answer was not taken ${count}`;",
        'el("p", {}, "Not found");',
    ],
)
def test_a_sentence_in_a_script_is_seen(script: str) -> None:
    assert sentences(script)


def test_the_away_line_is_the_only_exception() -> None:
    lines = [
        line
        for script in SCRIPTS
        for line in script.read_text("utf-8").splitlines()
        if line.startswith(AWAY)
    ]
    assert 1 <= len(lines) <= 2
    assert len(set(lines)) == 1


@pytest.mark.parametrize(
    ("script", "name", "words"),
    [
        ("lots.js", "KINDS", LotKind),
        ("lots.js", "ATTESTED", AttestationKind),
        ("lot.js", "REASONS", Unerasable),
        ("lot.js", "SEEN", Seen),
    ],
)
def test_a_page_offers_every_word_that_there_is(
    script: str, name: str, words: Iterable[str]
) -> None:
    """Issue 35: 水没 among the causes, and every kind of lot."""
    found = re.search(rf"const {name} = \[(.*?)\];", (STATIC / script).read_text(), re.DOTALL)
    assert found is not None
    assert set(re.findall(r'"(\w+)"', found[1])) == set(words)
