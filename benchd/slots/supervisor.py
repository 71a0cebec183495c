"""Hands every plug event to the slot whose port it names, and keeps one task per slot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import anyio
import structlog
from anyio.abc import TaskGroup, TaskStatus

from benchd.domain.ids import PortPath, SlotName
from benchd.domain.port import Attached, PlugEvent
from benchd.domain.ports import HotplugSource
from benchd.domain.topology import SlotPlace, Topology
from benchd.slots.slot_dependencies import RackParts
from benchd.slots.slot_task import Slot

_log = structlog.get_logger()

HOTPLUG = "hotplug"
"""How the task that routes plug events is called among those that have ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotChanges:
    """What a new topology changes; a slot that is in none of them isn't touched."""

    added: tuple[SlotName, ...]
    removed: tuple[SlotName, ...]
    moved: tuple[SlotName, ...]
    """On another port: as a slot they begin anew."""
    other_recipe: tuple[SlotName, ...]
    """From their next job on."""


def changes_between(old: Topology, new: Topology) -> SlotChanges:
    """What is different, by slot."""
    both = [(old.places[name], place) for name, place in new.places.items() if name in old.places]
    moved = tuple(n.name for o, n in both if replace(o, recipe=n.recipe) != n)
    return SlotChanges(
        added=tuple(name for name in new.places if name not in old.places),
        removed=tuple(name for name in old.places if name not in new.places),
        moved=moved,
        other_recipe=tuple(n.name for o, n in both if o.recipe != n.recipe and n.name not in moved),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tended:
    """A slot with its task."""

    slot: Slot
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    ended: anyio.Event = field(default_factory=anyio.Event)


class Supervisor:
    """Runs all slots of a rack side by side."""

    def __init__(self, topology: Topology, parts: RackParts, hotplug: HotplugSource) -> None:
        self._topology = topology
        self._parts = parts
        self._hotplug = hotplug
        self._group: TaskGroup | None = None
        self._routing = False
        self._present: dict[PortPath, Attached] = {}
        self._tended: dict[SlotName, _Tended] = {
            place.name: _Tended(slot=Slot(place, parts)) for place in topology.places.values()
        }
        parts.readers.arrange(topology.places)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Runs until cancelled; started once the hot-plug source listens."""
        async with anyio.create_task_group() as self._group:
            for tended in self._tended.values():
                self._group.start_soon(_tend, tended)
            async with self._hotplug.events() as events:
                self._routing = True
                task_status.started()
                try:
                    async for event in events:
                        self._route(event)
                finally:
                    self._routing = False

    def ended_tasks(self) -> Sequence[str]:
        """Slots whose task has ended though nobody ended it, and HOTPLUG if nothing is routed."""
        ended = [str(name) for name, tended in self._tended.items() if tended.ended.is_set()]
        return ended if self._routing else [*ended, HOTPLUG]

    def attached(self, slot: SlotName) -> Attached | None:
        """What is in the port of this slot."""
        place = self._topology.places.get(slot)
        return None if place is None else self._present.get(place.port_path)

    async def reload(self, topology: Topology, parts: RackParts) -> SlotChanges:
        """Work as the new topology and parts say; returns once every change is in effect.

        A slot that is removed or moved settles its job first, which takes as long as a stop of
        the daemon. Jobs of all other slots go on. One call at a time.
        """
        if self._group is None:
            message = "a supervisor is reloaded while it runs"
            raise RuntimeError(message)
        changes = changes_between(self._topology, topology)
        self._topology, self._parts = topology, parts
        leaving = [self._tended.pop(name) for name in (*changes.removed, *changes.moved)]
        for tended in leaving:
            tended.slot.retire()
            tended.scope.cancel()
        for name, tended in self._tended.items():
            tended.slot.reassign(topology.places[name], parts)
        for tended in leaving:
            await tended.ended.wait()
        for name in (*changes.moved, *changes.added):
            self._begin(self._group, topology.places[name])
        parts.board.arrange(topology.places)
        parts.readers.arrange(topology.places)
        for port_path in self._present:
            unknown = topology.slot_at(port_path) is None
            parts.board.show_unknown_port(port_path, attached=unknown)
        return changes

    def _begin(self, group: TaskGroup, place: SlotPlace) -> None:
        """A slot of its own task, told what sits in its port already."""
        self._tended[place.name] = tended = _Tended(slot=Slot(place, self._parts))
        present = self._present.get(place.port_path)
        if present is not None:
            tended.slot.deliver(present)
        group.start_soon(_tend, tended)

    def _route(self, event: PlugEvent) -> None:
        attached = isinstance(event, Attached)
        if attached:
            self._present[event.port_path] = event
        else:
            self._present.pop(event.port_path, None)
        place = self._topology.slot_at(event.port_path)
        if place is None:
            self._unknown(event.port_path, attached=attached)
            return
        # A slot that is being changed is told what is there when it begins.
        tended = self._tended.get(place.name)
        if tended is not None:
            tended.slot.deliver(event)

    def _unknown(self, port_path: PortPath, *, attached: bool) -> None:
        if attached:
            _log.warning("unknown_port", port_path=port_path)
        self._parts.board.show_unknown_port(port_path, attached=attached)


async def _tend(tended: _Tended) -> None:
    try:
        with tended.scope:
            await tended.slot.run()
    finally:
        tended.ended.set()
