"""Every wait has an owner: what has no deadline of its own stands on a list with its reason."""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import benchd

from .waits import Found

HERE = Path(benchd.__file__).parent
REASONS = tomllib.loads((Path(__file__).parent / "waits.toml").read_text())
KINDS: dict[str, Callable[[Found], set[str]]] = {
    "wait": lambda found: found.waits,
    "shield": lambda found: found.shields,
    "swallow": lambda found: found.swallows,
    "queue": lambda found: found.queues,
}


def product() -> dict[str, Found]:
    """What runs in an installation; `lab/` stays in a checkout."""
    files = (file.relative_to(HERE) for file in sorted(HERE.rglob("*.py")))
    return {
        str(file): Found.in_source((HERE / file).read_text())
        for file in files
        if file.parts[0] != "lab"
    }


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_no_bound_is_listed_with_its_reason_and_nothing_else_is(kind: str) -> None:
    found = {f"{file}:{name}" for file, each in product().items() for name in KINDS[kind](each)}
    listed = Counter(place for reason in REASONS[kind] for place in reason["at"])
    assert found - listed.keys() == set(), "give it a deadline, or a line with its reason"
    assert listed.keys() - found == set(), "these are bounded now, or gone"
    assert max(listed.values()) == 1


UNBOUNDED = """
async def reads(stream, queue):
    with anyio.fail_after(3):
        await stream.receive()
        async def inner():
            await stream.receive()
    with anyio.CancelScope(shield=True):
        queue = SimpleQueue()
    try:
        await nothing()
    except BaseException:
        return 1
"""


def test_each_kind_is_found_and_what_has_a_deadline_is_not() -> None:
    found = Found.in_source(UNBOUNDED)
    assert found.waits == {"reads.inner"}
    assert found.shields == found.queues == found.swallows == {"reads"}
    bounded = Found.in_source(UNBOUNDED.replace("=True)", "=True, deadline=1)"))
    assert bounded.shields == set()
    assert Found.in_source(UNBOUNDED.replace("return 1", "raise")).swallows == set()


# How long benchd waits for an HTTP answer is its own decision, wherever it asks.

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


# Whatever can't be undone asks first.

DESTROYS = {"enable_test_harness", "fill", "clear"}
"""What a port offers that can't be undone."""


def _calls(function: ast.AST, wanted: Callable[[str], bool]) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and wanted(node.func.attr)
    ]


def _of_a_port(call: ast.Call) -> bool:
    owner = ast.unparse(call.func)
    return owner.rpartition(".")[0].endswith((".handset", ".chips"))


def test_every_act_that_destroys_asks_right_before_whether_it_still_may() -> None:
    found: list[str] = []
    for file in sorted((HERE / "pipelines").rglob("*.py")):
        functions: list[Any] = [
            node
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.AsyncFunctionDef)
        ]
        for function in functions:
            acts = [c for c in _calls(function, DESTROYS.__contains__) if _of_a_port(c)]
            asks = _calls(function, lambda name: name == "refuse_withdrawn")
            last = 0
            for act in sorted(acts, key=lambda call: call.lineno):
                found.append(f"{file.stem}: {ast.unparse(act.func)}")
                before = [ask for ask in asks if last < ask.lineno < act.lineno]
                assert before, f"{file.name}:{act.lineno} doesn't ask"
                last = act.lineno
    assert len({each.partition(":")[0] for each in found}) == 3, found
