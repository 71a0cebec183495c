"""The figures, counted over the files of a checkout, and the limits that they are held to."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchd.lab.house.imports import Imports, circles_of
from benchd.lab.house.protocols import with_one_implementation
from benchd.lab.house.sources import KINDS, Area, Source, sources_of

SMALL_LINES: Final = 60
LIMITS: Final = Path(__file__).with_name("limits.toml")
Figures = Mapping[str, Mapping[str, int]]
"""By what they are of (an area, or the imports) and by name."""
Order = list[list[str]]
"""Rows of rooms, the top first."""


def figures_of(root: Path) -> Figures:
    """All that `limits.toml` holds a limit for."""
    return figures_in(sources_of(root), order_of_rooms(root))


def figures_in(sources: Sequence[Source], order: Order) -> Figures:
    """The same of files that are read already."""
    by_area = {area: [one for one in sources if one.area is area] for area in Area}
    found = {area.value: dict(_sizes(by_area[area])) for area in Area}
    for area in (Area.PRODUCT, Area.LAB):
        found[area] |= _files([one for one in by_area[area] if one.is_python])
    found[Area.PRODUCT] |= _protocols([one for one in by_area[Area.PRODUCT] if one.is_python])
    return {**found, "imports": dict(_of_imports(imports_in(sources), order))}


def _sizes(sources: Sequence[Source]) -> Iterator[tuple[str, int]]:
    yield "lines", sum(one.lines for one in sources)
    for kind in dict.fromkeys(KINDS.values()):
        yield f"{kind}_lines", sum(one.lines for one in sources if one.kind == kind)


def _files(python: Sequence[Source]) -> dict[str, int]:
    nodes = [node for one in python for node in ast.walk(one.tree)]
    named = [one for one in python if not one.is_init]
    names = Counter(one.path.name for one in named)
    return {
        "nodes": len(nodes),
        "statements": sum(isinstance(node, ast.stmt) for node in nodes),
        "python_files": len(python),
        "classes": sum(isinstance(node, ast.ClassDef) for node in nodes),
        "small_files": sum(one.lines < SMALL_LINES for one in named),
        "names_used_twice": sum(times > 1 for times in names.values()),
    }


def _protocols(python: Sequence[Source]) -> dict[str, int]:
    return {"protocols_with_one_implementation": len(with_one_implementation(python))}


def _of_imports(imports: Imports, order: Order) -> Iterator[tuple[str, int]]:
    between_rooms = imports.between_rooms
    yield "rooms", len(imports.rooms)
    yield "arrows", sum(map(len, between_rooms.values()))
    yield "circles_of_rooms", len(circles_of(between_rooms))
    yield "circles_of_files", len(circles_of(imports.between_files))
    yield "imports_upward", len(imports.upward(order))


def imports_in(sources: Iterable[Source]) -> Imports:
    """Those between the files of product and lab."""
    return Imports(one for one in sources if one.is_python and one.area is not Area.TESTS)


def wrong_ways(imports: Imports, order: Order) -> Iterator[str]:
    """Each circle and each import upward, in words."""
    for graph in (imports.between_rooms, imports.between_files):
        yield from (f"a circle: {', '.join(sorted(knot))}" for knot in circles_of(graph))
    yield from (f"upward: {one} imports {other}" for one, other in imports.upward(order))


def order_of_rooms(root: Path) -> Order:
    """The rows of rooms that `lint-imports` holds, the top first."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    for contract in contracts["tool"]["importlinter"]["contracts"]:
        if contract["id"] == "layers":
            return [[room.strip() for room in row.split("|")] for row in contract["layers"]]
    raise LookupError("pyproject.toml has no order of imports: a contract with the id layers")


def limits_in(text: str) -> Figures:
    """What a file of limits says."""
    return tomllib.loads(text)


def above(figures: Figures, limits: Figures) -> Iterator[str]:
    """Each figure that is above its limit, or has none, and each limit of nothing, in words."""
    for of in {**figures, **limits}:
        counted, allowed = figures.get(of, {}), limits.get(of, {})
        for name in {**counted, **allowed}:
            if name not in allowed:
                yield f"{of}: {name} is {counted[name]} and has no limit"
            elif name not in counted:
                yield f"{of}: {name} has a limit, but nothing counts it"
            elif counted[name] > allowed[name]:
                yield f"{of}: {name} is {counted[name]}, the limit {allowed[name]}"


def lowered(text: str, figures: Figures) -> str:
    """The same file with each limit at its figure, where that is less."""
    limits = limits_in(text)
    lines: list[str] = []
    of = ""
    for line in text.splitlines():
        if header := re.fullmatch(r"\[(\w+)\]", line):
            of = header[1]
        if found := re.match(r"(\w+) = \d+", line):
            limit = min(limits[of][found[1]], figures[of][found[1]])
            lines.append(f"{found[1]} = {limit}{line[found.end() :]}")
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"
