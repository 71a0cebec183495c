"""One TOML file as read: its values, the place of each, and its digest."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import cast

from benchd.config.locator import KeyPath, Place, locate, place_at
from benchd.domain.errors import ConfigInvalid, ConfigIssue

START = Place(line=1, column=1)
_TOMLLIB_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST_NAME = 64


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file that is TOML, whatever it says."""

    file: str
    """The path as messages show it."""
    text: str = field(repr=False)
    data: Mapping[str, object]
    end: Place
    digest: str
    """SHA-256 of the file's bytes as hex."""

    def table(self, name: str) -> Mapping[str, object]:
        """A table of the top level, empty if there is none of that name."""
        table = self.data.get(name)
        return cast("dict[str, object]", table) if isinstance(table, dict) else {}

    @cached_property
    def places(self) -> Mapping[KeyPath, Place]:
        """The place of each key; looked for once somebody asks, which is about a mistake."""
        return locate(self.text)

    def place(self, path: KeyPath) -> Place:
        """Where a key stands; for one that is missing its table, else the end of the file."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path[:-1]
        return self.end

    def issue(self, path: KeyPath, message: str) -> ConfigIssue:
        """A mistake at a key of this file."""
        return _issue(self.file, self.place(path), self.key(path), message)

    def key(self, path: KeyPath) -> str:
        """A key as a person would write it; an element that has a name is shown by it."""
        text = ""
        value: object = self.data
        for step in path:
            value = _inside(value, step)
            if isinstance(step, int):
                name = _inside(value, "name")
                text += f"[{_shown_name(name) if isinstance(name, str) else step + 1}]"
            else:
                text += f".{_shown_name(step)}" if text else _shown_name(step)
        return text


def read_document(file: Path, shown: str, content: bytes | None = None) -> Document:
    """The file as TOML; ConfigInvalid with the one mistake that keeps it from being read.

    With `content`, as if that stood in the file.
    """
    try:
        content = file.read_bytes() if content is None else content
    except OSError as error:
        raise ConfigInvalid((_issue(shown, START, "file", unreadable(error)),)) from error
    try:
        # Editors on Windows put a byte-order mark first, which tomllib refuses.
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ConfigInvalid((_not_utf8(shown, error),)) from error
    end = place_at(text, max(len(text) - 1, 0))
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigInvalid((_not_toml(shown, error, end),)) from error
    return Document(
        file=shown,
        text=text,
        data=data,
        end=Place(line=end.line, column=1),
        digest=hashlib.sha256(content).hexdigest(),
    )


def unreadable(error: OSError) -> str:
    """Why a file or directory can't be read, and what to do."""
    match error:
        case FileNotFoundError():
            return "doesn't exist; correct the path, or start from the examples in configs/"
        case PermissionError():
            return "may not be read; give the user that runs benchd the right to read it"
        case IsADirectoryError():
            return "is a directory; give the path of a file in it"
        case NotADirectoryError():
            return "isn't a directory, or a part of its path isn't; correct the path"
        case _:
            return f"can't be read ({error.strerror or error}); correct the path or the disk"


def _issue(file: str, place: Place, key: str, message: str) -> ConfigIssue:
    return ConfigIssue(file=file, line=place.line, column=place.column, key=key, message=message)


def _not_utf8(file: str, error: UnicodeDecodeError) -> ConfigIssue:
    before = error.object[: error.start].decode()
    # In Japan it's most likely an editor that saved the file as Shift_JIS.
    message = f"byte 0x{error.object[error.start]:02x} isn't UTF-8; save the file as UTF-8"
    return _issue(file, place_at(before + "?", len(before)), "file", message)


def _not_toml(file: str, error: ValueError | RecursionError, end: Place) -> ConfigIssue:
    if isinstance(error, RecursionError):
        return _issue(file, START, "syntax", "the values are nested too deeply")
    text = str(error)
    found = _TOMLLIB_PLACE.search(text)
    if found is None:
        return _issue(file, START, "syntax", text)
    place = end if found[1] is None else Place(line=int(found[1]), column=int(found[2]))
    return _issue(file, place, "syntax", text[: found.start()])


def _inside(value: object, step: str | int) -> object:
    """One step down into a value of tomllib's, None where there is no such thing."""
    if isinstance(value, dict) and isinstance(step, str):
        return cast("dict[str, object]", value).get(step)
    if isinstance(value, list) and isinstance(step, int):
        return cast("list[object]", value)[step]
    return None


def _shown_name(name: str) -> str:
    if _BARE_KEY.fullmatch(name):
        return name
    return f'"{"".join(c if c.isprintable() else "?" for c in name[:_LONGEST_NAME])}"'
