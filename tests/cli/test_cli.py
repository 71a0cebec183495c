"""The command as people and scripts meet it: what it says, and how it exits; never a traceback."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.text import Text
from typer.core import TyperGroup
from typer.testing import CliRunner

from benchd.cli import main
from tests.program import BENCHD, CHECKOUT

CONFIGS = CHECKOUT / "configs"

RUN_AND_SAY = """\
import atexit
import signal
import sys
from benchd.cli.main import main

def say():
    ignored = signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    print("SIGTERM", "is ignored" if ignored else "would kill")

atexit.register(say)
main()
"""
"""`benchd`, which says as it exits what a signal would do."""

FIVE_MISTAKES = """\
[site]
name = "店"

[adb]
soket = "adb.sock"
home = 3

[rack]
settle_s = "two"

[slots.A1]
port = "pci-0000:00:14.0-usb-0:1"

[slots.A2]
port = "pci-0000:00:14.0-usb-0:1"
recipe = "overwrit"
"""


def benchd(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    return subprocess.run(
        [*BENCHD, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", **environment},
    )


def test_the_program_under_test_is_this_checkouts() -> None:
    told = benchd("--version", PYTHONVERBOSE="1")
    # Which of them is read goes by whether it was before.
    read = rf"{re.escape(str(CHECKOUT))}/benchd/cli/(__pycache__/main\..*\.pyc|main\.py)"
    assert re.search(read, told.stderr)
    assert told.returncode == 0


def config_in(folder: Path, text: str) -> Path:
    """A configuration beside the shipped recipes."""
    (folder / "recipes").symlink_to(CONFIGS / "recipes")
    file = folder / "benchd.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_config_with_five_mistakes_tells_all_five(tmp_path: Path) -> None:
    file = config_in(tmp_path, FIVE_MISTAKES)
    refused = benchd("check-config", str(file))
    assert refused.returncode == 2
    told = [line.removeprefix("benchd: ") for line in refused.stderr.splitlines()]
    assert [line.split(": ")[:2] for line in told] == [
        [f"{file}:5:1", "adb.soket"],
        [f"{file}:6:1", "adb.home"],
        [f"{file}:9:1", "rack.settle_s"],
        [f"{file}:15:1", "slots.A2.port"],
        [f"{file}:16:1", "slots.A2.recipe"],
    ]
    assert 'did you mean "socket"?' in told[0]
    assert all("allowed" in line for line in told)


def test_a_key_that_nothing_reads_any_more_is_told_and_no_mistake(tmp_path: Path) -> None:
    file = config_in(tmp_path, '[site]\nname = "店"\n[adb]\nport = 15037\n')
    checked = benchd("check-config", str(file))
    assert checked.returncode == 0, checked.stderr
    told, checked_line = checked.stdout.splitlines()
    assert told.startswith(f"{file}:4:1: adb.port: has no effect any more")
    assert checked_line.startswith(f"{file}: 0 slots")


def test_row_4_check_config_refuses_a_lax_recipe_with_four_lines(tmp_path: Path) -> None:
    """How much may be in use, told twice, in bytes and as a share; coverage; and the absence."""
    shutil.copytree(CONFIGS, tmp_path / "configs")
    recipe = tmp_path / "configs" / "recipes" / "overwrite.toml"
    lax = {
        "fresh_used_bytes": "1_099_511_627_776",
        "fresh_used_share": "1.0",
        "minimum_coverage": "0.5",
        "minimum_absence_s": "0.001",
    }
    lines = recipe.read_text(encoding="utf-8").splitlines()
    places = {
        key: 1 + next(i for i, line in enumerate(lines) if line.startswith(f"{key} = "))
        for key in lax
    }
    for key, place in places.items():
        lines[place - 1] = f"{key} = {lax[key]}"
    recipe.write_text("\n".join(lines), encoding="utf-8")
    refused = benchd("check-config", str(tmp_path / "configs" / "benchd.toml"))
    assert refused.returncode == 2
    told = [line.removeprefix("benchd: ").split(": ") for line in refused.stderr.splitlines()]
    assert [place for place, *_ in told] == [f"{recipe}:{place}:1" for place in places.values()]
    assert [key.partition("].")[2] for _, key, *_ in told] == list(places)
    assert all(", allowed is at " in message for *_, message in told)


def test_a_missing_signing_key_says_how_to_make_one(tmp_path: Path) -> None:
    file = config_in(tmp_path, '[site]\nname = "店"\n[certificate]\nkey = "no.pem"\n')
    refused = subprocess.run(
        [sys.executable, "-c", RUN_AND_SAY, "run", "--config", str(file)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert refused.returncode == 3
    assert "benchd key create" in refused.stderr
    assert refused.stdout == "SIGTERM is ignored\n", "a signal must not take the code's place"


def test_a_key_is_made_once_and_never_overwritten(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    assert benchd("key", "create", str(key)).returncode == 0
    before = key.read_bytes()
    assert key.stat().st_mode & 0o077 == 0
    assert benchd("key", "create", str(key)).returncode != 0
    assert key.read_bytes() == before


LOADED = """
import sys
from benchd.cli.main import main
try:
    main()
