"""Which readers pcscd knows, told anew whenever that changes: a thread with its own context.

pyscard's own monitors end for good when pcscd is restarted; this one begins anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchd.devices.felica.readers.pcsc import Context
from benchd.domain.errors import BenchdError

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadersSeen:
    """All readers of one pcscd at one time."""

    names: tuple[str, ...]
    trouble: str | None = None
    """Why there are none: pcscd is away, or doesn't let this user in."""


class ReaderWatch:
    """Tells all readers at the start and after every change.

    It asks for changes to the list only: one entry whatever the rack's size, where pcscd before
    2.5 takes no more than sixteen.
    """

    def __init__(self, tell: Callable[[ReadersSeen], object]) -> None:
        """`tell` is called from the watch's own thread."""
        self._tell = tell
        self._told: ReadersSeen | None = None
        self._again = threading.Event()

    def start(self) -> None:
        """Begin to watch, until the process ends."""
        threading.Thread(target=self._run, name="reader watch", daemon=True).start()

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                context = Context()
                try:
                    state = 0
                    while True:
                        # The state counts events: one between the list and the wait isn't missed.
                        # Told also when it reads the same: a reader may have got another's name.
                        self._told = None
                        self._say(ReadersSeen(names=context.readers()))
                        pause_s = FIRST_PAUSE_S
                        state = context.wait_for_readers(state)
                finally:
                    context.close()
            except BenchdError as lost:
                self._say(ReadersSeen(names=(), trouble=str(lost)))
            self._again.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _say(self, seen: ReadersSeen) -> None:
        if seen != self._told:
            self._told = seen
            self._tell(seen)
