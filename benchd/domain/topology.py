"""Which USB port is which slot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from benchd.domain.ids import PortPath, SlotName


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPlace:
    """One slot as the configuration places it."""

    name: SlotName
    port_path: PortPath
    recipe: str


class Topology:
    """All slots of the rack, found by name or by port; each has a port of its own."""

    def __init__(self, places: Mapping[SlotName, SlotPlace]) -> None:
        self.places: Mapping[SlotName, SlotPlace] = MappingProxyType(dict(places))
        self._by_port = {place.port_path: place for place in places.values()}
        if len(self._by_port) != len(self.places):
            message = "two slots share a port"
            raise ValueError(message)

    def slot_at(self, port_path: PortPath) -> SlotPlace | None:
        """The slot of a port, or None for a port that isn't configured."""
        return self._by_port.get(port_path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How patient the slots are, in seconds."""

    debounce_s: float = 2.0
    """A handset may enumerate several times after a plug (charging, MTP, MTP with adb)."""
    closing_s: float = 10.0
    """How long the last records of an occupancy may take when everything is being stopped."""
