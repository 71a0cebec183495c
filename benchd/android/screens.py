"""Pages of a handset's own settings, opened over adb, and a setup wizard that is left out.

Nothing here touches what a reset or the overwrite proves. docs/handsets.md says which pages there
are, what a shell may do, and where each of that was read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from benchd.android.shell.commands import Completed, Shell, command_line
from benchd.words.screen import OpenedPage, Page, ScreenOutcome

COMMAND_WITHIN_S: Final = 5.0
MOST_ANSWER_BYTES: Final = 64 << 10
"""A refusal comes with the trace of its exception."""

WAYS: Final[Mapping[Page, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        Page.RESET: (
            ("-a", "com.android.settings.action.FACTORY_RESET"),
            ("-n", "com.android.settings/.Settings$FactoryResetActivity"),
            ("-a", "android.settings.SETTINGS"),
        ),
        Page.ABOUT: (
            ("-a", "android.settings.DEVICE_INFO_SETTINGS"),
            ("-a", "android.settings.SETTINGS"),
        ),
    }
)
"""From the very page to the top of the settings; the first that the handset takes is enough."""

# A second press would put the screen out again; this key only ever wakes.
_WAKE: Final = "input keyevent KEYCODE_WAKEUP"
# What stands before the page without being a lock; a lock stays where it is.
_UNCOVER: Final = "wm dismiss-keyguard"

# `am start` ends with 0 whatever became of it.
_STARTED: Final = re.compile(rb"^Starting: Intent ", re.MULTILINE)
_NOT_STARTED: Final = re.compile(rb"^(?:Error|Exception|Security exception|java\.)", re.MULTILINE)

_SETUP: Final = "--user 0 secure user_setup_complete"
_FINISH_SETUP: Final = (
    "settings put global device_provisioned 1",
    f"settings put {_SETUP} 1",
)
"""What TestHarnessModeService.setDeviceProvisioned writes (AOSP, frameworks/base)."""


async def open_page(shell: Shell, page: Page) -> OpenedPage:
    """Wake the screen and open the page, or what comes nearest to it."""
    woken = (await _run(shell, _WAKE)).exit_code == 0
    await _run(shell, _UNCOVER)
    for option, name in WAYS[page]:
        asked = command_line("am", "start", option, name, "--activity-clear-task")
        if _has_started(await _run(shell, asked)):
            return OpenedPage(page=page, outcome=ScreenOutcome.DONE, way=name, woken=woken)
    return OpenedPage(page=page, outcome=ScreenOutcome.REFUSED, woken=woken)


async def leave_setup_out(shell: Shell) -> ScreenOutcome:
    """Tell the system that its first setup is over, where it says that it isn't."""
    if await _setup_is_over(shell):
        return ScreenOutcome.NOT_NEEDED
    for command in _FINISH_SETUP:
        await _run(shell, command)
    return ScreenOutcome.DONE if await _setup_is_over(shell) else ScreenOutcome.REFUSED


async def _setup_is_over(shell: Shell) -> bool:
    answer = await _run(shell, f"settings get {_SETUP}")
    return answer.exit_code == 0 and answer.stdout.strip() == b"1"


def _has_started(answer: Completed) -> bool:
    said = answer.stdout + b"\n" + answer.stderr
    return answer.exit_code == 0 and bool(_STARTED.search(said)) and not _NOT_STARTED.search(said)


async def _run(shell: Shell, command: str) -> Completed:
    return await shell.run(
        command, deadline_s=COMMAND_WITHIN_S, maximum_output_bytes=MOST_ANSWER_BYTES
    )
