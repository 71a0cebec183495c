"""The event stream: every slot once, then each change, until the server stops."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable

import anyio
from fastapi.sse import ServerSentEvent

from benchd.web.objects import WebObject
from benchd.web.present import Presenter
from benchd.web.queue import QueueDesk, QueueObject
from benchd.web.service import WatchedBoard
from benchd.words.errand import Errand
from benchd.words.ids import PortPath, SlotName
from benchd.words.slot import ProblemView, SlotView

RECONNECT_AFTER_MS = 2000
ALIVE_EVERY_S = 4.0
"""A page that hears nothing for some of these knows that what it shows may be old."""
SHORTEST_INTERVAL_S = 0.1
"""Progress of many slots comes in bursts; a page needs no more than ten looks a second."""


async def rack_events(
    board: WatchedBoard,
    presenter: Presenter,
    slot_object: Callable[[SlotView], WebObject],
    queue: QueueDesk,
    queue_object: Callable[[tuple[Errand, ...]], QueueObject],
    stopping: anyio.Event,
) -> AsyncIterator[ServerSentEvent]:
    """`slot` events carry a slot object, `unknown_ports` events the whole list of them.

    `notices` events carry all that is the matter with the rack as a whole, once anything is, and
    `queue` events everything that people have to do next.
    An `alive` event says that all there is has been told by now, and comes again and again.

    A watcher that is slow misses steps, never the last one: the board is read again.
    """
    yield ServerSentEvent(comment="benchd", retry=RECONNECT_AFTER_MS)
    shown: dict[SlotName, SlotView] = {}
    shown_ports: tuple[PortPath, ...] | None = None
    shown_notices: tuple[ProblemView, ...] = ()
    shown_errands: tuple[Errand, ...] | None = None
    alive_due = -math.inf
    while not stopping.is_set():
        version = board.version
        for name, view in board.views().items():
            if shown.get(name) != view:
                shown[name] = view
                yield ServerSentEvent(event="slot", data=slot_object(view))
        ports = board.unknown_ports()
        if ports != shown_ports:
            shown_ports = ports
            listed = [presenter.unknown_port(port) for port in ports]
            yield ServerSentEvent(event="unknown_ports", data=listed)
        notices = board.notices()
        if notices != shown_notices:
            shown_notices = notices
            yield ServerSentEvent(
                event="notices", data=[presenter.problem(view) for view in notices]
            )
        errands = await queue.errands()
        if errands != shown_errands:
            shown_errands = errands
            yield ServerSentEvent(event="queue", data=queue_object(errands))
        if anyio.current_time() >= alive_due:
            alive_due = anyio.current_time() + ALIVE_EVERY_S
            yield ServerSentEvent(event="alive", data={"slots": list(board.views())})
        with anyio.move_on_after(SHORTEST_INTERVAL_S):
            await stopping.wait()
        with anyio.move_on_after(max(0.0, alive_due - anyio.current_time())):
            await _changed_or_stopping(board, version, stopping)


async def _changed_or_stopping(board: WatchedBoard, version: int, stopping: anyio.Event) -> None:
    async with anyio.create_task_group() as group:

        async def stop_waiting() -> None:
            await stopping.wait()
            group.cancel_scope.cancel()

        group.start_soon(stop_waiting)
        await board.changed(version)
        group.cancel_scope.cancel()
