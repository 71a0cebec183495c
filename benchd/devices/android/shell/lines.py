"""A command on a handset whose lines are heard as they come: a hang takes back none of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import anyio

from benchd.devices.android.shell.commands import COMMAND_DEADLINE_S, CommandStream, Shell
from benchd.devices.android.shell.packets import Exit
from benchd.domain.errors import AnswerNotRecognised

MOST_SAID_BYTES: Final = 64 << 10


async def run_by_lines(
    shell: Shell,
    command: str,
    hear: Callable[[str], None],
    *,
    line_within_s: float = COMMAND_DEADLINE_S,
) -> int:
    """Run a command to its end, which is its exit code; `hear` gets each line of its stdout.

    Raises HandsetStalled where neither a line nor the end comes in time, AnswerNotRecognised for
    more than 64 KiB or a line that is cut off, and what `hear` raises.
    """
    async with shell.stream(command) as running:
        await running.close_stdin()
        heard = _Lines(hear)
        while True:
            code = await _until_line(running, heard, line_within_s)
            if code is not None:
                heard.end()
                return code


async def _until_line(running: CommandStream, heard: _Lines, within_s: float) -> int | None:
    """Stay until a line has come; the exit code if that has come instead."""
    before = heard.count
    try:
        with anyio.fail_after(within_s):
            while heard.count == before:
                event = await running.receive()
                if isinstance(event, Exit):
                    return event.code
                heard.take(event.data, is_error=event.is_error)
    except TimeoutError as late:
        raise await running.stalled(f"no line within {within_s:.0f} s") from late
    return None


class _Lines:
    """What was said so far."""

    def __init__(self, hear: Callable[[str], None]) -> None:
        self.count = 0
        self._hear = hear
        self._size_bytes = 0
        self._rest = b""

    def take(self, data: bytes, *, is_error: bool) -> None:
        self._size_bytes += len(data)
        if self._size_bytes > MOST_SAID_BYTES:
            raise AnswerNotRecognised(f"more than {MOST_SAID_BYTES} bytes of lines")
        if is_error:
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self.count += 1
            self._hear(line.decode(errors="replace"))

    def end(self) -> None:
        if self._rest:
            raise AnswerNotRecognised("the last line is cut off")
