"""Sentences that the code says in English, found by its syntax."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from benchd.domain.fill import NOTHING_OF_THIS_JOB, REMAINS_OF_LOOK

SOURCE = Path(__file__).parents[2] / "benchd"
SAMPLES = {
    **dict.fromkeys(("gate", "question.gate", "Gate.CONFIRM", "Gate.FINAL_RESET"), "confirm"),
    **dict.fromkeys(("Gate.RECHECK", "Gate.RECHECK_CHIP"), "recheck"),
    "spec.name": "overwrite",
    "because": "no_chip",
    "attestation": "identity",
    "scan.verdict": "silent",
    "scan.detail": "3 nodes beyond baseline X",
    **dict.fromkeys(("cause", "why"), ""),
    "_CURE": (
        "nothing on it can be shown to come from its storage, so no overwrite of it can be proven;"
        " it has to be erased in another way, or destroyed"
    ),
    "seen.detail": "a person clears the chip",
    "RESTRICTED": "×",
    "item.state": "held",
    "refused.detail": NOTHING_OF_THIS_JOB,
    "REMAINS_OF_LOOK": REMAINS_OF_LOOK,
    **dict.fromkeys(("error.strerror", "_told(error)"), "Permission denied"),
    "unreadable(error)": "may not be read; give the user that runs benchd the right to read it",
    "order": "allowed is a → b",
}
"""What stands for facts that can't be just anything."""


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence at its place; `template` has the expressions of its facts in braces."""

    place: str
    template: str | None
    expression: str

    @property
    def form(self) -> str:
        """What it is known by here."""
        return self.expression if self.template is None else self.template


@cache
def parsed() -> Mapping[str, ast.Module]:
    """Each file of benchd by its path."""
    return {
        file.relative_to(SOURCE).as_posix(): ast.parse(file.read_text("utf-8"))
        for file in sorted(SOURCE.rglob("*.py"))
    }


def below(roots: Iterable[str]) -> set[str]:
    """These classes, and all that are made from them."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for tree in parsed().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = set(roots)
    while more := {name for name, over in bases.items() if over & found} - found:
        found |= more
    return found


def said_by(
    kinds: Mapping[str, int], but_in: tuple[str, ...] = (), methods: Iterable[str] = ()
) -> Iterator[Said]:
    """What calls of these say; the number tells which argument is the sentence.

    What is given as `cure` is a sentence too. `methods` are called on something.
    """
    for path, tree in parsed().items():
        if path.startswith(but_in):
            continue
        for call in ast.walk(tree):
            match call:
                case ast.Call(func=ast.Name(id=name)) if name in kinds:
                    pass
                case ast.Call(func=ast.Attribute(attr=name)) if name in methods:
                    pass
                case _:
                    continue
            number = kinds[name]
            sentences = [
                *call.args[number : number + 1],
                *(word.value for word in call.keywords if word.arg == "cure"),
            ]
            for sentence in sentences:
                yield Said(
                    f"{path}:{call.lineno}", _template(path, sentence), ast.unparse(sentence)
                )


def constant(path: str, name: str) -> object:
    """What this name stands for in the whole of this file."""
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return getattr(import_module(f"benchd.{module}"), name, None)


def sample(template: str, path: str = "") -> str:
    """The sentence with facts in it."""

    def fact(found: re.Match[str]) -> str:
        if found[1] in SAMPLES:
            return SAMPLES[found[1]]
        known = constant(path, found[1]) if path and found[1].isidentifier() else None
        return str(known) if isinstance(known, str | int) else "7"

    return re.sub(r"\{([^{}]*)\}", fact, template)


def _template(path: str, node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        node = _assigned(parsed()[path], node)
    match node:
        case ast.Name(id=name) if isinstance(known := constant(path, name), str):
            return known
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
