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
from benchd.web.event_frames import BoardFrames, Frames
from benchd.web.queue_view import QueueDesk

RECONNECT_AFTER_MS = 2000
ALIVE_EVERY_S = 4.0
"""A page that hears nothing for some of these knows that what it shows may be old."""
PIECE_BYTES = 64 * 1024
"""A turn goes out in pieces of some such size, each a send to this one screen."""
SHARED_PART = 0.25
"""Which part of a screen's interval what it is told may be old, since another was told it then."""


class Telling:
    """What one screen has been told so far."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._board: BoardFrames | None = None
        self._slots: dict[SlotName, bytes] = {}
        self.slots: list[SlotName] = []
        self._ports: tuple[PortPath, ...] | None = None
        self._notices: tuple[ProblemView, ...] = ()
        self._errands: tuple[Errand, ...] | None = None

    def board(self, board: BoardFrames) -> Iterator[bytes]:
        """What the board shows and this screen doesn't yet."""
        if board is self._board:
            return
        self._board = board
        for name, frame in board.slots.items():
            if self._slots.get(name) is not frame:
                self._slots[name] = frame
                yield frame
        self.slots = list(board.slots)
        if board.ports != self._ports:
            self._ports = board.ports
            yield self._frames.unknown_ports(board.ports)
        if board.notices != self._notices:
            self._notices = board.notices
            yield self._frames.notices(board.notices)

    def queue(self, errands: tuple[Errand, ...], within_s: float) -> Iterator[bytes]:
        """The queue, if it is another."""
        if errands is not self._errands and errands != self._errands:
            yield self._frames.queue(errands, within_s)
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
    `interval_s` at the earliest. What another has been told shortly before is told again, or each
    of many watchers would have everything made anew while the rack changes all the time.
    """
    yield format_sse_event(comment="benchd", retry=RECONNECT_AFTER_MS)
    telling = Telling(frames)
    alive_due = -math.inf
    slots: list[SlotName] = []
    while not stopping.is_set():
        within_s = SHARED_PART * interval_s()
        shown = frames.board(board, within_s)
        piece: list[bytes] = []
        size_bytes = 0
        for frame in telling.board(shown):
            piece.append(frame)
            size_bytes += len(frame)
            if size_bytes >= PIECE_BYTES:
                yield b"".join(piece)
                piece, size_bytes = [], 0
        made = await queue.made(within_s)
        piece += telling.queue(made.errands, within_s)
        if telling.slots != slots or anyio.current_time() >= alive_due:
            alive_due = anyio.current_time() + ALIVE_EVERY_S
            slots = telling.slots
            piece.append(frames.alive(slots))
        if piece:
            yield b"".join(piece)
        with anyio.move_on_after(interval_s()):
            await stopping.wait()
        version = min(shown.version, made.version)
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
