"""Odd words on the command line: an answer and an exit code, never a traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchd.cli import main

JAPANESE = re.compile(r"[ぁ-んァ-ン一-龥]")
ODD = ["", "-", "--", "..", "/", "/nowhere/x", "/etc/passwd", "/proc/self/mem", "7", "-1", "○"]
ODD += ["\x1b[2J", "\u202e", "\udcff", "$(touch x)", "x" * 5000, "--json", "--help", "a\nb"]
COMMANDS = [
    ["status"],
    ["queue"],
    ["jobs", "--limit"],
    ["job"],
    ["decide"],
    ["drain", "--operator"],
    ["check-config"],
    ["slots", "list", "--config"],
    ["certificate", "show"],
    ["certificate", "export"],
    ["certificate", "verify", "--key"],
    ["ledger", "verify", "--key"],
    ["ledger", "export"],
    ["models", "check"],
    ["models", "show"],
    ["people", "list", "--config"],
    ["people", "disable", "--from"],
    ["lots", "show"],
    ["lots", "add"],
    ["assets", "show"],
    ["assets", "import", "--lot", "L-1"],
    ["handset", "read"],
    ["handset", "record", "--slot"],
    ["records", "find"],
    ["records", "rebuild", "--config"],
    ["disposal", "settle", "--to"],
    ["report", "--from"],
]


def ends(words: list[str], language: str, folder: Path) -> tuple[int, str]:
    """How the command ends in this process: its exit code, and what it says on standard error."""
    with (
        pytest.MonkeyPatch.context() as patch,
        (folder / "out").open("w", encoding="utf-8", errors="surrogateescape") as out,
        (folder / "err").open("w+", encoding="utf-8", errors="backslashreplace") as err,
        Path(os.devnull).open(encoding="utf-8") as nothing,
    ):
        patch.setenv("LC_ALL", language)
        patch.setenv("BENCHD_SOCKET", str(folder / "none.sock"))
        patch.setattr(sys, "argv", ["benchd", *words])
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        patch.setattr(sys, "stdin", nothing)
        with pytest.raises(SystemExit) as ended:
            main.main()
        err.seek(0)
        return int(ended.value.code or 0), err.read()


@pytest.mark.timeout(300)
@settings(deadline=None, max_examples=60, derandomize=True)
@given(command=st.sampled_from(COMMANDS), odd=st.lists(st.sampled_from(ODD), max_size=3))
def test_no_odd_words_are_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, command: list[str], odd: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    code, said = ends([*command, *odd], "ja_JP.UTF-8", folder)
    assert code in (0, 1, 2, 3, 4)
    assert "\x1b[2J" not in said
    if said:
        assert said.startswith("benchd: ")
        assert JAPANESE.search(said.splitlines()[0])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["frob"], ["使い方は「benchd --help」で分かります。", "No such command 'frob'"]),
        (["decide", "x"], ["使い方は「benchd decide --help」で分かります。", "'gate'"]),
        (["jobs", "--limit", "0"], ["使い方は「benchd jobs --help」で分かります。", "--limit"]),
    ],
)
def test_a_mistyped_command_says_how_it_is_used(
    words: list[str], says: list[str], tmp_path: Path
) -> None:
    code, said = ends(words, "ja_JP.UTF-8", tmp_path)
    assert code == 2
    assert all(one in said for one in says)
    code, english = ends(words, "C.UTF-8", tmp_path)
    assert code == 2
    assert not JAPANESE.search(english)
    assert "see `benchd" in english


@pytest.mark.parametrize(
    "wanted",
    [
        {"LANG": "ja_JP.UTF-8"},
        {"LANG": "en_US.UTF-8", "LC_MESSAGES": "ja_JP.UTF-8"},
        {"LANG": "C", "LC_MESSAGES": "C", "LC_ALL": "ja_JP.UTF-8"},
    ],
)
def test_the_language_is_that_of_the_environment(wanted: dict[str, str], tmp_path: Path) -> None:
    told = subprocess.run(
        [Path(sys.executable).with_name("benchd"), "status"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "BENCHD_SOCKET": str(tmp_path / "x.sock"), **wanted},
    )
    assert told.returncode == 3
    assert "benchdが動いていません" in told.stderr
    assert "sudo systemctl start benchd" in told.stderr


def test_a_file_that_is_there_and_one_that_cannot_be(tmp_path: Path) -> None:
    code, said = ends(["certificate", "verify", str(tmp_path), "--key", "x"], "ja_JP", tmp_path)
    assert code == 2
    assert said == f"benchd: {tmp_path}: 使えません（フォルダです）。\n"
    missing = tmp_path / "no"
    code, said = ends(["ledger", "export", str(missing)], "C", tmp_path)
    assert (code, said) == (2, f"benchd: {missing}: No such file or directory\n")
