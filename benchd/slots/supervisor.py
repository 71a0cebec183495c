"""Hands every plug event to the slot whose port it names."""

from __future__ import annotations

from collections.abc import Mapping

import anyio
import structlog
from anyio.abc import TaskStatus

from benchd.model import Attached, PortPath, SlotName
from benchd.ports import HotplugSource
from benchd.slots.parts import RackParts
from benchd.slots.slot import Slot
from benchd.slots.topology import Topology

_log = structlog.get_logger()


class Supervisor:
    """Runs all slots of a rack side by side."""

    def __init__(self, topology: Topology, parts: RackParts, hotplug: HotplugSource) -> None:
        self._topology = topology
        self._parts = parts
        self._hotplug = hotplug
        self._slots: Mapping[SlotName, Slot] = {
            name: Slot(place, parts) for name, place in topology.places.items()
        }

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Runs until cancelled; started once the hot-plug source listens."""
        async with anyio.create_task_group() as group:
            for slot in self._slots.values():
                group.start_soon(slot.run)
            async with self._hotplug.events() as events:
                task_status.started()
                async for event in events:
                    place = self._topology.slot_at(event.port_path)
                    if place is not None:
                        self._slots[place.name].deliver(event)
                    else:
                        self._unknown(event.port_path, attached=isinstance(event, Attached))

    def _unknown(self, port_path: PortPath, *, attached: bool) -> None:
        if attached:
            _log.warning("unknown_port", port_path=port_path)
        self._parts.board.show_unknown_port(port_path, attached=attached)
