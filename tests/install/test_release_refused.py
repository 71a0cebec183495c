"""What no release is made of."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from install_rig import ROOT, own_environment


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """One that was unpacked: no git."""
    (tmp_path / "scripts").mkdir()
    for name in ("release", "sign-release"):
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts")
    return tmp_path


def release(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "scripts/release", *words],
        capture_output=True,
        text=True,
        check=False,
        env=own_environment(),
    )


def test_sources_without_git_make_no_release(checkout: Path) -> None:
    done = release(checkout)
    assert done.returncode == 3
    assert "its version comes from git's tags" in done.stderr


def test_a_file_that_nobody_has_committed_makes_no_release(checkout: Path) -> None:
    subprocess.run(["git", "init", "--quiet", checkout], check=True)
    done = release(checkout)
    assert done.returncode == 3
    assert "make a trial with --trial" in done.stderr


@pytest.mark.parametrize(
    "words",
    [("--key", "nowhere"), ("--key",), ("--sign",), ("a", "b"), ("--trial", "--key", __file__)],
)
def test_words_that_it_does_not_know_show_how_it_is_used(
    checkout: Path, words: tuple[str, ...]
) -> None:
    done = release(checkout, *words)
    assert done.returncode == 2
    assert done.stderr.startswith("scripts/release [--key FILE | --trial] [DIRECTORY]")
