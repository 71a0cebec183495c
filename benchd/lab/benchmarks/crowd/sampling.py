"""A profile of a process from inside: whose lines its threads' processor time is spent in.

Whenever the process has used the processor for some milliseconds, the main thread is stopped
between two of its steps, and what it has used since the last stop is booked on the line that it
is at. The other threads are looked at by one of their own. That is right on the average, and costs
some percent: no other figure is taken in a run that is sampled.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from types import FrameType
from typing import Final

EVERY_S: Final = 0.004
OTHERS_EVERY_S: Final = 0.02
KEPT_LINES: Final = 60
DEEPEST: Final = 80
_HOUSE: Final = "/benchd/"
_PARTS: Final = (
    ("lab/simulator/plug_source", "udev"),
    ("hotplug/", "udev"),
    ("devices/android/server/", "adb"),
    ("devices/android/shell/", "adb"),
    ("devices/android/facts/", "inspect"),
    ("devices/android/fill/", "fill"),
    ("devices/android/", "adb"),
    ("devices/felica/", "chips"),
    ("ledger/records/", "records"),
    ("ledger/sql_statements", "proof"),
    ("ledger/", "ledger"),
    ("signing/", "ledger"),
    ("web/", "web"),
    ("people/", "web"),
    ("observe/", "metrics"),
    ("outbound/hooks/", "records"),
    ("intake/", "records"),
    ("certificate/", "proof"),
    ("proof/", "proof"),
    ("slots/", "slots"),
    ("pipelines/", "slots"),
    ("domain/", "slots"),
)
_OTHERS: Final = (
    ("/prometheus_client/", "metrics"),
    ("/fastapi/", "web"),
    ("/starlette/", "web"),
    ("/uvicorn/", "web"),
    ("/h11/", "web"),
    ("/adbutils/", "adb"),
)
_OUTERMOST: Final = "/lab/benchmarks/crowd/crowd_daemon.py"
LOOP: Final = "loop"
"""Where no line of the house is on the stack: the event loop's own work."""


class Sampler:
    """Begins with `start`, in the main thread; `told` is what it has seen so far."""

    def __init__(self) -> None:
        self._parts: defaultdict[str, float] = defaultdict(float)
        self._lines: defaultdict[str, float] = defaultdict(float)
        self._leaves: defaultdict[str, float] = defaultdict(float)
        self._used: dict[int, float] = {}
        self._main_s = 0.0
        self._thread = threading.Thread(target=self._watch_others, name="sampler", daemon=True)

    def start(self) -> None:
        """From now on."""
        self._main_s = time.thread_time()
        signal.signal(signal.SIGPROF, self._tick)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
        self._thread.start()

    def told(self) -> Mapping[str, Mapping[str, float]]:
        """Seconds of the processor by part of the house, by its lines, and by anybody's."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        return {
            "parts_s": dict(self._parts),
            "lines_s": _most(self._lines),
            "leaves_s": _most(self._leaves),
        }

    def _tick(self, number: int, frame: FrameType | None) -> None:
        del number
        now_s = time.thread_time()
        spent_s, self._main_s = now_s - self._main_s, now_s
        if frame is not None:
            self._book(frame, spent_s)

    def _watch_others(self) -> None:
        left_out = {threading.get_ident(), threading.main_thread().ident}
        while True:
            time.sleep(OTHERS_EVERY_S)
            frames = sys._current_frames()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
            for ident, frame in frames.items():
                if ident in left_out:
                    continue
                try:
                    now_s = time.clock_gettime(time.pthread_getcpuclockid(ident))
                except OSError:
                    continue  # it has ended meanwhile
                self._book(frame, now_s - self._used.get(ident, now_s))
                self._used[ident] = now_s

    def _book(self, frame: FrameType, seconds: float) -> None:
        if seconds > 0:
            part, line = place_of(frame)
            self._parts[part] += seconds
            self._lines[line] += seconds
            self._leaves[_named(frame)] += seconds


def _most(booked: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(booked.items(), key=lambda item: -item[1])[:KEPT_LINES])


def place_of(frame: FrameType) -> tuple[str, str]:
    """The part of the house that works here, and its innermost line."""
    other = ""
    current: FrameType | None = frame
    for _ in range(DEEPEST):
        if current is None:
            break
        file = current.f_code.co_filename
        if _HOUSE in file and "/site-packages/" not in file and not file.endswith(_OUTERMOST):
            inside = file.rpartition(_HOUSE)[2]
            part = next((part for start, part in _PARTS if inside.startswith(start)), LOOP)
            return (other or part if part == LOOP else part), f"{inside}:{current.f_code.co_name}"
        other = other or next((part for mark, part in _OTHERS if mark in file), "")
        current = current.f_back
    return other or LOOP, _named(frame)


def _named(frame: FrameType) -> str:
    code = frame.f_code
    return f"{'/'.join(code.co_filename.split('/')[-2:])}:{code.co_name}"
