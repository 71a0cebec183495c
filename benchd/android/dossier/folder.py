"""A dossier's folder: `NAME.txt` holds what one question brought, `NAME.status` how it ended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchd.android.facts.questions import QUESTIONS
from benchd.android.shell.script import Answer
from benchd.errors import DossierInvalid

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
