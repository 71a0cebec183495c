"""What holds for every test."""

import asyncio
import gc
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
import structlog
from hypothesis import settings


def pytest_configure() -> None:
    """Say that the main thread has no event loop, so that none is made by asking for it.

    looptime 0.9 asks before each test, sync ones too; Python then warns and makes a loop
    that nobody closes.
    """
    asyncio.set_event_loop(None)
    # Nobody keeps it up any more: what would load it fails (see tests/test_not_imported.py).
    sys.modules["oscrypto"] = None  # type: ignore[assignment]
    # Drawing tracebacks in frames took a fifth of the time of tests with faults.
    structlog.configure(
        processors=[
            *structlog.get_config()["processors"][:-1],
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ]
    )
    # How fast a machine is that others share says nothing about what is tested.
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let virtual time go on after two idle turns of the loop.

    By default it polls 42 times, which took a third of the time of these tests.
    """
    for item in items:
        if item.get_closest_marker("looptime"):
            item.add_marker(pytest.mark.looptime(noop_cycles=2))


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what lasts as long as the run: modules, tests."""
    gc.collect()
    gc.freeze()


class WorkInThread(Executor):
    """What looptime takes for a job of an executor, for as long as it lasts."""

    def __init__(self) -> None:
        self.future: Future[Any] = Future()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:  # noqa: ANN401
        """Begin nothing."""
        return self.future


@pytest.fixture(autouse=True)
def time_waits_for_threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual time goes as real time does while something runs in one of anyio's threads.

    looptime knows nothing of these: one that took longer than some polls found that days had
    passed, and after 300 of them a timer of floats is never due.
    """
    if request.node.get_closest_marker("looptime") is None:
        return
    run_sync = anyio.to_thread.run_sync

    async def counted(func: Callable[..., Any], *args: Any, **options: Any) -> Any:  # noqa: ANN401
        work = WorkInThread()
        asyncio.get_running_loop().run_in_executor(work, func)
        try:
            return await run_sync(func, *args, **options)
        finally:
            work.future.set_result(None)

    monkeypatch.setattr(anyio.to_thread, "run_sync", counted)


@pytest.fixture
def on_disk() -> Iterator[Path]:
    """A folder where it takes its time until something is written: /tmp is often only memory.

    For who is killed in mid-write, and for who writes as long as something else lasts.
    """
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="benchd-test-") as folder:
        yield Path(folder)
