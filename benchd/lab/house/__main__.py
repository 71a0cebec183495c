"""`scripts/house`: count what there is to read, and exit with 1 above a limit."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchd.lab.house.figures import (
    LIMITS,
    Figures,
    above,
    figures_in,
    imports_in,
    limits_in,
    lowered,
    order_of_rooms,
    wrong_ways,
)
from benchd.lab.house.sources import sources_of

ROOT = Path(__file__).parents[3]


def main(arguments: Sequence[str] | None = None, *, root: Path = ROOT, file: Path = LIMITS) -> int:
    """Print the table; the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/house", description=__doc__)
    parser.add_argument("--lower", action="store_true", help="lower the limits to the figures")
    asked = parser.parse_args(arguments)
    text = file.read_text(encoding="utf-8")
    sources, order = sources_of(root), order_of_rooms(root)
    figures = figures_in(sources, order)
    print(table(figures, limits_in(text)))  # noqa: T201
    if found := list(above(figures, limits_in(text))):
        found += wrong_ways(imports_in(sources), order)
        print(*found, sep="\n", file=sys.stderr)  # noqa: T201
        return 1
    if asked.lower:
        file.write_text(lowered(text, figures), encoding="utf-8")
    return 0


def table(figures: Figures, limits: Figures) -> str:
    """A line for each figure: what it is of, its name, what it is, its limit."""
    rows = [
        f"{of:<8} {name:<33} {value:>8} {limits.get(of, {}).get(name, '-'):>8}"
        for of, counted in figures.items()
        for name, value in counted.items()
    ]
    return "\n".join([f"{'of':<8} {'what':<33} {'is':>8} {'limit':>8}", *rows])


if __name__ == "__main__":
    sys.exit(main())
