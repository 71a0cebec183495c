"""Resets that a host can ask for."""

from __future__ import annotations

from typing import Final

from benchd.android.shell.commands import Completed, Shell, command_line
from benchd.android.shell.text import printable
from benchd.errors import HandsetGone, StageFailed, UnsupportedHandset
from benchd.words.job import Reason

ENABLE_DEADLINE_S: Final = 120.0

_LOCK_IS_SET: Final = 2
"""Exit code of TestHarnessModeService's shell command (AOSP, frameworks/base)."""

_ENDED_BY_A_SIGNAL: Final = range(129, 129 + 64)
"""A shell's exit codes for a command that died of signal 1 to 64."""


async def enable_test_harness(shell: Shell) -> None:
    """Ask for the reset that keeps adb; that it returns proves nothing.

    The handset may reboot before its answer is through: HandsetGone then says that it can't be
    known whether it was even asked, and what became of it shows on the port.
    """
    completed = await shell.run(
        command_line("cmd", "testharness", "enable"), deadline_s=ENABLE_DEADLINE_S
    )
    if completed.exit_code == _LOCK_IS_SET:
        raise StageFailed(Reason.LOCKED, "a screen lock forbids Test Harness Mode")
    if completed.exit_code in _ENDED_BY_A_SIGNAL:
        # The handset ends what runs on it when it goes down, this command too.
        raise HandsetGone("the command was ended by a signal, perhaps by the reset it asked for")
    if completed.exit_code != 0:
        # 1: the maker left out what it needs; 20: this Android has no such service.
        raise UnsupportedHandset(
            f"no Test Harness Mode (code {completed.exit_code}): {_said(completed)}"
        )


def _said(completed: Completed) -> str:
    return printable((completed.stderr or completed.stdout).decode(errors="replace"))