finally:
    sys.stdout.write("\\n".join(sys.modules))
"""


def test_a_quick_command_loads_nothing_that_erasing_and_proving_need(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "status"],
        env={"PATH": os.environ["PATH"], "BENCHD_SOCKET": str(tmp_path / "none.sock")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "benchd isn't running" in done.stderr
    loaded = set(done.stdout.splitlines())
    assert "benchd.texts.catalogue" in loaded
    dear = {"benchd.pipelines", "benchd.proof", "benchd.config", "benchd.domain.data_files"}
    assert loaded & dear == set()


CLOSED = "import sys; sys.modules['{}'] = None; from benchd.cli.main import main; main()"
"""A benchd that has no such package."""


def closed(*words: str, without: str = "benchd.lab") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CLOSED.format(without), *words],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("without", ["benchd.lab", "mfusepy"])
@pytest.mark.parametrize(
    "words", [("demo",), ("demo", "--once"), ("bench", "scale"), ("bench", "felica")]
)
def test_what_needs_the_lab_says_where_it_is(words: tuple[str, ...], without: str) -> None:
    done = closed(*words, without=without)
    assert done.returncode == 3
    assert without in done.stderr
    assert "scripts/demo" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_lab_all_else_runs_and_its_provider_is_a_mistake_where_it_is_named(
    tmp_path: Path,
) -> None:
    for words in (("--help",), ("bench", "--help"), ("felica", "--help")):
        assert closed(*words).returncode == 0, words
    assert closed("check-config", str(CONFIGS / "benchd.toml")).returncode == 0
    provider = '[felica.providers.virtual]\nkind = "simulated"\n'
    config = config_in(tmp_path, f'[site]\nname = "店"\n{provider}')
    refused = closed("check-config", str(config))
    assert refused.returncode == 2
    assert f"{config}:4:1: felica.providers.virtual.kind: " in refused.stderr
    assert "external_tool, operator" in refused.stderr
    assert "Traceback" not in refused.stderr


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
        (["frob"], ["使い方は「benchd --help」で分かります。", "コマンド「frob」はありません"]),
        (["decide", "x"], ["使い方は「benchd decide --help」で分かります。", "「gate」が"]),
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


def test_a_file_that_is_there_and_one_that_cannot_be(tmp_path: Path) -> None:
    code, said = ends(["certificate", "verify", str(tmp_path), "--key", "x"], "ja_JP", tmp_path)
    assert code == 2
    assert said == f"benchd: {tmp_path}: 使えません（フォルダです）。場所と権限を確かめます。\n"
    missing = tmp_path / "no"
    code, said = ends(["ledger", "export", str(missing)], "C", tmp_path)
    assert (code, said) == (
        2,
        f"benchd: {missing}: No such file or directory; correct the path, or who may use it\n",
    )


@pytest.mark.parametrize(
    ("environment", "japanese"),
    [
        ({}, False),
        ({"LANG": "C.UTF-8"}, False),
        ({"LANG": "ja_JP.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ja_JP.UTF-8"}, True),
        ({"LANG": "C", "LC_MESSAGES": "C", "LC_ALL": "ja_JP.UTF-8"}, True),
    ],
)
def test_without_a_daemon_the_status_says_what_to_do_in_the_language_of_the_environment(
    tmp_path: Path, environment: dict[str, str], japanese: bool
) -> None:
    told = benchd("status", BENCHD_SOCKET=str(tmp_path / "x.sock"), **environment)
    assert told.returncode == 3
    assert ("benchdが動いていません" in told.stderr) == japanese
    assert "sudo systemctl start benchd" in told.stderr


def test_unknown_words_are_usage_errors() -> None:
    assert benchd("wipe-everything").returncode == 2
