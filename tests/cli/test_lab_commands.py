"""Without the lab, as where benchd is installed: what needs it says so, the rest doesn't care."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLOSED = "import sys; sys.modules['{}'] = None; from benchd.cli.main import main; main()"
"""A benchd that has no such package."""


def benchd(*words: str, without: str = "benchd.lab") -> subprocess.CompletedProcess[str]:
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
    done = benchd(*words, without=without)
    assert done.returncode == 3
    assert without in done.stderr
    assert "scripts/demo" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_does_not_need_it_runs() -> None:
    for words in (("--help",), ("bench", "--help"), ("felica", "--help")):
        assert benchd(*words).returncode == 0, words
    shipped = ROOT / "configs" / "benchd.toml"
    assert benchd("check-config", str(shipped)).returncode == 0


def test_a_provider_of_the_lab_is_a_mistake_only_where_it_is_named(tmp_path: Path) -> None:
    config = tmp_path / "benchd.toml"
    config.write_text(
        f'[site]\nname = "店"\n[recipes]\ndirectory = "{ROOT / "configs" / "recipes"}"\n'
        '[felica.providers.virtual]\nkind = "simulated"\n',
        encoding="utf-8",
    )
    refused = benchd("check-config", str(config))
    assert refused.returncode == 2
    assert f"{config}:6:1: felica.providers.virtual.kind: " in refused.stderr
    assert "external_tool, operator" in refused.stderr
    assert "Traceback" not in refused.stderr
