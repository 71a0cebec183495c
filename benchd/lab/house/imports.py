"""Which file imports which: arrows between rooms, circles, and imports against the order of rooms.

All imports count, those inside functions and under TYPE_CHECKING too. A name that a package's
`__init__` only hands on counts for the file that defines it.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from benchd.lab.house.sources import Source

Node = TypeVar("Node", bound=Hashable)


class Imports:
    """The imports between the Python files of one package."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._by_module = {source.module: source for source in sources}
        self._handed_on = {
            source.module: dict(_handed_on(source))
            for source in self._by_module.values()
            if source.is_init
        }
        self.between_files = {
            name: {found for found in self._found(source) if found != name}
            for name, source in self._by_module.items()
        }
        """The modules that each imports."""

    @property
    def rooms(self) -> set[str]:
        """The rooms that there are."""
        return {source.room for source in self._by_module.values()} - {""}

    @property
    def between_rooms(self) -> dict[str, set[str]]:
        """The rooms that each room imports from."""
        found: dict[str, set[str]] = {room: set() for room in self.rooms}
        for one, other in self._across():
            found[one.room].add(other.room)
        return found

    def upward(self, rows: Sequence[Iterable[str]]) -> list[tuple[str, str]]:
        """Pairs of files where one imports of its own row or above; the first row is the top."""
        row_of = {room: row for row, rooms in enumerate(rows) for room in rooms}
        if unplaced := self.rooms - row_of.keys():
            message = f"in no row of the order of imports: {', '.join(sorted(unplaced))}"
            raise LookupError(message)
        return sorted(
            (one.module, other.module)
            for one, other in self._across()
            if row_of[other.room] <= row_of[one.room]
        )

    def _across(self) -> Iterator[tuple[Source, Source]]:
        """Pairs of files of two rooms; the package's own `__init__` is in none."""
        for name, imported in self.between_files.items():
            one = self._by_module[name]
            for other in (self._by_module[found] for found in imported):
                if one.room and other.room and one.room != other.room:
                    yield one, other

    def _found(self, source: Source) -> Iterator[str]:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names if alias.name in self._by_module)
            elif isinstance(node, ast.ImportFrom):
                module = _module_of(source, node)
                for alias in node.names:
                    yield from self._defining(module, alias.name)

    def _defining(self, module: str, name: str) -> Iterator[str]:
        """The file that a name is imported of, behind those that hand it on."""
        seen: set[tuple[str, str]] = set()
        while (module, name) not in seen:
            seen.add((module, name))
            if f"{module}.{name}" in self._by_module:
                yield f"{module}.{name}"
                return
            module, name = self._handed_on.get(module, {}).get(name, (module, name))
        if module in self._by_module:
            yield module


def _handed_on(source: Source) -> Iterator[tuple[str, tuple[str, str]]]:
    for node in source.tree.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, (_module_of(source, node), alias.name)


def _module_of(source: Source, node: ast.ImportFrom) -> str:
    """The module behind `from`, also where dots begin it."""
    if not node.level:
        return node.module or ""
    parts = source.module.split(".")
    base = parts[: len(parts) - node.level + source.is_init]
    return ".".join([*base, *([node.module] if node.module else [])])


def circles_of(graph: Mapping[Node, Iterable[Node]]) -> list[set[Node]]:
    """Each largest set of nodes that all lead to one another; empty if there is no circle."""
    reached = {node: _reached(graph, node) for node in graph}
    knots = {
        frozenset(other for other in found if node in reached[other])
        for node, found in reached.items()
        if node in found
    }
    return [set(knot) for knot in knots]


def _reached(graph: Mapping[Node, Iterable[Node]], start: Node) -> set[Node]:
    """What can be reached from a node, itself only if an arrow leads back."""
    found: set[Node] = set()
    ahead = [start]
    while ahead:
        new = set(graph[ahead.pop()]) - found
        found |= new
        ahead.extend(new)
    return found
