"""`benchd watch`: the queue first, on the smallest terminal that there is, and on a real one."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import anyio
import pytest
from fastapi import FastAPI
from rich.cells import cell_len
from rich.console import Console

from benchd.cli.tables.watch_view import watch_status, watch_view
from benchd.domain.errand import TrayItem
from benchd.domain.errors import BenchdError, DependencyMissing, LedgerFault
from benchd.domain.ids import JobId, JsonObject, SlotName
from benchd.domain.job import Disposition, Gate
from benchd.domain.plain_text import Language
from benchd.domain.slot import Away, AwayView, ProblemCode, ProblemView, SlotView
from benchd.domain.slot_states import SlotState
from benchd.texts.catalogue import Catalogue
from tests.cli.rack_told import NOW, cable_out, finished, rack_told
from tests.program import BENCHD
from tests.web.web_fakes import (
    A1,
    BEGAN,
    HOSTILE,
    JOB,
    FakeRack,
    asking_view,
    identity,
    port,
    running_view,
    sold_view,
    waiting_view,
)
from tests.web.web_running import running

SLOTS = [SlotName(f"{row}{number}") for row in "ABCDEFGH" for number in range(1, 9)]


def watched(looks: list[JsonObject | BenchdError]) -> str:
    """All that is shown until the looks run out, which is when somebody presses Ctrl+C."""

    def read() -> JsonObject:
        look = looks.pop(0)
        if isinstance(look, BenchdError):
            raise look
        return look

    def pause(_: float) -> None:
        if not looks:
            raise KeyboardInterrupt

    output = StringIO()
    watch_status(read, console=Console(file=output, width=110, force_terminal=True), pause=pause)
    return output.getvalue()


def lines_of(
    rack: JsonObject, catalogue: Catalogue, language: Language = "ja", *, height: int = 24
) -> list[str]:
    """What stands on a terminal of 80 columns."""
    output = StringIO()
    console = Console(
        file=output, width=80, height=height, force_terminal=True, color_system=None, _environ={}
    )
    console.print(watch_view(rack, console, catalogue, language))
    return output.getvalue().splitlines()


def busy_rack(catalogue: Catalogue, slots: int, errands: int) -> JsonObject:
    """A cable out, questions and problems in the first slots, the others at work."""
    views = [cable_out("A1", 1, timedelta(seconds=65))]
    for number, slot in enumerate(SLOTS[1:slots], start=2):
        if number > errands:
            views.append(replace(running_view(0.62), slot=slot, port_path=port(number)))
        elif number % 2:
            views.append(asking_view(slot, number, Gate.NETWORK))
        else:
            views.append(waiting_view(slot, number))
    return rack_told(catalogue, *views)


def test_watch_follows_progress_and_says_who_is_needed(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    told = watched(
        [
            rack_told(catalogue, running_view(0.25)),
            rack_told(catalogue, running_view(0.629), asking_view(SlotName("A2"), 2)),
            rack_told(catalogue, SlotView(slot=A1, port_path=port(1))),
        ]
    )
    for part in ("25%", "62%", "3:12", "上書き", "要対応 1", "処理中 1", "A2", "空き 1"):
        assert part in told


def test_item_4_what_only_has_to_be_carried_away_calls_nobody(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    told = watched([rack_told(catalogue, sold_view(), asking_view(SlotName("A2"), 2))])
    assert "要対応 1" in told


@pytest.mark.parametrize(
    "error", [DependencyMissing("gone", cure="wait"), LedgerFault("it hangs"), BenchdError("502")]
)
def test_a_daemon_that_is_away_leaves_nothing_old_on_the_screen(
    error: BenchdError, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    told = watched([rack_told(catalogue, running_view()), error, rack_told(catalogue)])
    after = told[told.index("benchdに接続できません") :]
    assert "つながるまで待っています" in after
    assert str(error).split("\n")[0] in after
    assert "上書き" not in after
    assert "スロットが設定されていません" in after or "空き 0" in after


def test_ctrl_c_while_it_reads_ends_it_quietly() -> None:
    def read() -> JsonObject:
        raise KeyboardInterrupt

    watch_status(read, console=Console(file=StringIO()))


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(("slots", "errands"), [(8, 3), (28, 4), (28, 28), (64, 3), (64, 64)])
def test_nothing_that_matters_is_cut_off(
    slots: int, errands: int, language: Language, catalogue: Catalogue
) -> None:
    lines = lines_of(busy_rack(catalogue, slots, errands), catalogue, language)
    assert len(lines) <= 24
    assert max(map(cell_len, lines)) <= 80
    assert not any("…" in line for line in lines)
    cable = next(line for line in lines if line.startswith("A1 "))
    assert lines.index(cable) <= 2
    assert ("残り 1:05" if language == "ja" else "1:05 left") in cable
    queued = [line for line in lines if line.startswith(tuple(f"{slot} " for slot in SLOTS[1:4]))]
    assert len(queued) >= min(errands, 4) - 1
    told = "\n".join(lines)
    if errands < 5:
        assert f"{SLOTS[slots - 1]} " in told
    else:
        assert ("ほか " in told) or (" more" in told)


def test_how_the_most_urgent_is_done_stands_below_it(catalogue: Catalogue) -> None:
    lines = lines_of(busy_rack(catalogue, 8, 3), catalogue)
    cable = next(n for n, line in enumerate(lines) if line.startswith("A1 "))
    assert "挿し直してください" in lines[cable] + lines[cable + 1]
    # There is room for the others too: a question with the line that answers it.
    assert f"benchd decide {JOB} network" in "\n".join(lines)


def test_what_mends_itself_and_what_restarts_are_not_in_the_queue(catalogue: Catalogue) -> None:
    charging = replace(
        waiting_view(A1, 1),
        problem=ProblemView(code=ProblemCode.LOW_BATTERY, facts={"percent": "9", "minimum": "30"}),
    )
    restarting = replace(
        running_view(),
        slot=SlotName("A2"),
        state=SlotState.REPLUGGING,
        away=AwayView(why=Away.RESTARTS, until=BEGAN + timedelta(minutes=9)),
    )
    told = "\n".join(lines_of(rack_told(catalogue, charging, restarting), catalogue))
    assert "いまやることはありません" in told
    assert "A1 待機中" in told
    assert "A2 再起動中" in told


def test_bins_are_counted_and_only_a_certificate_says_sellable(catalogue: Catalogue) -> None:
    sold = replace(running_view(), disposition=Disposition.SELLABLE)
    views = [replace(finished(f"A{n}", n, sold), job=JobId(f"job-{n}")) for n in (1, 2)]
    lines = lines_of(rack_told(catalogue, *views, proven=["A1"]), catalogue)
    assert "販売可 1" in lines[1]
    assert "保留 1" in lines[1]
    short = "\n".join(lines).split("\n\n")[-1]
    assert "A1 販売可" in short
    assert "A2 販売可" not in short


def test_a_handset_on_the_tray_is_still_told_of(catalogue: Catalogue) -> None:
    tray = [TrayItem(job=JOB, slot=A1, since=BEGAN, model="SH-01L")]
    empty = SlotView(slot=A1, port_path=port(1))
    lines = lines_of(rack_told(catalogue, empty, tray=tray), catalogue)
    assert any(line.startswith("A1 ") and "2:00 経過" in line for line in lines)


@pytest.mark.parametrize("height", [2, 5, 10, 60])
def test_any_other_height_holds_too(height: int, catalogue: Catalogue) -> None:
    lines = lines_of(busy_rack(catalogue, 28, 9), catalogue, height=height)
    assert len(lines) <= max(height, 9)


def test_hostile_answers_steer_no_terminal(catalogue: Catalogue) -> None:
    view = replace(asking_view(A1, 1), identity=identity(model=HOSTILE, serial=HOSTILE))
    strange: JsonObject = {
        "slots": [{"slot": HOSTILE, "state": 7, "absence": 3}, "nothing"],
        "queue": {
            "now": "never",
            "bins": {"sellable": "x", "hold": True},
            "errands": [
                {"kind": HOSTILE, "slot": HOSTILE, "ja": HOSTILE, "job": HOSTILE, "gate": HOSTILE},
                {"deadline": HOSTILE, "what_to_do": {"ja": HOSTILE}},
            ],
        },
    }
    for rack in (rack_told(catalogue, view), strange, {"slots": [], "queue": []}):
        told = "\n".join(lines_of(rack, catalogue))
        assert "\x1b" not in told
        assert "\u202e" not in told


def test_states_of_other_slots_stay_short(catalogue: Catalogue) -> None:
    views = [SlotView(slot=slot, port_path=port(1)) for slot in SLOTS]
    lines = lines_of(rack_told(catalogue, *views), catalogue)
    assert len(lines) <= 24
    assert all(f"{slot} " in "\n".join(lines) for slot in SLOTS)
    assert SlotState.EMPTY not in "\n".join(lines)


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
        [*BENCHD, "watch"],
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


@pytest.mark.asyncio
async def test_a_daemon_that_comes_goes_and_comes_again(
    rack: FakeRack, app: FastAPI, tmp_path: Path
) -> None:
    socket = tmp_path / "benchd.sock"
    rack.board.show(running_view(0.25))
    waits = shown("benchdに接続できません", "つながるまで待っています", "動いていません")
    with watching(socket, "ja_JP.UTF-8") as terminal:
        assert not shown("A1")(await terminal.shows(waits))
        async with running(app, socket):
            await terminal.shows(shown("A1", "上書き 25%"))
        assert not shown("25%")(await terminal.shows(waits))
        # The queue comes first, and nothing is cut.
        left = datetime.now(UTC) - NOW + timedelta(minutes=5)
        rack.board.show(cable_out("A1", 1, left))
        rack.board.show(asking_view(SlotName("A2"), 2, Gate.CONSENT))
        for number in range(3, 29):
            rack.board.show(replace(running_view(0.62), slot=SlotName(f"B{number}")))
        async with running(app, socket):
            frame = await terminal.shows(shown("A1", "残り", "B28"))
            code, written = await terminal.end()
    assert len(frame) <= 24
    assert max(map(cell_len, frame)) <= 80
    cable = next(number for number, line in enumerate(frame) if line.startswith("A1 "))
    assert re.search(r"残り [45]:[0-9]{2}$", frame[cable])
    assert frame[cable - 1].startswith("次にやること 2")
    assert any(f"benchd decide {JOB} consent" in line for line in frame)
    assert code == 0
    assert "Traceback" not in written
    # The screen is given back as it was, with its cursor.
    assert written.rstrip().endswith("\x1b[?1049l")
    assert "\x1b[?25h" in written


@pytest.mark.asyncio
async def test_ctrl_c_while_no_daemon_is_there_ends_it_too(tmp_path: Path) -> None:
    with watching(tmp_path / "none.sock", "en_US.UTF-8") as terminal:
        await terminal.shows(shown("Waiting until it answers", "systemctl start benchd"))
        code, written = await terminal.end()
    assert code == 0
    assert "Traceback" not in written


def shown(*words: str) -> Callable[[list[str]], bool]:
    return lambda frame: all(word in "\n".join(frame) for word in words)
