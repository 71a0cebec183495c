"""What passes between daemon and reader worker, and a worker that outlives faults or hangs."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import cast

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from benchd.devices.felica.readers.reader_watch import ReadersSeen
from benchd.devices.felica.worker import __main__ as reader_worker
from benchd.devices.felica.worker import process
from benchd.devices.felica.worker.__main__ import Worker
from benchd.devices.felica.worker.chip_tasks import ChipTasks
from benchd.devices.felica.worker.process import ReaderWorker
from benchd.devices.felica.worker.readers import RackReaders
from benchd.devices.felica.worker.wire import (
    CaptureOrder,
    Message,
    WorkerOrder,
    capture_of,
    decode,
    encode,
    failure_message,
    order_of,
    scan_message,
    scan_of,
    troubles_of,
)
from benchd.domain.chip import BaselineKind, ChipScan, ChipSystem, ChipVerdict
from benchd.domain.errors import ReaderFault, ReaderGone, ReaderStuck, UsageRefused
from benchd.domain.ids import SlotName
from benchd.domain.wakeup import Wakeup

TEXT = st.text(max_size=20)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
SCANS = st.builds(
    ChipScan,
    verdict=st.sampled_from(ChipVerdict),
    detail=TEXT,
    chip=st.none() | TEXT,
    ic_type=st.none() | st.integers(0, 255),
    systems=st.lists(st.builds(ChipSystem, code=TEXT, nodes=TEXTS, residue=TEXTS), max_size=3).map(
        tuple
    ),
    polled=TEXTS,
    passes=st.integers(0, 9),
    power_cycled=st.booleans(),
    baseline=st.none() | TEXT,
    baseline_kind=st.none() | st.sampled_from(BaselineKind),
    owners_en=TEXTS,
    owners_ja=TEXTS,
    reader=TEXT,
    elapsed_s=st.floats(0, 1e6),
)
A1, A2 = SlotName("A1"), SlotName("A2")


@given(SCANS)
def test_a_scan_comes_out_as_it_went_in(scan: ChipScan) -> None:
    line = encode(scan_message(7, scan))
    assert line.count(b"\n") == 1
    assert scan_of(decode(line)) == scan


NOT_WHOLE: list[object] = [
    *(None, {}, "unused", {"verdict": "unused"}, {"verdict": "erased", "detail": ""}),
    {"verdict": "unused", "detail": "", "passes": "many"},
]


def test_what_isnt_a_whole_scan_is_a_fault_and_what_isnt_an_object_no_message() -> None:
    for scan in NOT_WHOLE:
        with pytest.raises(ReaderFault):
            scan_of({"id": 1, "scan": scan})
    for line in (b"", b"[]", b"7", b"{", b"\xff"):
        with pytest.raises(ValueError, match="valid"):
            decode(line)


def test_orders_come_out_as_they_went_in_and_failures_keep_their_class() -> None:
    order = WorkerOrder(slots={A1: "usb:1-4"}, salt=bytes(range(32)), baselines=("/a b.toml",))
    assert order_of(decode(encode(order.as_message()))) == order
    shared = replace(order, fleet_secret=b"\7" * 32)
    assert order_of(decode(encode(shared.as_message()))) == shared
    assert "07" * 32 not in repr(shared)
    capture = CaptureOrder(name="n", model="m", screen="未利用", seen_on=date(2026, 11, 24))
    assert capture_of(decode(encode({"capture": capture.as_message()}))) == capture
    assert failure_message(1, ReaderGone("g")) == {"id": 1, "gone": "g"}
    assert failure_message(1, ReaderStuck("s")) == {"id": 1, "stuck": "s"}
    assert failure_message(1, ReaderFault("f")) == {"id": 1, "fault": "f"}
    assert failure_message(1, UsageRefused("u")) == {"id": 1, "refused": "u"}


def test_a_slot_that_a_worker_doesnt_tell_of_is_no_good_one() -> None:
    assert troubles_of({"slots": {"A1": None}}, [A1, A2]) == {
        A1: None,
        A2: "the worker doesn't know the slot",
    }
    with pytest.raises(ValueError, match="dict"):
        troubles_of({"slots": None}, [A1])


ORDER = WorkerOrder(slots={A1: "Reader"}, salt=bytes(32), baselines=())


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


def ended(order: WorkerOrder, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A worker that was given its order and then nothing more."""
    return subprocess.run(
        [sys.executable, "-m", "benchd.devices.felica.worker"],
        input=encode(order.as_message()),
        capture_output=True,
        env=environment or None,
        timeout=50,
        check=False,
    )


def test_a_worker_ends_when_its_input_does_and_with_a_word_when_a_baseline_is_gone() -> None:
    done = ended(ORDER, PCSCLITE_CSOCK_NAME="/nonexistent/pcscd.comm")
    assert (done.returncode, done.stderr) == (0, b"")
    done = ended(replace(ORDER, slots={}, baselines=("/nonexistent/baseline.toml",)))
    assert done.returncode == 1
    assert b"baseline.toml" in done.stderr


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


PATIENCE_S = 60.0


class Rig:
    """One worker with a pcscd that isn't there, which is trouble enough to speak of."""

    def __init__(self) -> None:
        self.changed = Wakeup()
        self.worker = ReaderWorker(
            pcscd=Path("/nonexistent/pcscd.comm"),
            order=ORDER,
            changed=self.changed.fire,
        )

    async def until_answers(self, *, but: int | None = None) -> int:
        """The process id once it is another than `but`, and has answered."""
        with anyio.fail_after(PATIENCE_S):
            await self.changed.until(
                lambda: self.worker.answers and self.worker.pid not in (None, but)
            )
        assert self.worker.pid is not None
        return self.worker.pid


@asynccontextmanager
async def running() -> AsyncGenerator[Rig]:
    rig = Rig()
    async with anyio.create_task_group() as tasks:
        await tasks.start(rig.worker.run)
        yield rig
        tasks.cancel_scope.cancel()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "BEAT_EVERY_S", 0.05)
    monkeypatch.setattr(process, "BEAT_WITHIN_S", 2.0)


@pytest.mark.asyncio
async def test_one_that_is_stopped_is_ended_and_begun_anew() -> None:
    with capture_logs() as logs:
        async with running() as rig:
            first = await rig.until_answers()
            os.kill(first, signal.SIGSTOP)
            second = await rig.until_answers(but=first)
    assert second != first
    assert not Path(f"/proc/{first}").exists()
    [told] = [line for line in logs if line["event"] == "reader_worker_ended"]
    assert "hasn't answered" in told["cause"]


@pytest.mark.asyncio
async def test_meanwhile_it_counts_as_down_and_what_was_asked_fails() -> None:
    async with running() as rig:
        first = await rig.until_answers()
        os.kill(first, signal.SIGSTOP)
        with anyio.fail_after(PATIENCE_S), pytest.raises(ReaderGone):
            await rig.worker.field_off(A1, within_s=PATIENCE_S)
        assert not rig.worker.answers
        assert rig.worker.troubles[A1] is not None


@pytest.mark.asyncio
async def test_one_that_is_at_work_is_left_alone() -> None:
    async with running() as rig:
        first = await rig.until_answers()
        beats = rig.worker.beats
        with anyio.fail_after(PATIENCE_S):
            await rig.changed.until(lambda: rig.worker.beats > beats + 3)
        assert rig.worker.pid == first
