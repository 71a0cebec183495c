"""A configuration in the current folder: what is told of its mistakes, and what it sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.config import Settings, load_settings
from benchd.daemon.config_check import check_config

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"
SITE = '[site]\nname = "Example"\n'
RECIPE = """\
name = "overwrite"
description_ja = "調べる"
description_en = "Look"

[[stage]]
name = "inspect"
deadline_s = 60
attempts = 1
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration folder that is the current one, so that messages show short paths."""
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "overwrite.toml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(text: str | bytes) -> Path:
    file = Path("benchd.toml")
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def messages(text: str | bytes) -> list[str]:
    return [str(issue) for issue in check_config(written(text))]


def mistakes(text: str) -> list[tuple[str, str]]:
    """The key of each with what is told of it."""
    return [(issue.key, issue.message) for issue in check_config(written(text))]


def loaded(text: str) -> Settings:
    return load_settings(written(text))
