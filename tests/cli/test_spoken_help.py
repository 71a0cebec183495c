"""Item 8: `--help` and what is wrong with a command are Japanese where Japanese is asked for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import resources

import pytest
import typer
from typer.testing import CliRunner

from benchd.cli.main import app
from benchd.cli.spoken_help import Command, commands_of, misuse_in_japanese, told
from tests.texts.test_japanese import HALF_WIDTH, LITERAL, SPACED, old_words

LETTER = re.compile(r"[ぁ-んァ-ン一-龥]")
FOR_DEVELOPERS = "bench"
SHARED = {
    *("Show this message and exit.", "Arguments", "Options", "Commands"),
    *("[default: {}]", "[required]", "Usage:"),
}
"""What typer itself says on each page of help."""


def texts_of(root: Command) -> Iterator[str]:
    for command in commands_of(root):
        for of in (command, *command.params):
            if said := getattr(of, "help", None):
                yield said


def all_texts() -> set[str]:
    root = typer.main.get_command(app)
    measured = root.commands.pop(FOR_DEVELOPERS)  # type: ignore[union-attr]
    return {*texts_of(root), measured.help}  # type: ignore[arg-type]


def test_item_8_every_text_of_help_has_its_japanese_and_none_is_stale() -> None:
    assert all_texts() | SHARED == set(told())


def test_item_8_the_japanese_of_help_keeps_to_the_rules_of_all_texts() -> None:
    file = resources.files("benchd.texts").joinpath("spoken.toml")
    table = tomllib.loads(file.read_text("utf-8"))
    for said in (ja for rows in table.values() for ja in rows.values()):
        plain = re.sub(r"\\{\w*\}", "＿", LITERAL.sub("＿", said))
        assert LETTER.search(said)
        assert not HALF_WIDTH.search(plain), said
        assert not SPACED.search(plain.replace("] baselines", "")), said
        assert not old_words(said)


@pytest.mark.parametrize("words", [["--help"], [], ["decide", "--help"], ["people"]])
def test_item_8_help_speaks_the_language_of_whoever_asks(words: list[str]) -> None:
    japanese = CliRunner().invoke(app, words, env={"LC_ALL": "ja_JP.UTF-8"}).output
    assert "使い方: benchd" in japanese.replace("root", "benchd")
    assert "この使い方を表示します" in japanese
    assert not re.search(r"Usage|Options|required|[a-z]{3,} [a-z]{2,} [a-z]{2,}", japanese)
    # Nothing of it stays for whoever asks next.
    english = CliRunner().invoke(app, words, env={"LC_ALL": "C.UTF-8"}).output
    assert not LETTER.search(english)


def test_item_8_no_line_of_help_is_cut() -> None:
    env = {"LC_ALL": "ja_JP.UTF-8", "COLUMNS": "80"}
    for words in (["decide"], ["lots", "attest"], ["ledger", "restore"]):
        assert "…" not in CliRunner().invoke(app, [*words, "--help"], env=env).output


@pytest.mark.parametrize(
    ("said", "cure"),
    [
        ("No such command 'frob'.", "つづりを確かめます"),
        ("Missing argument 'gate'.", "使い方にある順に書きます"),
        (
            "Invalid value for '--limit': Input should be greater than or equal to 1",
            "1 以上にします",
        ),
        ("Invalid value for '--role': 'x' is not one of 'a', 'b'.", "次のどれかにします: 'a', 'b'"),
        ("Something that a newer typer says", ""),
    ],
)
def test_item_8_a_mistake_is_told_with_its_cure_and_never_in_english(said: str, cure: str) -> None:
    japanese = misuse_in_japanese(said)
    assert japanese.endswith(f"{cure}。" if cure and "'a'" not in cure else cure)
    assert bool(japanese) == bool(cure)
