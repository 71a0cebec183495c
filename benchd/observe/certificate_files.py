"""Which certificates lack their file, also when it has vanished long after it was written."""

from __future__ import annotations

import heapq
import os
import re
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Final

from benchd.domain.ids import JobId

LIST_EVERY_S: Final = 60.0
"""A hundred thousand names take some 0.1 s; the alert waits for ten minutes."""
MOST_STATS: Final = 64
"""Between two listings a scrape asks for so many of the missing, the newest first."""
MOST_KNOWN: Final = 20_000
"""More than a rack certifies in a month, and some 3 MB; the oldest are forgotten first."""
_FILE: Final = re.compile(r"\d{8}-[0-9a-f]+\.json")


class CertificateFiles:
    """Remembers the newest certificates, and looks for their files in a thread of its caller's."""

    def __init__(self) -> None:
        self.now = time.monotonic
        self.most = MOST_KNOWN
        self._listed_at: float | None = None
        self._lock = Lock()
        self._known: dict[str, None] = {}
        """Names of files, the oldest first: those of the first look, and all that are due since."""
        self._unseen: dict[str, None] = {}
        """The known ones that nobody has seen yet, or any more."""

    def certified(self, job: JobId) -> None:
        """A job ended with a certificate, whose file is due."""
        with self._lock:
            self._known[f"{job}.json"] = self._unseen[f"{job}.json"] = None
            self._forget_oldest()

    def missing(self, folder: Path | None) -> int:
        """How many of them have no file there; without a folder none has been seen.

        Raises:
            OSError: the folder doesn't answer.
        """
        if folder is not None:
            now = self.now()
            if self._listed_at is None or now - self._listed_at >= LIST_EVERY_S:
                self._list(folder)
                self._listed_at = now
            self._ask_for_few(folder)
        return len(self._unseen)

    def _list(self, folder: Path) -> None:
        with self._lock:
            known = dict(self._known)
        there: Iterable[str] = _names_in(folder)
        newest: list[str] = []
        if self._listed_at is None:
            # Those of former daemons may be deleted too. A name begins with its job's day.
            there = newest = heapq.nlargest(self.most, filter(_FILE.fullmatch, there))
        gone = dict(known)
        for name in there:
            gone.pop(name, None)
        with self._lock:
            since = {name: None for name in self._unseen if name not in known}
            self._known = {**dict.fromkeys(reversed(newest)), **self._known}
            self._unseen = {**gone, **since}
            self._forget_oldest()

    def _ask_for_few(self, folder: Path) -> None:
        with self._lock:
            asked = list(islice(reversed(self._unseen), MOST_STATS))
        for name in asked:
            try:
                (folder / name).stat()
            except FileNotFoundError:
                continue
            with self._lock:
                self._unseen.pop(name, None)

    def _forget_oldest(self) -> None:
        while len(self._known) > self.most:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._unseen.pop(oldest, None)


def _names_in(folder: Path) -> Iterator[str]:
    """What is there, in no order; a folder that is gone has nothing."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield entry.name
    except FileNotFoundError:
        return
