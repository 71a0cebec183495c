"""Item 8: `--help` and what is wrong with a command are Japanese where Japanese is asked for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import resources

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from benchd.cli.main import app
from benchd.cli.translated_help import (
    Command,
    commands_of,
    japanese_by_english,
    misuse_in_japanese,
)
from tests.texts.said_in_code import said_by
from tests.texts.test_japanese import HALF_WIDTH, LITERAL, SPACED, old_words

LETTER = re.compile(r"[ぁ-んァ-ン一-龥]")
FOR_DEVELOPERS = "bench"
BENCH = ("cli/bench_commands.py",)
SHARED = {
    *("Show this message and exit.", "Arguments", "Options", "Commands"),
    *("[default: {}]", "[required]", "Usage:", "[OPTIONS]", "COMMAND [ARGS]..."),
}
"""What typer itself says on each page of help."""


def texts_of(root: Command) -> Iterator[str]:
    for command in commands_of(root):
        for of in (command, *command.params):
            if said := getattr(of, "help", None):
                yield said


def operators_commands() -> TyperGroup:
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    del root.commands[FOR_DEVELOPERS]
    return root


def all_texts() -> set[str]:
    root = typer.main.get_command(app)
    measured = root.commands.pop(FOR_DEVELOPERS)  # type: ignore[union-attr]
    return {*texts_of(root), measured.help}  # type: ignore[arg-type]


def test_item_8_every_command_and_option_has_its_help() -> None:
    root = operators_commands()
    assert [
        (command.name, getattr(of, "name", None))
        for command in commands_of(root)
        for of in (command, *command.params)
        if not getattr(of, "help", None)
    ] == []


def test_item_8_every_text_of_help_has_its_japanese_and_none_is_stale() -> None:
    assert all_texts() | SHARED == set(japanese_by_english())


def test_item_8_the_japanese_of_help_keeps_to_the_rules_of_all_texts() -> None:
    file = resources.files("benchd.texts").joinpath("help_texts.toml")
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
    ("typed", "japanese"),
    [
        ("jobz", "コマンド「jobz」はありません。次のどれかにします: 'job', 'jobs'"),
        ("frob", "コマンド「frob」はありません。つづりを確かめます。"),
        ("people frob", "コマンド「frob」はありません。つづりを確かめます。"),
        ("jobs --limt 3", "オプション「--limt」はありません。次のどれかにします: --limit"),
        ("jobs --frob", "オプション「--frob」はありません。つづりを確かめます。"),
        ("jobs more", "余分な言葉があります: more。消すか、空白を含む値を引用符で囲みます。"),
        ("decide", "「job_id」がありません。使い方にある順に書きます。"),
        ("report", "「--from」がありません。値と一緒に付けます。"),
        ("jobs --limit", "「--limit」の後に値がありません。値を続けて書きます。"),
        ("jobs --json=x", "「--json」に値は付けません。値を消します。"),
        ("jobs --limit x", "「--limit」の値は整数にします。"),
        ("jobs --limit 0", "「--limit」の値は 1 以上にします。"),
        ("jobs --limit 1001", "「--limit」の値は 1000 以下にします。"),
        (
            "people role a --role x",
            (
                "「--role」の値は次のどれかにします: "
                "'operator', 'confirmer', 'supervisor', 'administrator', 'auditor'"
            ),
        ),
        (
            "demo --lot --once --by-hand",
            "「--once」は自動で答えます。「--by-hand」と一緒には使えません。どちらかを消します。",
        ),
    ],
)
def test_item_8_a_mistyped_command_is_told_with_its_cure(typed: str, japanese: str) -> None:
    with pytest.raises(typer.TyperException) as caught:
        app(typed.split(), prog_name="benchd", standalone_mode=False)
    assert misuse_in_japanese(caught.value.format_message()) == japanese


def test_item_8_what_commands_refuse_themselves_has_words_of_its_own() -> None:
    found = [said.form for said in said_by({"BadParameter": 0}, BENCH, ["BadParameter"])]
    assert len(found) > 2
    other = misuse_in_japanese("Invalid value: something that a newer typer says")
    assert not [said for said in found if misuse_in_japanese(f"Invalid value: {said}") == other]


def test_item_8_what_is_not_known_is_not_told_in_english() -> None:
    assert misuse_in_japanese("Something that a newer typer says") == ""
