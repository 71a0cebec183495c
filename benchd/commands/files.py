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


def write_new(path: Path, content: bytes) -> None:
    """A file that wasn't there before; one that can't be made is a mistake in the command."""
    try:
        with path.open("xb") as stream:
            stream.write(content)
    except FileExistsError:
        raise typer.BadParameter(f"{path}: there already; give another name") from None
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from error
