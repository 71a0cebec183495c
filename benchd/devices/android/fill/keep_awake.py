"""Keeps a handset from sleeping while its storage is at work: a wish, on record, never a proof.

`svc power stayon` writes the same setting and may be refused without a word, so the setting is
written and read again. A wake lock isn't for a shell, nor is a timer that wakes: docs/handsets.md.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

import anyio

from benchd.devices.android.shell.commands import Shell
from benchd.devices.android.shell.lines import run_by_lines
from benchd.domain.errors import AnswerNotRecognised, BenchdError, StageFailed
from benchd.domain.fill import AwakeReport, StayOn

_NAME: Final = "stay_on_while_plugged_in"
_READ: Final = f"settings get global {_NAME}"
_ANY_CHARGER: Final = 7
"""AC, USB and wireless: what a port passes for is its maker's idea (BatteryManager)."""

HOLD: Final = f"""\
tell() {{
value=$({_READ} 2> /dev/null)
case "$? $value" in
"0 null") value=0 ;;
"0 "[0-9] | "0 "[1-9][0-9]) ;;
*) value= ;;
esac
echo "$1 $value" || exit
}}
tell before
if [ -n "$value" ] && [ "$((value | {_ANY_CHARGER}))" != "$value" ]; then
settings put global {_NAME} "$((value | {_ANY_CHARGER}))" > /dev/null 2>&1
tell after
fi
input keyevent KEYCODE_WAKEUP > /dev/null 2>&1
echo "woken $?"
"""
"""Says what is set before it writes: whoever doesn't hear that can't set it back, so a shell that
isn't heard any more writes nothing (up to Android 7 no SIGPIPE ends it). The key comes last: it
may hang for seconds, and keeps back nothing that was found out before."""
_SAID: Final = re.compile(r"(?P<word>before|after|woken) (?P<number>[0-9]{0,3})")
_VALUE: Final = re.compile(r"\s*([0-9]{1,2}|null)\s*")
MOST_ANSWER_BYTES: Final = 64 << 10
"""A refusal comes with the trace of its exception."""

RESTORED_WITHIN_S: Final = 20.0
LEFT_WITHIN_S: Final = 2.0
"""The same where the work was broken off from here: whoever does that waits."""


class Awake:
    """What was done to keep one handset awake, and to undo it."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._next_words = ["before"]
        self._before: int | None = None
        self._may_differ = False
        """Whether the setting may be another than before."""
        self._was_written = False
        """Whether the handset was heard to be through with its writing."""
        self._stay_on = StayOn.UNKNOWN
        self._woken = False
        self._restored: bool | None = None

    @property
    def report(self) -> AwakeReport:
        """What came of it."""
        return AwakeReport(stay_on=self._stay_on, screen_woken=self._woken, restored=self._restored)

    async def begin(self) -> None:
        """Ask for it; a handset that refuses works all the same."""
        with suppress(StageFailed):
            await run_by_lines(self._shell, HOLD, self._hear)

    async def end(self) -> None:
        """Set what was set before; nothing to do where nothing was changed."""
        if self._may_differ and self._before is not None:
            self._restored = False
            is_as_before = await self._put(self._before)
            # A writing that wasn't heard to end may still come, after this one.
            self._restored = is_as_before and self._was_written

    def _hear(self, line: str) -> None:
        found = _SAID.fullmatch(line)
        if found is None or [found["word"]] != self._next_words[:1]:
            raise AnswerNotRecognised("what keeps a handset awake says something else")
        value = int(found["number"]) if found["number"] else None
        match self._next_words.pop(0):
            case "before":
                self._take_before(value)
            case "after":
                self._take_after(value)
            case _:
                self._woken = value == 0

    def _take_before(self, value: int | None) -> None:
        self._before = value
        self._may_differ = value is not None and value | _ANY_CHARGER != value
        # A writing is told of where one was due, and nowhere else.
        self._next_words = ["after", "woken"] if self._may_differ else ["woken"]
        if value is not None and not self._may_differ:
            self._stay_on = StayOn.WAS_SET

    def _take_after(self, value: int | None) -> None:
        self._was_written = True
        if value is None or self._before is None:
            return
        is_held = value == self._before | _ANY_CHARGER
        self._stay_on = StayOn.SET if is_held else StayOn.REFUSED
        self._may_differ = value != self._before

    async def _put(self, value: int) -> bool:
        # In one shell: what counts is what is read, whatever becomes of the writing.
        answer = await self._shell.run(
            f"settings put global {_NAME} {value}; {_READ}", maximum_output_bytes=MOST_ANSWER_BYTES
        )
        found = _VALUE.fullmatch(answer.stdout.decode(errors="replace"))
        if answer.exit_code != 0 or found is None:
            return False
        return value == (0 if found[1] == "null" else int(found[1]))


@asynccontextmanager
async def kept_awake(shell: Shell) -> AsyncGenerator[Awake, None]:
    """Awake for the length of the block, and as before after it, however it ends."""
    awake = Awake(shell)
    within_s = LEFT_WITHIN_S
    try:
        await awake.begin()
        yield awake
        within_s = RESTORED_WITHIN_S
    except BenchdError:
        within_s = RESTORED_WITHIN_S
        raise
    finally:
        with anyio.move_on_after(within_s, shield=True), suppress(BenchdError):
            await awake.end()
