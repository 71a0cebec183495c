"""Pages of a handset's own settings, opened over adb, and a setup wizard that is left out.

Nothing here touches what a reset or the overwrite proves. docs/handsets.md says which pages there
are, what a shell may do, and where each of that was read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from benchd.devices.android.shell.commands import Completed, Shell, command_line
from benchd.domain.errors import AnswerNotRecognised
from benchd.domain.screen import OpenedPage, Page, ScreenOutcome

COMMAND_WITHIN_S: Final = 5.0
TOGETHER_WITHIN_S: Final = 9.0
"""Three commands in one shell; somebody may wait for a question meanwhile."""
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

UNCOVER: Final = """\
input keyevent KEYCODE_WAKEUP > /dev/null 2>&1
echo "woken $?"
wm dismiss-keyguard > /dev/null 2>&1
"""
"""A key that only ever wakes, since a second press of another would put the screen out again; and
what stands before the page without being a lock, which stays where it is. What the two complain of
is left out: all that is written after the first line is said by what follows in the same shell."""
_WOKEN: Final = re.compile(rb"woken ([0-9]{1,3})\n")

# `am start` ends with 0 whatever became of it.
_STARTED: Final = re.compile(rb"^Starting: Intent ", re.MULTILINE)
_NOT_STARTED: Final = re.compile(rb"^(?:Error|Exception|Security exception|java\.)", re.MULTILINE)

_SETUP: Final = "--user 0 secure user_setup_complete"
_READ_SETUP: Final = f"settings get {_SETUP}"
_FINISH_SETUP: Final = f"""\
settings put global device_provisioned 1 > /dev/null 2>&1
settings put {_SETUP} 1 > /dev/null 2>&1
{_READ_SETUP}"""
"""What TestHarnessModeService.setDeviceProvisioned writes (AOSP, frameworks/base)."""


async def open_page(shell: Shell, page: Page) -> OpenedPage:
    """Wake the screen and open the page, or what comes nearest to it."""
    first, *others = WAYS[page]
    answer = await _run(shell, UNCOVER + _asked(*first), within_s=TOGETHER_WITHIN_S)
    found = _WOKEN.match(answer.stdout)
    if found is None:
        raise AnswerNotRecognised("a handset whose screen is woken says something else")
    opened = OpenedPage(page=page, outcome=ScreenOutcome.DONE, woken=int(found[1]) == 0)
    if _has_started(answer):
        return replace(opened, way=first[1])
    for way in others:
        if _has_started(await _run(shell, _asked(*way))):
            return replace(opened, way=way[1])
    return replace(opened, outcome=ScreenOutcome.REFUSED)


async def leave_setup_out(shell: Shell) -> ScreenOutcome:
    """Tell the system that its first setup is over, where it says that it isn't."""
    if _is_over(await _run(shell, _READ_SETUP)):
        return ScreenOutcome.NOT_NEEDED
    # In one shell: what counts is what is read, whatever becomes of the writing.
    is_over = _is_over(await _run(shell, _FINISH_SETUP, within_s=TOGETHER_WITHIN_S))
    return ScreenOutcome.DONE if is_over else ScreenOutcome.REFUSED


def _asked(option: str, name: str) -> str:
    return command_line("am", "start", option, name, "--activity-clear-task")


def _is_over(answer: Completed) -> bool:
    return answer.exit_code == 0 and answer.stdout.strip() == b"1"


def _has_started(answer: Completed) -> bool:
    said = answer.stdout + b"\n" + answer.stderr
    return answer.exit_code == 0 and bool(_STARTED.search(said)) and not _NOT_STARTED.search(said)


async def _run(shell: Shell, command: str, *, within_s: float = COMMAND_WITHIN_S) -> Completed:
    return await shell.run(command, deadline_s=within_s, maximum_output_bytes=MOST_ANSWER_BYTES)
