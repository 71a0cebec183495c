"""Files that a command is given."""

from __future__ import annotations

import stat
from pathlib import Path

from benchd.cli.misuse import mistake, why


def read_file(path: Path) -> bytes:
    """All of a file; one that can't be read is a mistake in the command."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise mistake("say.file_trouble", path=str(path), detail=why(error)) from error


def regular_file(path: Path) -> Path:
    """The path of a file that is there; anything else is a mistake in the command."""
    try:
        if stat.S_ISREG(path.stat().st_mode):
            return path
    except (OSError, ValueError) as error:
        raise mistake("say.file_trouble", path=str(path), detail=why(error)) from error
    raise mistake("say.no_file", path=str(path))


def write_new(path: Path, content: bytes) -> None:
    """A file that wasn't there before; one that can't be made is a mistake in the command."""
    try:
        with path.open("xb") as stream:
            stream.write(content)
    except FileExistsError:
        raise mistake("say.file_there", path=str(path)) from None
    except OSError as error:
        raise mistake("say.file_trouble", path=str(path), detail=why(error)) from error
