"""The daemon's life as a service: ready, reloads, drain, watchdog, and an end that settles all."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack

import anyio
import structlog

from benchd.daemon.reload import Reloader
from benchd.daemon.signals import Hear, Heard
from benchd.daemon.systemd_status import feed_watchdog, follow_status
from benchd.domain.ids import SlotName
from benchd.domain.slot import ProblemCode
from benchd.observe.announcing_ledger import keep_following
from benchd.observe.notify_socket import Notifier, watchdog_interval_s
from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard
from benchd.slots.supervisor import Supervisor

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
SWITCH_INTERVAL_S = 0.0005
"""How long a worker thread may keep the interpreter from the loop; Python's own is 5 ms, and the
loop asks for the interpreter again after every call into the kernel."""
YOUNG_OBJECTS = 10_000
"""How many new objects make the collector look at the young ones; Python's own is 2,000."""

_log = structlog.get_logger()


async def serve_rack(
    supervisor: Supervisor,
    *,
    board: RackBoard,
    admission: Admission,
    reloader: Reloader,
    notifier: Notifier,
    failed: Callable[[], None],
    hear: Hear,
    until_end: ExitStack,
) -> None:
    """Run all slots until SIGTERM, SIGINT or the end of a drain; open jobs are settled then.

    SIGHUP has the configuration read anew. `failed` counts what the watchers have missed. `hear`
    is in force until the end of `until_end`, so that no signal cuts short what is being settled or
    closed.
    """
    stopping = anyio.Event()

    def ended_tasks() -> list[str]:
        return [] if stopping.is_set() else list(supervisor.ended_tasks())

    # The watchers outlive the work, so that its end is watched as well.
    async with anyio.create_task_group() as watchers:
        async with anyio.create_task_group() as work:

            def stop() -> None:
                stopping.set()
                notifier.stopping()
                work.cancel_scope.cancel()

            until_end.enter_context(hear(signals_obeyed(stop, reloader.ask)))
            await work.start(supervisor.run)
            work.start_soon(reloader.run)
            work.start_soon(_stop_when_drained, admission, stop)
            watchers.start_soon(
                feed_watchdog, notifier, watchdog_interval_s(os.environ), ended_tasks
            )
            for follow in (
                lambda: follow_status(notifier, board, admission),
                lambda: log_problems(board),
            ):
                watchers.start_soon(keep_following, follow, failed)
            notifier.ready()
            _log.info("ready", slots=len(board.views()))
        watchers.cancel_scope.cancel()


def signals_obeyed(stop: Callable[[], None], reload: Callable[[], None]) -> Heard:
    """What each signal does; after the first that ends, none does anything."""
    stopping = False

    def heard(number: signal.Signals) -> bool:
        nonlocal stopping
        if stopping:
            _log.info("stopping_already", signal=number.name)
            return False
        if number is signal.SIGHUP:
            reload()
            return True
        _log.info("stopping", signal=number.name)
        stopping = True
        stop()
        return True

    return heard


async def _stop_when_drained(admission: Admission, stop: Callable[[], None]) -> None:
    await admission.drained()
    _log.info("drained")
    stop()


async def log_problems(board: RackBoard) -> None:
    """Log one line when a slot can't go on, one when it can again, until cancelled.

    What came and went between two looks isn't logged.
    """
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


def keep_responsive() -> None:
    """Call once everything long-lived is made: the collector never looks at that again.

    A full collection over some hundred thousand objects of modules and slots stops the loop for
    a tenth of a second.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
