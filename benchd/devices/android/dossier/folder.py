"""A dossier's folder: `NAME.txt` holds what one question brought, `NAME.status` how it ended."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchd.devices.android.facts.fact_table import QUESTIONS
from benchd.devices.android.shell.script import Answer
from benchd.domain.errors import DossierInvalid, UsageRefused

MOST_BYTES: Final = 4 * 1024 * 1024
"""Of one answer: what a handset is let say at all."""
_STATUS: Final = re.compile(r"[0-9]{1,3}\s*")


def read_folder(folder: Path) -> Mapping[str, Answer]:
    """Each answer in it by its question's name; a file of another name is none.

    Raises DossierInvalid where there is no folder, no answer in it, or one that can't be read.
    """
    if not folder.is_dir():
        raise DossierInvalid(f"{folder}: no such folder")
    told = {
        name: Answer(command=command, status=_status(folder, name), text=_text(path))
        for name, command in QUESTIONS.items()
        if (path := folder / f"{name}.txt").is_file()
    }
    if not told:
        raise DossierInvalid(f"{folder}: no answer of a handset in it, such as usage.txt")
    return told


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Put a dossier in place at once, for its owner's eyes only.

    Raises UsageRefused where something is there already, OSError where it can't be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageRefused(f"{folder}: there is something already; name a folder that isn't there")
    # Made with mode 0700, beside its place: whoever reads gets all of it or nothing.
    fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".dossier-"))
    try:
        for name, text in files.items():
            descriptor = os.open(fresh / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode(errors="replace"))
        fresh.replace(folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise DossierInvalid(f"{path}: more than {MOST_BYTES} bytes")
    return data.decode(errors="replace")


def _status(folder: Path, name: str) -> int:
    path = folder / f"{name}.status"
    if not path.exists():
        return 0
    text = _text(path)
    if not _STATUS.fullmatch(text):
        raise DossierInvalid(f"{path}: no exit status")
    return int(text)
