"""The command as people and scripts meet it: what it says, and how it exits."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

BENCHD = Path(sys.executable).with_name("benchd")
CONFIGS = Path(__file__).parents[2] / "configs"

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
        [BENCHD, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", **environment},
    )


def test_a_config_with_five_mistakes_tells_all_five(tmp_path: Path) -> None:
    file = tmp_path / "benchd.toml"
    file.write_text(FIVE_MISTAKES, encoding="utf-8")
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    shipped = Path(__file__).parents[2] / "configs" / "recipes" / "overwrite.toml"
    (recipes / "overwrite.toml").write_bytes(shipped.read_bytes())
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
    file = tmp_path / "benchd.toml"
    file.write_text('[site]\nname = "店"\n[adb]\nport = 15037\n', encoding="utf-8")
    (tmp_path / "recipes").symlink_to(CONFIGS / "recipes")
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


def test_without_a_daemon_the_status_says_what_to_do(tmp_path: Path) -> None:
    refused = benchd("status", BENCHD_SOCKET=str(tmp_path / "none.sock"))
    assert refused.returncode == 3
    assert "systemctl start benchd" in refused.stderr


def test_a_missing_signing_key_says_how_to_make_one(tmp_path: Path) -> None:
    file = tmp_path / "benchd.toml"
    file.write_text('[site]\nname = "店"\n[certificate]\nkey = "no.pem"\n', encoding="utf-8")
    (tmp_path / "recipes").mkdir()
    shipped = Path(__file__).parents[2] / "configs" / "recipes" / "overwrite.toml"
    (tmp_path / "recipes" / "overwrite.toml").write_bytes(shipped.read_bytes())
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


def test_unknown_words_are_usage_errors() -> None:
    assert benchd("wipe-everything").returncode == 2
