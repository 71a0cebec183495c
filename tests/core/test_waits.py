"""Every wait has an owner: whatever has no deadline of its own stands on a list with its reason."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

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
