"""What the event stream tells, as bytes: made once for all screens that may see the same."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import anyio
from fastapi.sse import format_sse_event

from benchd.domain.errand import Errand
from benchd.domain.ids import JsonValue, PortPath, SlotName
from benchd.domain.slot import ProblemView, SlotView
from benchd.slots.board import RackBoard
from benchd.web.present import Presenter
from benchd.web.queue_view import QueueObject
from benchd.web.slot_cache import KeptSlots

SAME_MOMENT_S: Final = 0.1
"""For how long a queue may be told again: it says what time it is on the rack."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoardFrames:
    """What the board showed at one moment."""

    version: int
    made_at: float
    slots: Mapping[SlotName, bytes]
    ports: tuple[PortPath, ...]
    notices: tuple[ProblemView, ...]


class Frames:
    """The events for one sight. A frame that says the same is the same object."""

    def __init__(
        self,
        presenter: Presenter,
        slots: KeptSlots,
        queue_object: Callable[[tuple[Errand, ...]], QueueObject],
    ) -> None:
        """`slots` and `queue_object` leave out what this sight doesn't reach."""
        self._presenter = presenter
        self._kept = slots
        self._queue_object = queue_object
        self._slots: dict[SlotName, tuple[str, bytes]] = {}
        self._board: BoardFrames | None = None
        self._queue: tuple[tuple[Errand, ...], bytes] = (), b""
        self._queue_at = -math.inf

    def board(self, board: RackBoard, within_s: float) -> BoardFrames:
        """All slots and what is beside them, as they are now or were so shortly before."""
        now, made = anyio.current_time(), self._board
        if made is None or now - made.made_at > within_s:
            made = self._board = BoardFrames(
                version=board.version,
                made_at=now,
                slots={name: self.slot(view) for name, view in board.views().items()},
                ports=board.unknown_ports(),
                notices=board.notices(),
            )
        return made

    def slot(self, view: SlotView) -> bytes:
        """A `slot` event."""
        told = self._kept.slot(view)
        kept = self._slots.get(view.slot)
        if kept is None or kept[0] is not told:
            kept = self._slots[view.slot] = told, format_sse_event(event="slot", data_str=told)
        return kept[1]

    def queue(self, errands: tuple[Errand, ...], within_s: float = 0.0) -> bytes:
        """A `queue` event, which may say what time it was so shortly before."""
        now = anyio.current_time()
        is_old = now >= self._queue_at + max(SAME_MOMENT_S, within_s)
        if self._queue[0] is not errands or is_old:
            told = self._queue_object(errands).model_dump_json()
            self._queue = errands, format_sse_event(event="queue", data_str=told)
            self._queue_at = now
        return self._queue[1]

    def unknown_ports(self, ports: tuple[PortPath, ...]) -> bytes:
        """An `unknown_ports` event."""
        listed = [self._presenter.unknown_port(port).model_dump(mode="json") for port in ports]
        return _frame("unknown_ports", listed)

    def notices(self, notices: tuple[ProblemView, ...]) -> bytes:
        """A `notices` event."""
        listed = [self._presenter.problem(view).model_dump(mode="json") for view in notices]
        return _frame("notices", listed)

    def alive(self, slots: list[SlotName]) -> bytes:
        """An `alive` event."""
        return _frame("alive", {"slots": list(slots)})


def _frame(event: str, told: JsonValue) -> bytes:
    return format_sse_event(event=event, data_str=json.dumps(told))
