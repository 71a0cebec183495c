"""`benchd people` as a test types it."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from benchd.cli.main import app as command

PIN, BADGE = "902716", "B-7781-4402"


def people(config: Path, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(command, ["people", *words, "--config", str(config)], input=typed)
