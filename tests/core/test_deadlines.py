"""How long benchd waits for an HTTP answer is benchd's own decision, wherever it asks."""

from __future__ import annotations

import ast
from pathlib import Path

import benchd

HERE = Path(benchd.__file__).parent
ASK = {"Client", "AsyncClient", "get", "post", "put", "patch", "delete", "request", "stream"}


def undecided(source: str) -> list[int]:
    """The lines on which somebody waits for as long as the library thinks fit."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ASK
        and ast.unparse(node.func.value) == "httpx2"
        and "timeout" not in {word.arg for word in node.keywords}
    ]


def test_no_client_waits_by_its_librarys_default() -> None:
    """5 s: too few for an anchor that may take 20, or for a certificate's first PDF."""
    found = {file.relative_to(HERE): undecided(file.read_text()) for file in HERE.rglob("*.py")}
    assert len(found) > 100
    assert {file: lines for file, lines in found.items() if lines} == {}


def test_a_client_without_a_deadline_is_found() -> None:
    made = "a = httpx2.Client(trust_env=False)\nb = httpx2.AsyncClient(timeout=3)\nhttpx2.get(a)\n"
    assert undecided(made) == [1, 3]
