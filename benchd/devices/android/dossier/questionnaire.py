"""Asks a handset everything that benchd ever asks, each question by itself, within a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import anyio

from benchd.devices.android.dossier.dossier_files import Recording
from benchd.devices.android.facts.fact_table import QUESTIONS
from benchd.devices.android.facts.inspection import ask
from benchd.devices.android.shell.commands import Shell
from benchd.devices.android.shell.script import Answer
from benchd.domain.errors import HandsetFault, StageFailed

EVERYTHING_WITHIN_S: Final = 180.0
_NO_TIME: Final = "there was no time left to ask"


async def ask_everything(
    shell: Shell,
    heard: Mapping[str, Answer] | None = None,
    *,
    within_s: float = EVERYTHING_WITHIN_S,
) -> Recording:
    """All answers: those that were heard before, and what the handset says to the other questions.

    A question that fails hides no other one; it only reads, and never raises.
    """
    told = dict(heard or {})
    unanswered = {name: _NO_TIME for name in QUESTIONS if name not in told}
    with anyio.move_on_after(within_s):
        for name in tuple(unanswered):
            try:
                told |= await ask(shell, name)
            except StageFailed as failed:
                unanswered[name] = failed.detail
            except HandsetFault as gone:
                unanswered |= dict.fromkeys((n for n in unanswered if n not in told), str(gone))
                break
            else:
                del unanswered[name]
    return Recording(told=told, unanswered=unanswered)
