"""A worker outlives whatever goes wrong with one chip."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import cast

import anyio
import pytest

from benchd.devices.felica.readers.reader_watch import ReadersSeen
from benchd.devices.felica.worker import __main__ as reader_worker
from benchd.devices.felica.worker.__main__ import Worker
from benchd.devices.felica.worker.chip_tasks import ChipTasks
from benchd.devices.felica.worker.readers import RackReaders
from benchd.devices.felica.worker.wire import Message, WorkerOrder, encode
from benchd.domain.errors import ReaderFault, ReaderGone
from benchd.domain.ids import SlotName

ORDER = WorkerOrder(slots={SlotName("A1"): "Reader"}, salt=bytes(32), baselines=())


class FakeReaders:
    """One reader, with which everything fails in the same way."""

    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    def model(self, slot: SlotName) -> str:
        return "fake"

    async def work(self, slot: SlotName, work: Callable[..., object], within_s: float) -> object:
        raise self._failure


async def answer_to(failure: Exception) -> Message:
    said: list[Message] = []
    request = {"id": 3, "do": "scan", "slot": "A1", "within_s": 1, "passes": 1}
    async with anyio.create_task_group() as tasks:
        readers = cast("RackReaders", FakeReaders(failure))
        worker = Worker(readers, tasks, ChipTasks(ORDER), said.append)
        worker.take({**request, "power_cycle": True})
    (answer,) = said
    return answer


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("failure", "answer"),
    [
        (ReaderGone("away"), {"gone": "away"}),
        (ReaderFault("hung"), {"fault": "hung"}),
        (IndexError("serial 123"), {"fault": "internal error: IndexError"}),
    ],
)
async def test_every_failure_is_an_answer(failure: Exception, answer: Mapping[str, str]) -> None:
    assert await answer_to(failure) == {"id": 3, **answer}


def test_a_worker_ends_when_its_input_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchd.devices.felica.worker"],
        input=encode(ORDER.as_message()),
        capture_output=True,
        env={"PCSCLITE_CSOCK_NAME": "/nonexistent/pcscd.comm"},
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_watch_that_sees_readers_after_the_end_is_not_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[Callable[[ReadersSeen], object]] = []

    class Watch:
        def __init__(self, tell: Callable[[ReadersSeen], object]) -> None:
            kept.append(tell)

        def start(self) -> None:
            pass

    monkeypatch.setattr(reader_worker, "ReaderWatch", Watch)
    anyio.run(reader_worker.serve, ORDER, io.BytesIO(), list[Message]().append)
    kept[0](ReadersSeen(names=()))


def test_a_baseline_that_is_gone_ends_the_worker_with_a_word() -> None:
    order = WorkerOrder(slots={}, salt=bytes(32), baselines=("/nonexistent/baseline.toml",))
    done = subprocess.run(
        [sys.executable, "-m", "benchd.devices.felica.worker"],
        input=encode(order.as_message()),
        capture_output=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 1
    assert b"baseline.toml" in done.stderr
