"""A ZIP that comes piece by piece: kept as a file, or unpacked into a new folder."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchd.commands.misuse import mistake, why
from benchd.errors import BenchdError

_NAME: Final = re.compile(r"(certificates/)?[A-Za-z0-9_-][A-Za-z0-9_.-]*")
"""Of a file in papers: no name leads out of the folder."""


@contextmanager
def receiving(to: Path) -> Generator[Callable[[bytes], object]]:
    """What to write the pieces with; the new file or folder is there once all of them are.

    What can't be made or is there already is a mistake in the command.
    """
    if to.exists() or to.is_symlink():
        raise mistake("say.file_there", path=str(to))
    part = to.with_name(f"{to.name}.part")
    try:
        with part.open("xb") as file:
            yield file.write
            file.flush()
            os.fsync(file.fileno())
        _finish(part, to)
    except FileExistsError as error:
        raise mistake("say.file_there", path=str(error.filename)) from error
    except OSError as error:
        part.unlink(missing_ok=True)
        raise mistake("say.file_trouble", path=str(to), detail=why(error)) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _finish(part: Path, to: Path) -> None:
    if to.suffix.casefold() == ".zip":
        part.rename(to)
        return
    with zipfile.ZipFile(part) as papers:
        for name in papers.namelist():
            if not _NAME.fullmatch(name):
                message = f"the daemon sent a file with the name {name[:80]!r}"
                raise BenchdError(message)
        to.mkdir()
        (to / "certificates").mkdir()
        for name in papers.namelist():
            (to / name).write_bytes(papers.read(name))
    part.unlink()
