"""The event stream: every slot once, then each change, until the server stops."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable, Iterator

import anyio
from fastapi.sse import format_sse_event

from benchd.domain.errand import Errand
from benchd.domain.ids import PortPath, SlotName
from benchd.domain.slot import ProblemView
from benchd.slots.board import RackBoard
from benchd.web.event_frames import Frames
from benchd.web.queue_view import QueueDesk

RECONNECT_AFTER_MS = 2000
ALIVE_EVERY_S = 4.0
"""A page that hears nothing for some of these knows that what it shows may be old."""
PIECE_BYTES = 64 * 1024
"""A turn goes out in pieces of some such size, each a send to this one screen."""


class Telling:
    """What one screen has been told so far."""

    def __init__(self, board: RackBoard, frames: Frames) -> None:
        self._board = board
        self._frames = frames
        self._slots: dict[SlotName, bytes] = {}
        self.slots: list[SlotName] = []
        self._ports: tuple[PortPath, ...] | None = None
        self._notices: tuple[ProblemView, ...] = ()
        self._errands: tuple[Errand, ...] | None = None

    def board(self) -> Iterator[bytes]:
        """What the board shows and this screen doesn't yet."""
        views = self._board.views()
        for name, view in views.items():
            frame = self._frames.slot(view)
            if self._slots.get(name) is not frame:
                self._slots[name] = frame
                yield frame
        self.slots = list(views)
        ports = self._board.unknown_ports()
        if ports != self._ports:
            self._ports = ports
            yield self._frames.unknown_ports(ports)
        notices = self._board.notices()
        if notices != self._notices:
            self._notices = notices
            yield self._frames.notices(notices)

    def queue(self, errands: tuple[Errand, ...]) -> Iterator[bytes]:
        """The queue, if it is another."""
        if errands is not self._errands and errands != self._errands:
            yield self._frames.queue(errands)
        self._errands = errands


async def rack_events(
    board: RackBoard,
    frames: Frames,
    queue: QueueDesk,
    stopping: anyio.Event,
    interval_s: Callable[[], float],
) -> AsyncGenerator[bytes]:
    """`slot` events carry a slot object, `unknown_ports` events the whole list of them.

    `notices` events carry all that is the matter with the rack as a whole, once anything is, and
    `queue` events everything that people have to do next.
    An `alive` event says that all there is has been told by now: once there are other slots, and
    again and again.

    A watcher that is slow misses steps, never the last one: the board is read again, after
    `interval_s` at the earliest.
    """
    yield format_sse_event(comment="benchd", retry=RECONNECT_AFTER_MS)
    telling = Telling(board, frames)
    alive_due = -math.inf
    slots: list[SlotName] = []
    while not stopping.is_set():
        version = board.version
        piece: list[bytes] = []
        size_bytes = 0
        for frame in telling.board():
            piece.append(frame)
            size_bytes += len(frame)
            if size_bytes >= PIECE_BYTES:
                yield b"".join(piece)
                piece, size_bytes = [], 0
        piece += telling.queue(await queue.errands())
        if telling.slots != slots or anyio.current_time() >= alive_due:
            alive_due = anyio.current_time() + ALIVE_EVERY_S
            slots = telling.slots
            piece.append(frames.alive(slots))
        if piece:
            yield b"".join(piece)
        with anyio.move_on_after(interval_s()):
            await stopping.wait()
        if board.version == version:
            with anyio.move_on_after(max(0.0, alive_due - anyio.current_time())):
                await _changed_or_stopping(board, version, stopping)


async def _changed_or_stopping(board: RackBoard, version: int, stopping: anyio.Event) -> None:
    async with anyio.create_task_group() as group:

        async def stop_waiting() -> None:
            await stopping.wait()
            group.cancel_scope.cancel()

        group.start_soon(stop_waiting)
        await board.changed(version)
        group.cancel_scope.cancel()
