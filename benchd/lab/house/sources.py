"""Source files of a checkout by area (product, lab, tests), read and parsed once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final


class Area(StrEnum):
    """What a file is part of."""

    PRODUCT = "product"
    LAB = "lab"
    TESTS = "tests"


FOLDERS: Final = {
    PurePosixPath("benchd"): Area.PRODUCT,
    PurePosixPath("configs"): Area.PRODUCT,
    PurePosixPath("benchd/lab"): Area.LAB,
    PurePosixPath("tests"): Area.TESTS,
}
"""Each folder's area; of two that hold a file, the deeper one counts."""
KINDS: Final = {".py": "python", ".toml": "toml", ".js": "js", ".jsx": "js", ".sql": "sql"}
"""The kinds of files that are counted, by suffix."""


@dataclass(frozen=True)
class Source:
    """One file."""

    path: PurePosixPath
    area: Area
    text: str

    @property
    def kind(self) -> str:
        """What it is written in, as `KINDS` has it."""
        return KINDS[self.path.suffix]

    @cached_property
    def lines(self) -> int:
        """All lines, empty ones and comments too."""
        return len(self.text.splitlines())

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree, if it is Python."""
        return ast.parse(self.text, filename=str(self.path))

    @property
    def is_python(self) -> bool:
        """Whether it has a syntax tree."""
        return self.kind == "python"

    @property
    def is_init(self) -> bool:
        """Whether it stands for its folder."""
        return self.path.name == "__init__.py"

    @property
    def module(self) -> str:
        """The name that it is imported by."""
        path = self.path.parent if self.is_init else self.path.with_suffix("")
        return ".".join(path.parts)

    @property
    def room(self) -> str:
        """The entry below the package that it is in; empty for the package's own `__init__`."""
        parts = self.module.split(".")
        return parts[1] if len(parts) > 1 else ""


def sources_of(root: Path) -> list[Source]:
    """All files of `FOLDERS`, each once, in the order of their paths."""
    return sorted(_read(root), key=lambda source: source.path)


def _read(root: Path) -> Iterator[Source]:
    for folder, area in FOLDERS.items():
        for file in (root / folder).rglob("*"):
            path = PurePosixPath(file.relative_to(root).as_posix())
            if file.suffix in KINDS and file.is_file() and _area_of(path) == (folder, area):
                yield Source(path, area, file.read_text(encoding="utf-8"))


def _area_of(path: PurePosixPath) -> tuple[PurePosixPath, Area]:
    deepest = max(
        (folder for folder in FOLDERS if path.is_relative_to(folder)),
        key=lambda folder: len(folder.parts),
    )
    return deepest, FOLDERS[deepest]
