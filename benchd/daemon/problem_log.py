"""One line when a slot can't go on, one when it can again."""

from __future__ import annotations

import anyio
import structlog

from benchd.slots.board import RackBoard
from benchd.words.ids import SlotName
from benchd.words.slot import ProblemCode

_log = structlog.get_logger()

SHORTEST_PAUSE_S = 0.2
OF_THE_RACK = frozenset(
    {
        ProblemCode.ADB_SERVER_DOWN,
        ProblemCode.DAEMON_DRAINING,
        ProblemCode.DAEMON_PAUSED,
        ProblemCode.DISK_FULL,
        ProblemCode.LEDGER_BROKEN,
    }
)
"""Concern all slots at once: whoever notices logs it, once."""


async def log_problems(board: RackBoard) -> None:
    """Follow the board until cancelled; what came and went between two looks isn't logged."""
    known: dict[SlotName, ProblemCode] = {}
    while True:
        version = board.version
        views = board.views()
        for slot in [slot for slot in known if slot not in views]:
            del known[slot]
        for slot, view in views.items():
            code = None if view.problem is None else view.problem.code
            code = None if code in OF_THE_RACK else code
            before = known.pop(slot, None)
            if code is not None:
                known[slot] = code
            if code is before:
                continue
            if before is not None:
                _log.info("slot_problem_over", slot=slot, job=view.job, problem=before)
            if code is not None:
                _log.warning("slot_problem", slot=slot, job=view.job, problem=code)
        await anyio.sleep(SHORTEST_PAUSE_S)
        await board.changed(version)
