"""Which commit it is that runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchd.revision import UNKNOWN, commit_of


def git(folder: Path, *words: str) -> str:
    name = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    told = subprocess.run(
        ("git", *name, *words), cwd=folder, capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


def test_a_checkout_names_its_commit_and_that_files_differ(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    git(tmp_path, "tag", "v9")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert commit_of(tmp_path) == head
    (tmp_path / "file").write_text("2")
    assert commit_of(tmp_path) == f"{head}-dirty"


def test_nobody_elses_checkout_is_named(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    inside = tmp_path / "site-packages"
    inside.mkdir()
    assert commit_of(inside) == UNKNOWN
    assert commit_of(tmp_path) == UNKNOWN
