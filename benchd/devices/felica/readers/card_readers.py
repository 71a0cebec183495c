"""On which readers of the rack a card lies, told anew whenever that changes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import TypeAdapter

from benchd.devices.felica.readers.reader_assignment import ReaderSeen

LONGEST_LINE: Final = 1 << 20
END_DEADLINE_S: Final = 5.0
ENDED: Final = "the watch over its readers has ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSeen(ReaderSeen):
    """A reader that pcscd lists, and whether a card or a handset's chip lies on it."""

    card: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CardsSeen:
    """All readers of one pcscd at one time."""

    readers: tuple[CardSeen, ...]
    trouble: str | None = None
    """Why there are none, in English."""


_SEEN: Final = TypeAdapter(CardsSeen)


def line_of(seen: CardsSeen) -> bytes:
    """What the watch of one pcscd writes."""
    return _SEEN.dump_json(seen) + b"\n"


class CardReaders:
    """One process per pcscd, whose other end is `benchd.devices.felica.readers.card_watch`."""

    def __init__(self, pcscd: Sequence[Path], changed: Callable[[], None]) -> None:
        """`pcscd` are their sockets; `changed` is called when `seen` is another."""
        self._pcscd = tuple(pcscd)
        self._changed = changed
        self._seen: dict[int, CardsSeen] = {}

    @property
    def seen(self) -> tuple[CardsSeen, ...] | None:
        """What each pcscd has, in their order; None until every one was asked once."""
        if len(self._seen) < len(self._pcscd):
            return None
        return tuple(self._seen[place] for place in range(len(self._pcscd)))

    async def run(self) -> None:
        """Watch until cancelled."""
        async with anyio.create_task_group() as tasks:
            for place, socket in enumerate(self._pcscd):
                tasks.start_soon(self._watch, place, socket)

    async def _watch(self, place: int, socket: Path) -> None:
        process = await anyio.open_process(
            [sys.executable, "-m", "benchd.devices.felica.readers.card_watch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None,
            env={**os.environ, "PCSCLITE_CSOCK_NAME": str(socket)},
            # Ctrl+C at a terminal is the command's to act on.
            start_new_session=True,
        )
        try:
            await self._listen(place, process)
        except (anyio.EndOfStream, anyio.IncompleteRead, anyio.DelimiterNotFound, ValueError):
            self._take(place, CardsSeen(readers=(), trouble=ENDED))
        finally:
            with anyio.move_on_after(END_DEADLINE_S, shield=True):
                with suppress(ProcessLookupError):
                    process.kill()
                await process.aclose()

    async def _listen(self, place: int, process: Process) -> None:
        if process.stdout is None:
            raise anyio.EndOfStream
        lines = BufferedByteReceiveStream(process.stdout)
        while True:
            line = await lines.receive_until(b"\n", LONGEST_LINE)
            self._take(place, _SEEN.validate_json(line))

    def _take(self, place: int, seen: CardsSeen) -> None:
        self._seen[place] = seen
        self._changed()
