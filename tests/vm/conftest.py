"""The tests of the rack in a virtual machine run only when `scripts/test --vm` asks for them."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import shutil
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.vm.machine import CHECKOUT, Machine, MachineBroken, build_disk
from tests.vm.rig import Rig

WANTED = "BENCHD_VM"
STORY = CHECKOUT / "build" / "vm-story"

collect_ignore_glob = [] if os.environ.get(WANTED) else ["test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in here is one of the machine's, and nothing in it is quick."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.vm)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Write down how each test ended beside the machine's own story."""
    report = yield
    story = item.session.config.stash.get(_STORY, None)
    if story is not None and (report.when == "call" or report.failed):
        with (story / "results" / "tests.txt").open("a", encoding="utf-8") as file:
            file.write(
                f"{report.outcome:8} {report.duration:7.1f} s  {item.name} ({report.when})\n"
            )
            file.write(f"{report.longreprtext}\n" if report.failed else "")
        if report.failed:
            report.sections.append(("the machine's story", str(story)))
    return report


_STORY = pytest.StashKey[Path]()


@pytest.fixture(scope="session")
def machine(request: pytest.FixtureRequest) -> Generator[Machine, None, None]:
    """The booted machine; its story lies in build/vm-story, whatever the tests came to."""
    with the_only_run(), Machine(build_disk(), STORY) as booted:
        request.config.stash[_STORY] = STORY
        booted.run("systemctl", "is-system-running", "--wait", within_s=300)
        state = booted.run("systemctl", "is-active", "rack-vm.service")
        if state.status != 0:
            raise MachineBroken(booted.run("journalctl", "-u", "rack-vm", "--no-pager").output)
        yield booted
        leave_the_rest(booted)


@contextmanager
def the_only_run() -> Generator[None]:
    """Makes room for the story, unless a machine is still writing one."""
    STORY.parent.mkdir(exist_ok=True)
    with STORY.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MachineBroken(f"another run writes to {STORY}: wait for its end") from None
        shutil.rmtree(STORY, ignore_errors=True)
        yield


def leave_the_rest(machine: Machine) -> None:
    """What isn't written to the story while it happens."""
    machine.run(
        "bash",
        "-c",
        "journalctl --boot --output=export | zstd -q >/results/journal.export.zst;"
        "systemctl status --all --no-pager >/results/units.txt 2>&1;"
        "cp -r /var/lib/benchd /results/benchd; dmesg >/results/dmesg.txt",
        within_s=300,
    )


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """For the numbers of every handset that the machine's one ledger hears of."""
    return itertools.count()


@pytest_asyncio.fixture
async def rig(
    machine: Machine, numbers: Iterator[int], request: pytest.FixtureRequest
) -> AsyncGenerator[Rig, None]:
    """Empty ports, a table without handsets, and what was seen of it if the test failed."""
    made = Rig(machine=machine, numbers=numbers)
    await made.guest("logger", f"===== {request.node.name} =====")
    try:
        yield made
    finally:
        with (machine.results / f"{request.node.name}.json").open("w") as file:
            json.dump(dict(made.watch.slots), file, indent=1, ensure_ascii=False, default=str)
        await made.aclose()
