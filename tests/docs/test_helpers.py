"""Whatever benchd runs beside its loop stands in the manual, with how it is known to live."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import benchd

HOUSE = Path(benchd.__path__[0])
MANUAL = HOUSE.parent / "docs" / "service.md"
MAKES = {"Thread", "Popen", "open_process", "run_process", "ProcessPoolExecutor"}
NOT_OF_THE_DAEMON = ("lab", "cli", "config")


def made_in() -> Iterator[str]:
    """Each file that makes a process or a thread."""
    for file in sorted(HOUSE.rglob("*.py")):
        if file.relative_to(HOUSE).parts[0] in NOT_OF_THE_DAEMON:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in MAKES:
                    yield str(file.relative_to(HOUSE.parent))


def test_each_is_in_the_table_and_nothing_else() -> None:
    section = MANUAL.read_text(encoding="utf-8").partition("## What runs beside the loop")[2]
    told = re.findall(
        r"^\|[^|]+\| `(benchd/[^`]+)` \|", section.partition("\n## ")[0], re.MULTILINE
    )
    assert told
    assert set(told) == set(made_in())
