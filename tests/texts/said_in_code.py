"""The sentences that benchd's own code ends jobs or refuses answers with, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "benchd"
NO_DAEMON = ("lab", "cli", "config")
"""Rooms that no operator's screen hears of."""


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence at its place; `template` has the expressions of its facts in braces."""

    place: str
    template: str | None
    expression: str


def said_by(kinds: Mapping[str, int], rooms: Collection[str] = ()) -> Iterator[Said]:
    """What is raised as one of these; the number tells which argument is the sentence."""
    for file in sorted(SOURCE.rglob("*.py")):
        inside = file.relative_to(SOURCE)
        if inside.parts[0] in NO_DAEMON or (rooms and inside.as_posix() not in rooms):
            continue
        tree = ast.parse(file.read_text("utf-8"))
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            number = kinds.get(call.func.id)
            if number is None or len(call.args) <= number:
                continue
            sentence = call.args[number]
            meant = _assigned(tree, sentence) if isinstance(sentence, ast.Name) else sentence
            yield Said(
                f"{inside.as_posix()}:{call.lineno}", _template(meant), ast.unparse(sentence)
            )


def _assigned(tree: ast.AST, name: ast.Name) -> ast.AST:
    """What was last written to this name above its use."""
    found: ast.AST = name
    line = 0
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        if node.targets[0].id == name.id and line < node.lineno < name.lineno:
            found, line = node.value, node.lineno
    return found


def _template(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            parts = [
                part.value
                if isinstance(part, ast.Constant)
                else f"{{{ast.unparse(part.value)}}}"
                if isinstance(part, ast.FormattedValue)
                else ""
                for part in values
            ]
            return "".join(map(str, parts))
        case _:
            return None
