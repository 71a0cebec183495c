"""Protocols with one production implementation: found by names of members and their parameters.

A class implements a Protocol when it has each of its members, its bases' included; a method with
the parameters of the same names. That is what a type checker asks first, and enough to tell one
from two. A Protocol that only says how something is called is left out: functions implement it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from benchd.lab.house.sources import Source

Member = tuple[str, ...] | None
"""A method's parameters behind the first; None for what is only read."""


@dataclass(frozen=True)
class Class:
    """A class as its file has it."""

    name: str
    path: PurePosixPath
    bases: tuple[str, ...]
    members: Mapping[str, Member]

    @property
    def is_protocol(self) -> bool:
        """Whether it is one itself; a class that only inherits from one isn't."""
        return "Protocol" in self.bases


def with_one_implementation(sources: Iterable[Source]) -> list[Class]:
    """Protocols outside files named `ports.py` that exactly one class of these implements."""
    classes = list(classes_of(sources))
    by_name = {found.name: found for found in classes}
    whole = [(found, dict(_all_members(found, by_name))) for found in classes]
    concrete = [members for found, members in whole if not found.is_protocol]
    return [
        found
        for found, asked in whole
        if found.is_protocol
        and found.path.name != "ports.py"
        and asked
        and "__call__" not in asked
        and sum(_implements(members, asked) for members in concrete) == 1
    ]


def classes_of(sources: Iterable[Source]) -> Iterator[Class]:
    """All classes, those inside functions and classes too."""
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                bases = tuple(_name_of(base) for base in node.bases)
                yield Class(node.name, source.path, bases, dict(_members(node)))


def _implements(has: Mapping[str, Member], asked: Mapping[str, Member]) -> bool:
    return all(
        name in has and (has[name] == parameters or has[name] is None or parameters is None)
        for name, parameters in asked.items()
    )


def _all_members(found: Class, by_name: Mapping[str, Class]) -> Iterator[tuple[str, Member]]:
    """Its own after those of its bases, so that its own count."""
    for base in found.bases:
        if base in by_name and base != found.name:
            yield from _all_members(by_name[base], by_name)
    yield from found.members.items()


def _members(node: ast.ClassDef) -> Iterator[tuple[str, Member]]:
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            if part.name == "__init__":
                yield from _assigned(part)
            elif any("property" in _name_of(mark) for mark in part.decorator_list):
                yield part.name, None
            else:
                named = [*part.args.posonlyargs, *part.args.args, *part.args.kwonlyargs]
                yield part.name, tuple(argument.arg for argument in named[1:])
        elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            yield part.target.id, None
        elif isinstance(part, ast.Assign):
            yield from ((to.id, None) for to in part.targets if isinstance(to, ast.Name))


def _assigned(init: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, None]]:
    """What `__init__` gives its `self`."""
    for node in ast.walk(init):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name)
            and node.value.id == "self"
        ):
            yield node.attr, None


def _name_of(node: ast.expr) -> str:
    """The last word of a base or a decorator, without what is in brackets behind it."""
    match node:
        case ast.Subscript():
            return _name_of(node.value)
        case ast.Call():
            return _name_of(node.func)
        case ast.Attribute():
            return node.attr
        case ast.Name():
            return node.id
        case _:
            return ""
