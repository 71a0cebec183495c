"""Files that a command is given."""

from __future__ import annotations

from pathlib import Path

import typer


def read_file(path: Path) -> bytes:
    """All of a file; one that can't be read is a mistake in the command."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from error
