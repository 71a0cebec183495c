"""A loop that can run out of descriptors, as a process can."""

from __future__ import annotations

from typing import Final

from benchd.lab.adversity.virtual_time import VirtualLoop

ENOUGH_DESCRIPTORS: Final = 4096


class BoundedLoop(VirtualLoop):
    """A virtual loop that counts its open connections."""

    def __init__(self) -> None:
        super().__init__()
        self.descriptors = ENOUGH_DESCRIPTORS
        """How many connections it may have open."""
        self.open_connections = 0
