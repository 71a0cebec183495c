"""Keeps systemd told: the watchdog is fed from the event loop, the status follows the board.

A blocked loop can't feed it, and a slot whose task has ended makes the loop stop feeding:
systemd then ends the daemon and starts it anew, which settles every open job.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

import anyio
import structlog

from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.observe.notify_socket import Notifier
from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard

_log = structlog.get_logger()

FEEDS_PER_INTERVAL: Final = 3
SHORTEST_STATUS_PAUSE_S: Final = 1.0
LONGEST_STATUS_PAUSE_S: Final = 10.0

BUSY: Final = frozenset(
    {SlotState.SETTLING, SlotState.RUNNING, SlotState.AWAITING_OPERATOR, SlotState.REPLUGGING}
)


async def feed_watchdog(
    notifier: Notifier, interval_s: float | None, ended_tasks: Callable[[], Sequence[str]]
) -> None:
    """Feed the watchdog as long as no task has ended that should run for ever."""
    told: list[str] = []
    while interval_s is not None:
        ended = list(ended_tasks())
        if not ended:
            notifier.alive()
        elif ended != told:
            _log.critical("watchdog_not_fed", ended_tasks=ended)
        told = ended
        await anyio.sleep(interval_s / FEEDS_PER_INTERVAL)


async def follow_status(notifier: Notifier, board: RackBoard, admission: Admission) -> None:
    """Tell the state of the rack whenever it has changed."""
    told = ""
    while True:
        version = board.version
        text = status_text(board.views().values(), admission)
        if text != told:
            notifier.status(text)
            told = text
        await anyio.sleep(SHORTEST_STATUS_PAUSE_S)
        # A pause begins and ends while the board doesn't change.
        with anyio.move_on_after(LONGEST_STATUS_PAUSE_S):
            await board.changed(version)


def status_text(views: Collection[SlotView], admission: Admission) -> str:
    """The rack in one line: `16 slots, 12 busy, 1 needs a person`, and why no job begins."""
    busy = sum(view.state in BUSY for view in views)
    waiting = sum(view.needs_a_person for view in views)
    slots = f"{len(views)} {'slot' if len(views) == 1 else 'slots'}"
    line = f"{slots}, {busy} busy, {waiting} {'needs' if waiting == 1 else 'need'} a person"
    return line + _standstill(views, admission, idle=not busy)


def _standstill(views: Collection[SlotView], admission: Admission, *, idle: bool) -> str:
    """Why no job begins, or why none goes on where slots wait and none is busy."""
    if admission.closed:
        return ", ending after the running jobs"
    held = admission.begins_not_for
    begins_not = [*([] if held is None else [held]), *([] if views else ["no slots"])]
    if begins_not:
        return f", no job begins: {', '.join(begins_not)}".replace("_", " ")
    waits_for = sorted({view.problem.code for view in views if view.problem is not None})
    if idle and waits_for:
        return f", nothing goes on: {', '.join(waits_for)}".replace("_", " ")
    return ""
