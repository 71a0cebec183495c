"""A rack from outside: a process that is led, killed, started again, put back and copied."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from benchd.domain.ids import JsonValue
from tests.fleet.faults.line import Line
from tests.fleet.faults.small_disk import SmallDisk

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
"""Of a program that runs in this checkout, whatever folder it is in."""
LONGEST_ANSWER = 4096
ANSWERS_WITHIN_S = 60
FILES = ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite.head")


class RackEnded(Exception):
    """Raised where its process has ended instead of answering."""


def moved(source: Path, to: Path) -> None:
    """The files of a ledger, in place of whatever was there."""
    to.mkdir(exist_ok=True)
    for file in to.iterdir():
        file.unlink()
    for name in FILES:
        if (source / name).exists():
            shutil.copy(source / name, to / name)


@dataclass
class Rack:
    """One ledger with its process, and the job that it has in hand."""

    name: str
    key_id: str
    folder: Path
    """As this process reaches it."""
    words: list[str]
    """What its program is given after the ledger's file."""
    line: Line
    drawn: random.Random
    disk: SmallDisk | None = None
    job: tuple[str, str] | None = None
    process: Process | None = None
    said: BufferedByteReceiveStream | None = None
    turn: anyio.Lock = field(default_factory=anyio.Lock)

    @property
    def _seen(self) -> str:
        """The ledger's file as the program reaches it."""
        inside = self.disk.inside / self.folder.name if self.disk else self.folder
        return str(inside / "ledger.sqlite")

    def _command(self, *words: str) -> list[str]:
        entered = self.disk.entered if self.disk else []
        program = ["setpriv", "--pdeathsig", "KILL", sys.executable]
        return [*entered, *program, "-m", "tests.fleet.faults.rack_program", *words]

    @property
    def log(self) -> Path:
        return Path(self.words[0]).with_name(f"{self.folder.name}.log")

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await anyio.open_process(
                self._command(self._seen, *self.words), stderr=log, env=ENVIRONMENT
            )
        assert self.process.stdout is not None
        self.said = BufferedByteReceiveStream(self.process.stdout)

    async def ask(self, name: str, *values: object) -> JsonValue:
        """Have it do something; RackEnded where it ends over that."""
        process, said = self.process, self.said
        if process is None or said is None or process.stdin is None:
            raise RackEnded
        async with self.turn:
            try:
                with anyio.fail_after(ANSWERS_WITHIN_S):
                    await process.stdin.send(json.dumps([name, *values]).encode() + b"\n")
                    return json.loads(await said.receive_until(b"\n", LONGEST_ANSWER))
            except (anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError):
                raise RackEnded from None

    async def kill(self) -> None:
        """By SIGKILL, whatever it is at."""
        if self.process is not None:
            if self.process.returncode is None:
                self.process.kill()
            await self._gone(self.process)

    async def stop(self) -> None:
        """In good order."""
        if self.process is not None and self.process.stdin is not None:
            await self.process.stdin.aclose()
            await self._gone(self.process)

    async def _gone(self, process: Process) -> None:
        self.process = self.said = None
        with anyio.CancelScope(shield=True):
            await process.wait()
            await process.aclose()

    def put_on_record(self, known: int) -> None:
        command = self._command("restored", self._seen, self.words[0], str(known))
        subprocess.run(command, check=True, env=ENVIRONMENT, timeout=ANSWERS_WITHIN_S)

    def copied(self, copy: Path) -> Path:
        """Its ledger for the referee: the rack's process has the file itself open."""
        moved(self.folder, copy)
        return copy / "ledger.sqlite"

    async def begin(self, number: int, imei: str) -> None:
        if self.job is None:
            job = await self.ask("begin", number, imei)
            self.job = None if job is None else (str(job), imei)

    async def finish(self) -> None:
        if self.job is not None:
            job, imei = self.job
            await self.ask("finish", job, imei)
            self.job = None
