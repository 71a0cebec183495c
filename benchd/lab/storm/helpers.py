"""A reader worker in a storm: the daemon's end of it is the real one, the process is in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import anyio

from benchd.devices.felica.worker.process import ReaderWorker
from benchd.devices.felica.worker.wire import WorkerOrder
from benchd.domain.ids import SlotName
from benchd.lab.storm.storm_referee import Referee, Rule

TOLD_WITHIN_S: Final = 45.0
ORDER: Final = WorkerOrder(slots={SlotName("A1"): "reader"}, salt=b"", baselines=())


class StoppedWorkers:
    """Starts worker processes, and can stop the one that runs."""

    def __init__(self, referee: Referee) -> None:
        self._referee = referee
        self.processes: list[VirtualProcess] = []
        self.worker = ReaderWorker(pcscd=Path("pcscd"), order=ORDER, changed=lambda: None)

    async def open_process(self, *_: object, **__: object) -> VirtualProcess:
        """What stands in the place of `anyio.open_process`."""
        process = VirtualProcess()
        self.processes.append(process)
        return process

    async def stop_one(self) -> None:
        """As SIGSTOP does; the daemon has to say so, and to begin another."""
        if not self.processes:
            self._referee.broken(Rule.HELPER, "it was never begun")
            return
        begun, self.processes[-1].stopped = len(self.processes), True
        await anyio.sleep(TOLD_WITHIN_S)
        if len(self.processes) == begun or not self.worker.answers:
            self._referee.broken(Rule.HELPER, "the reader worker was stopped, and nobody noticed")


class VirtualProcess:
    """A fake process that answers what a worker is asked."""

    def __init__(self) -> None:
        self.stopped = False
        self.returncode: int | None = None
        self.pid = 1
        self.stdin = self
        self._ended = anyio.Event()
        self._say, self.stdout = anyio.create_memory_object_stream[bytes](100)

    async def send(self, line: bytes) -> None:
        """A request."""
        asked: dict[str, Any] = json.loads(line)
        if not self.stopped and asked.get("do") == "beat":
            self._say.send_nowait(json.dumps({"id": asked["id"]}).encode() + b"\n")
        await anyio.lowlevel.checkpoint()

    def send_signal(self, number: int) -> None:
        """SIGKILL ends it, stopped or not."""
        self.returncode = -number
        self._ended.set()
        self._say.close()

    async def wait(self) -> int:
        """Its end."""
        await self._ended.wait()
        return self.returncode or 0

    async def aclose(self) -> None:
        """Let go of its pipes."""
        self._say.close()
        self.stdout.close()
