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

from benchd.android.shell.commands import Shell
from benchd.errors import BenchdError, StageFailed
from benchd.words.fill import AwakeReport, StayOn

_NAME: Final = "stay_on_while_plugged_in"
_READ: Final = f"settings get global {_NAME}"
_WAKE: Final = "input keyevent KEYCODE_WAKEUP"
_ANY_CHARGER: Final = 7
"""AC, USB and wireless: what a port passes for is its maker's idea (BatteryManager)."""
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
        self._before: int | None = None
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
            await self._hold()
        with suppress(StageFailed):
            self._woken = (await self._shell.run(_WAKE)).exit_code == 0

    async def end(self) -> None:
        """Set what was set before; nothing to do where nothing was changed."""
        if self._stay_on is StayOn.SET and self._before is not None:
            self._restored = False
            self._restored = await self._put(self._before)

    async def _hold(self) -> None:
        before = await self._value()
        if before is None:
            return
        wanted = before | _ANY_CHARGER
        if wanted == before:
            self._stay_on = StayOn.WAS_SET
            return
        self._before, self._stay_on = before, StayOn.REFUSED
        if await self._put(wanted):
            self._stay_on = StayOn.SET

    async def _put(self, value: int) -> bool:
        # In one shell: what counts is what is read, whatever becomes of the writing.
        return await self._value(f"settings put global {_NAME} {value}; {_READ}") == value

    async def _value(self, command: str = _READ) -> int | None:
        answer = await self._shell.run(command, maximum_output_bytes=MOST_ANSWER_BYTES)
        found = _VALUE.fullmatch(answer.stdout.decode(errors="replace"))
        if answer.exit_code != 0 or found is None:
            return None
        return 0 if found[1] == "null" else int(found[1])


@asynccontextmanager
async def kept_awake(shell: Shell) -> AsyncGenerator[Awake, None]:
    """Awake for the length of the block, and as before after it, however it ends."""
    awake = Awake(shell)
    await awake.begin()
    within_s = LEFT_WITHIN_S
    try:
        yield awake
        within_s = RESTORED_WITHIN_S
    except BenchdError:
        within_s = RESTORED_WITHIN_S
        raise
    finally:
        with anyio.move_on_after(within_s, shield=True), suppress(BenchdError):
            await awake.end()
