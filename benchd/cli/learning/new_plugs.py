"""Tells a handset that somebody has plugged in from one that was there or came back. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchd.domain.ids import PortPath
from benchd.domain.port import SMART_CARD_CLASS, Attached, PlugEvent

RETURN_S: Final = 3.0
"""A handset that changes its mode enumerates anew, in less than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugged:
    """Something came to a port that was empty."""

    port_path: PortPath
    too_soon: bool
    """Whether the port was in use so shortly before that it may have enumerated anew."""


class NewPlugs:
    """Follows all ports."""

    def __init__(self, clock: Callable[[], float], *, return_s: float = RETURN_S) -> None:
        """`clock` counts seconds and never goes back."""
        self._clock = clock
        self._return_s = return_s
        self._present: set[PortPath] = set()
        self._left_at: dict[PortPath, float] = {}

    @property
    def present(self) -> frozenset[PortPath]:
        """The ports in use."""
        return frozenset(self._present)

    def hear(self, event: PlugEvent) -> Plugged | None:
        """What the event says of a port that was empty; None for all others, and for readers."""
        port = event.port_path
        if not isinstance(event, Attached):
            if port in self._present:
                self._present.remove(port)
                self._left_at[port] = self._clock()
            return None
        known = port in self._present
        if known or any(kind.startswith(SMART_CARD_CLASS) for kind in event.interfaces):
            return None
        self._present.add(port)
        left_at = self._left_at.get(port)
        too_soon = left_at is not None and self._clock() - left_at < self._return_s
        return Plugged(port_path=port, too_soon=too_soon)
