"""The daemon's life as a service: ready, reloads, drain, watchdog, and an end that settles all."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import anyio
import structlog
from anyio.abc import TaskStatus

from benchd.daemon.notify import Notifier, watchdog_interval_s
from benchd.daemon.problem_log import log_problems
from benchd.daemon.reload import Reloader
from benchd.daemon.watchdog import feed_watchdog, follow_status
from benchd.observe.announcing import keep_following
from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard
from benchd.slots.supervisor import Supervisor

_log = structlog.get_logger()

OBEYED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


async def serve_rack(
    supervisor: Supervisor,
    *,
    board: RackBoard,
    admission: Admission,
    reloader: Reloader,
    notifier: Notifier,
    failed: Callable[[], None],
    until_end: ExitStack,
) -> None:
    """Run all slots until SIGTERM, SIGINT or the end of a drain; open jobs are settled then.

    SIGHUP has the configuration read anew. `failed` counts what the watchers have missed. Signals
    are heard until the end of `until_end`, so that none cuts short what is being settled or closed.
    """
    stopping = anyio.Event()

    def ended_tasks() -> list[str]:
        return [] if stopping.is_set() else list(supervisor.ended_tasks())

    def note() -> str:
        return ", ending after the running jobs" if admission.closed else ""

    # The watchers outlive the work, so that its end is watched as well.
    async with anyio.create_task_group() as watchers:
        async with anyio.create_task_group() as work:

            def stop() -> None:
                stopping.set()
                notifier.stopping()
                work.cancel_scope.cancel()

            await watchers.start(_obey_signals, stop, reloader.ask, until_end)
            await work.start(supervisor.run)
            work.start_soon(reloader.run)
            work.start_soon(_stop_when_drained, admission, stop)
            watchers.start_soon(
                feed_watchdog, notifier, watchdog_interval_s(os.environ), ended_tasks
            )
            for follow in (
                lambda: follow_status(notifier, board, note),
                lambda: log_problems(board),
            ):
                watchers.start_soon(keep_following, follow, failed)
            notifier.ready()
            _log.info("ready", slots=len(board.views()))
        watchers.cancel_scope.cancel()


def keep_exit_code() -> None:
    """Ignore what has been obeyed so far, for a process that has nothing left to settle.

    A signal that comes while it exits would tell whoever reads its exit code that it was killed.
    """
    for number in OBEYED:
        signal.signal(number, signal.SIG_IGN)


async def _obey_signals(
    stop: Callable[[], None],
    reload: Callable[[], None],
    until_end: ExitStack,
    *,
    task_status: TaskStatus[None],
) -> None:
    # One that nobody heard any more would end the process in the middle of a job's last record.
    signals = until_end.enter_context(anyio.open_signal_receiver(*OBEYED))
    task_status.started()
    stopping = False
    async for number in signals:
        if stopping:
            _log.info("stopping_already", signal=number.name)
        elif number is signal.SIGHUP:
            reload()
        else:
            _log.info("stopping", signal=number.name)
            stopping = True
            stop()


async def _stop_when_drained(admission: Admission, stop: Callable[[], None]) -> None:
    await admission.drained()
    _log.info("drained")
    stop()
