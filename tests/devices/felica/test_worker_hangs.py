"""A reader worker that hangs is ended and begun anew, and whoever waits for it is told."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from benchd.devices.felica.worker import process
from benchd.devices.felica.worker.process import ReaderWorker
from benchd.devices.felica.worker.wire import WorkerOrder
from benchd.domain.errors import ReaderGone
from benchd.domain.ids import SlotName
from benchd.domain.wakeup import Wakeup

A1 = SlotName("A1")
PATIENCE_S = 60.0


class Rig:
    """One worker with a pcscd that isn't there, which is trouble enough to speak of."""

    def __init__(self) -> None:
        self.changed = Wakeup()
        self.worker = ReaderWorker(
            pcscd=Path("/nonexistent/pcscd.comm"),
            order=WorkerOrder(slots={A1: "Reader"}, salt=bytes(32), baselines=()),
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
