"""Where each key of a TOML document stands, which tomllib doesn't tell.

Judges nothing: the text is one that tomllib has parsed, so that only the shape matters here.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]
"""Names of tables and keys, and indexes into arrays, from the top of the document down."""

_SPACE = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_NAME = re.compile(r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+""")
_SCALAR = re.compile(
    # A multi-line string may end in up to two quotes of its own before the closing three.
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    # Numbers, words and dates; a date may hold a space.
    r"|[^,\]}#\n\"']+",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A position in a text, both numbers counted from 1, the column in characters."""

    line: int
    column: int


def place_at(text: str, offset: int) -> Place:
    """The place of one character of a text."""
    return Place(line=text.count("\n", 0, offset) + 1, column=offset - text.rfind("\n", 0, offset))


def locate(text: str) -> Mapping[KeyPath, Place]:
    """The place of every key, table and array element of a document that tomllib accepts.

    A table that has a header is at its name there, also if it was mentioned before; an array
    of tables is at its first header, its elements each at their own.
    """
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.places


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [0, *(end.end() for end in re.finditer("\n", text))]
        """Where each line begins."""
        self._at = 0
        self._lengths: dict[KeyPath, int] = {}
        """How many elements each array of tables has so far."""
        self.places: dict[KeyPath, Place] = {}

    def scan(self) -> None:
        table: KeyPath = ()
        self._take(_GAP)
        while self._at < len(self._text):
            if self._next("["):
                table = self._header()
            else:
                self._pair(table)
            self._take(_GAP)

    def _header(self) -> KeyPath:
        brackets = 2 if self._next("[[") else 1
        self._at += brackets
        key = self._key()
        path: KeyPath = ()
        for parent, mentioned_at in key[:-1]:
            path = _below(path, parent)
            self._mention(path, mentioned_at)
            if path in self._lengths:
                path = _below(path, self._lengths[path] - 1)
                self._mention(path, mentioned_at)
        name, offset = key[-1]
        path = _below(path, name)
        if brackets == 2:
            self._mention(path, offset)
            index = self._lengths.get(path, 0)
            self._lengths[path] = index + 1
            path = _below(path, index)
        self.places[path] = self._place(offset)
        self._at += brackets
        return path

    def _pair(self, table: KeyPath) -> None:
        path = table
        for name, offset in self._key():
            path = _below(path, name)
            self._mention(path, offset)
        self._at += len("=")
        self._take(_SPACE)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        if self._next("["):
            index = 0
            self._open_bracket()
            while not self._next("]"):
                self._mention(_below(path, index), self._at)
                self._value(_below(path, index))
                self._comma()
                index += 1
            self._at += 1
        elif self._next("{"):
            self._open_bracket()
            while not self._next("}"):
                self._pair(path)
                self._comma()
            self._at += 1
        else:
            self._take(_SCALAR)

    def _open_bracket(self) -> None:
        self._at += 1
        self._take(_GAP)

    def _comma(self) -> None:
        self._take(_GAP)
        if self._next(","):
            self._at += 1
            self._take(_GAP)

    def _key(self) -> list[tuple[str, int]]:
        """The names of a dotted key, each with its offset; stops before what follows the key."""
        names: list[tuple[str, int]] = []
        while True:
            self._take(_SPACE)
            offset = self._at
            names.append((_plain(self._take(_NAME)), offset))
            self._take(_SPACE)
            if not self._next("."):
                return names
            self._at += 1

    def _mention(self, path: KeyPath, offset: int) -> None:
        if path not in self.places:
            self.places[path] = self._place(offset)

    def _place(self, offset: int) -> Place:
        line = bisect_right(self._lines, offset)
        return Place(line=line, column=offset - self._lines[line - 1] + 1)

    def _next(self, wanted: str) -> bool:
        return self._text.startswith(wanted, self._at)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            message = f"not TOML at {self._place(self._at)}"
            raise ValueError(message)
        self._at = found.end()
        return found.group()


def _plain(name: str) -> str:
    """A key without its quotes and escapes."""
    if name.startswith('"'):
        return str(tomllib.loads(f"name = {name}")["name"])
    return name[1:-1] if name.startswith("'") else name


def _below(path: KeyPath, step: str | int) -> KeyPath:
    return (*path, step)
