"""`benchd watch` on a real terminal of 80 by 24, with a daemon that comes, goes and comes again."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from fastapi import FastAPI
from rich.cells import cell_len

from benchd.domain.ids import SlotName
from benchd.domain.job import Gate
from tests.cli.rack_told import NOW, cable_out
from tests.web.web_fakes import JOB, FakeRack, asking_view, running_view
from tests.web.web_running import running

pytestmark = pytest.mark.asyncio

BENCHD = Path(sys.executable).with_name("benchd")
WAITED_FOR_S = 45.0
STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
FRAME_BEGINS = "\x1b[H"


class Terminal:
    """What a program has written on its terminal."""

    def __init__(self, master: int, program: subprocess.Popen[bytes]) -> None:
        self.program = program
        self._master = master
        self._written = bytearray()
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            if not data:
                return
            with self._news:
                self._written += data
                self._news.notify_all()

    def frame(self) -> list[str]:
        """The lines of the newest whole screen."""
        whole = bytes(self._written).decode("utf-8", "replace").split(FRAME_BEGINS)
        text = STEERING.sub("", whole[-2] if len(whole) > 2 else "")
        return [line.rstrip() for line in text.replace("\r", "").split("\n")]

    async def shows(self, wanted: Callable[[list[str]], bool]) -> list[str]:
        """The first screen that is as wanted."""

        def wait() -> list[str]:
            with self._news:
                seen = self._news.wait_for(lambda: wanted(self.frame()), WAITED_FOR_S)
                assert seen, self.frame()
                return self.frame()

        return await anyio.to_thread.run_sync(wait)

    async def end(self) -> tuple[int, str]:
        """Press Ctrl+C: the exit code, and everything that was ever written."""
        self.program.send_signal(signal.SIGINT)
        code = await anyio.to_thread.run_sync(self.program.wait)
        await anyio.to_thread.run_sync(self._reader.join)
        return code, self._written.decode("utf-8", "replace")


@contextmanager
def watching(socket: Path, language: str) -> Generator[Terminal]:
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen(
        [BENCHD, "watch"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={
            "PATH": "/usr/bin:/bin",
            "TERM": "xterm",
            "LANG": language,
            "BENCHD_SOCKET": str(socket),
        },
    ) as program:
        os.close(slave)
        try:
            yield Terminal(master, program)
        finally:
            program.kill()
    os.close(master)


def told(*words: str) -> Callable[[list[str]], bool]:
    return lambda frame: all(word in "\n".join(frame) for word in words)


async def test_a_daemon_that_comes_goes_and_comes_again(
    rack: FakeRack, app: FastAPI, tmp_path: Path
) -> None:
    socket = tmp_path / "benchd.sock"
    rack.board.show(running_view(0.25))
    waits = told("benchd に接続できません", "つながるまで待っています", "動いていません")
    with watching(socket, "ja_JP.UTF-8") as terminal:
        assert not told("A1")(await terminal.shows(waits))
        async with running(app, socket):
            await terminal.shows(told("A1", "上書き 25%"))
        assert not told("25%")(await terminal.shows(waits))
        async with running(app, socket):
            await terminal.shows(told("A1", "上書き 25%"))
            code, written = await terminal.end()
    assert code == 0
    assert "Traceback" not in written
    # The screen is given back as it was, with its cursor.
    assert written.rstrip().endswith("\x1b[?1049l")
    assert "\x1b[?25h" in written


async def test_ctrl_c_while_no_daemon_is_there_ends_it_too(tmp_path: Path) -> None:
    with watching(tmp_path / "none.sock", "en_US.UTF-8") as terminal:
        await terminal.shows(told("Waiting until it answers", "systemctl start benchd"))
        code, written = await terminal.end()
    assert code == 0
    assert "Traceback" not in written


async def test_the_queue_comes_first_and_nothing_is_cut(
    rack: FakeRack, app: FastAPI, tmp_path: Path
) -> None:
    left = datetime.now(UTC) - NOW + timedelta(minutes=5)
    rack.board.show(cable_out("A1", 1, left))
    rack.board.show(asking_view(SlotName("A2"), 2, Gate.CONSENT))
    for number in range(3, 29):
        rack.board.show(replace(running_view(0.62), slot=SlotName(f"B{number}")))
    async with running(app, tmp_path / "benchd.sock"):
        with watching(tmp_path / "benchd.sock", "ja_JP.UTF-8") as terminal:
            frame = await terminal.shows(told("A1", "残り", "B28"))
            await terminal.end()
    assert len(frame) <= 24
    assert max(map(cell_len, frame)) <= 80
    cable = next(number for number, line in enumerate(frame) if line.startswith("A1 "))
    assert re.search(r"残り [45]:[0-9]{2}$", frame[cable])
    assert frame[cable - 1].startswith("次にやること 2")
    assert any(f"benchd decide {JOB} consent" in line for line in frame)
