"""Resets that a host can ask for."""

from __future__ import annotations

from typing import Final

from benchd.errors import HandsetGone, StageFailed, UnsupportedHandset
from benchd.handset.shell import Completed, Shell, command_line
from benchd.handset.text import printable
from benchd.model import Reason

ENABLE_DEADLINE_S: Final = 120.0

_LOCK_IS_SET: Final = 2
"""Exit code of TestHarnessModeService's shell command (AOSP, frameworks/base)."""


async def enable_test_harness(shell: Shell) -> None:
    """Ask for the reset that keeps adb; that it returns proves nothing.

    The handset may reboot before its answer is through: then the answer is lost, and what
    became of the request shows on the port.
    """
    try:
        completed = await shell.run(
            command_line("cmd", "testharness", "enable"), deadline_s=ENABLE_DEADLINE_S
        )
    except HandsetGone:
        return
    if completed.exit_code == _LOCK_IS_SET:
        raise StageFailed(Reason.LOCKED, "a screen lock forbids Test Harness Mode")
    if completed.exit_code != 0:
        # 1: the maker left out what it needs; 20: this Android has no such service.
        raise UnsupportedHandset(
            f"no Test Harness Mode (code {completed.exit_code}): {_said(completed)}"
        )


def _said(completed: Completed) -> str:
    return printable((completed.stderr or completed.stdout).decode(errors="replace"))
