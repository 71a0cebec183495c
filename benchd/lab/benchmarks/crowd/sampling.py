"""A profile of a process from inside: whose lines its threads' processor time is spent in.

A thread looks at all others again and again and books what each has used of the processor since
the last look on the line that it is at. That is right on the average, and costs some percent: no
other figure is taken in a run that is sampled.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from types import FrameType
from typing import Final

EVERY_S: Final = 0.004
DEEPEST: Final = 80
_HOUSE: Final = "/benchd/"
_PARTS: Final = (
    ("lab/benchmarks/crowd/", "bench"),
    ("lab/simulator/plug_source", "udev"),
    ("hotplug/", "udev"),
    ("android/server/", "adb"),
    ("android/shell/", "adb"),
    ("android/facts/", "inspect"),
    ("android/fill/", "fill"),
    ("android/", "adb"),
    ("felica/", "chips"),
    ("ledger/", "ledger"),
    ("checksum_vfs", "ledger"),
    ("signing/", "ledger"),
    ("web/", "web"),
    ("people/", "web"),
    ("tokens/", "web"),
    ("observe/", "metrics"),
    ("records/", "records"),
    ("hooks/", "records"),
    ("intake/", "records"),
    ("certificate/", "proof"),
    ("proof/", "proof"),
    ("statements", "proof"),
    ("slots/", "slots"),
    ("pipelines/", "slots"),
    ("words/", "slots"),
)
_OTHERS: Final = (
    ("/prometheus_client/", "metrics"),
    ("/fastapi/", "web"),
    ("/starlette/", "web"),
    ("/uvicorn/", "web"),
    ("/h11/", "web"),
    ("/adbutils/", "adb"),
)
LOOP: Final = "loop"
"""Where no line of the house is on the stack: the event loop's own work."""


class Sampler:
    """Begins with `start`; `told` is what it has seen so far."""

    def __init__(self) -> None:
        self._parts: Counter[str] = Counter()
        self._lines: Counter[str] = Counter()
        self._used: dict[int, float] = {}
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def start(self) -> None:
        """From now on."""
        self._thread.start()

    def told(self) -> Mapping[str, Mapping[str, float]]:
        """Seconds of the processor by part of the house, and by line where it is most."""
        return {"parts_s": dict(self._parts), "lines_s": dict(self._lines.most_common(60))}

    def _run(self) -> None:
        own = threading.get_ident()
        while True:
            time.sleep(EVERY_S)
            for ident, frame in sys._current_frames().items():  # noqa: SLF001 - the only way
                if ident == own:
                    continue
                try:
                    now = time.clock_gettime(time.pthread_getcpuclockid(ident))
                except OSError:
                    continue  # it has ended meanwhile
                spent = now - self._used.get(ident, now)
                self._used[ident] = now
                if spent > 0:
                    part, line = place_of(frame)
                    self._parts[part] += spent
                    self._lines[line] += spent


def place_of(frame: FrameType) -> tuple[str, str]:
    """The part of the house that works here, and its innermost line."""
    other = ""
    current: FrameType | None = frame
    for _ in range(DEEPEST):
        if current is None:
            break
        file = current.f_code.co_filename
        if _HOUSE in file and "/site-packages/" not in file:
            inside = file.rpartition(_HOUSE)[2]
            line = f"{inside}:{current.f_code.co_name}"
            part = next((part for start, part in _PARTS if inside.startswith(start)), LOOP)
            return (other or part if part == LOOP else part), line
        other = other or next((part for mark, part in _OTHERS if mark in file), "")
        current = current.f_back
    name = frame.f_code.co_filename.rpartition("/")[2]
    return other or LOOP, f"{name}:{frame.f_code.co_name}"
