"""Which mutants there are: every change of every line, without what no test could tell."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import libcst as cst
import libcst.matchers as m
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from benchd.lab.mutants.operators import OPERATORS, Operator

ROOMS = (
    "benchd/proof",
    "benchd/pipelines",
    "benchd/devices/felica/verdict",
    "benchd/ledger",
    "benchd/people",
)

_TOLD_TO_A_LOG = m.Call(func=m.Attribute(value=m.Name("_log")))


@dataclass(frozen=True)
class Mutant:
    """One change of one place, and the file with it."""

    path: str
    first_line: int
    last_line: int
    operator: str
    was: str
    becomes: str
    code: str

    @property
    def name(self) -> str:
        """What it is called in tables: the place and what is done there."""
        return f"{self.path}:{self.first_line} {self.operator}"

    @property
    def draw(self) -> int:
        """A number that its text gives it, the same wherever it stands: for shares."""
        told = f"{self.path}\n{self.was}\n{self.becomes}"
        return int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], "big")


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The Python files of these files and folders."""
    found = [each for path in paths for each in (path.rglob("*.py") if path.is_dir() else [path])]
    return sorted(path for path in set(found) if "migrations" not in path.parts)


def mutants_of(path: Path, lines: set[int] | None = None) -> list[Mutant]:
    """All mutants of a file, each once; of these lines only, if any are named."""
    source = path.read_text(encoding="utf-8")
    looked = _Looking(lines)
    module = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    module.visit(looked)
    starts = [0, *accumulate(len(line) for line in source.splitlines(keepends=True))]
    found: dict[str, Mutant] = {}
    for place in looked.places:
        code = _changed(source, starts, module.module, place)
        if code in found or code == source or not _can_be_compiled(code):
            continue
        was, becomes = _difference(source, code)
        found[code] = Mutant(
            str(path), place.first_line, place.last_line, place.operator, was, becomes, code
        )
    return list(found.values())


def changed_lines(base: str, *under: str) -> dict[str, set[int]]:
    """Of each file in these folders the lines that are new or other than at this commit."""
    told = subprocess.run(
        ["git", "diff", "--unified=0", "--no-ext-diff", base, "--", *under],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return lines_in(told)


def lines_in(difference: str) -> dict[str, set[int]]:
    """The lines that a unified diff without context puts in."""
    lines: dict[str, set[int]] = {}
    path = ""
    for line in difference.splitlines():
        if line.startswith("+++ b/"):
            path = line.removeprefix("+++ b/")
        elif hunk := re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line):
            first, count = int(hunk[1]), int(hunk[2] or 1)
            lines.setdefault(path, set()).update(range(first, first + count))
    return {path: changed for path, changed in lines.items() if changed}


@dataclass(frozen=True)
class _Place:
    node: cst.CSTNode
    becomes: cst.CSTNode
    operator: str
    first_line: int
    last_line: int
    range: CodeRange


class _Looking(cst.CSTVisitor):
    """Asks every operator of every node that is evaluated and does more than tell a log."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, lines: set[int] | None) -> None:
        super().__init__()
        self.places: list[_Place] = []
        self._lines = lines
        self._functions = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom):
            return False
        if m.matches(node, _TOLD_TO_A_LOG | m.SimpleStatementLine([m.Expr(_TOLD_TO_A_LOG)])):
            return False
        self._functions += isinstance(node, cst.FunctionDef)
        for kinds, operator in OPERATORS:
            if isinstance(node, kinds):
                self._ask(node, operator)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        self._functions -= isinstance(original_node, cst.FunctionDef)

    def _ask(self, node: cst.CSTNode, operator: Operator) -> None:
        # Without a constant or a field the module can't be read at all.
        if isinstance(node, cst.SimpleStatementLine) and not self._functions:
            return
        position = self.get_metadata(PositionProvider, node, None)
        if not isinstance(position, CodeRange):
            return
        first, last = position.start.line, position.end.line
        # Of a block only its condition is changed.
        if isinstance(node, cst.If | cst.While):
            test = self.get_metadata(PositionProvider, node.test, None)
            last = test.end.line if isinstance(test, CodeRange) else first
        elif isinstance(node, cst.Match):
            last = first
        if self._lines is not None and self._lines.isdisjoint(range(first, last + 1)):
            return
        for becomes in operator(node):
            name = operator.__name__.removeprefix("operator_")
            self.places.append(_Place(node, becomes, name, first, last, position))


def _changed(source: str, starts: Sequence[int], module: cst.Module, place: _Place) -> str:
    """The file with this change; by its place where that is just what the node says, for speed."""
    start, end = (starts[at.line - 1] + at.column for at in (place.range.start, place.range.end))
    if source[start:end] == module.code_for_node(place.node).strip():
        return source[:start] + module.code_for_node(place.becomes).strip() + source[end:]
    changed = module.deep_replace(place.node, place.becomes)
    return changed.code if isinstance(changed, cst.Module) else ""


def _can_be_compiled(code: str) -> bool:
    try:
        compile(code, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _difference(source: str, code: str) -> tuple[str, str]:
    """What stood in the changed lines, and what stands there now; without indentation."""
    before, after = source.splitlines(), code.splitlines()
    while before and after and before[0] == after[0]:
        before, after = before[1:], after[1:]
    while before and after and before[-1] == after[-1]:
        before, after = before[:-1], after[:-1]
    return _joined(before), _joined(after)


def _joined(lines: Sequence[str]) -> str:
    return " ".join(line.strip() for line in lines)
