"""Systems and nodes of a virtual chip.

A service code is a number with a six-bit attribute below it; an odd one is readable without a
key. An area goes from its own code to its last one. Source: JIS X 6319-4 and public analyses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benchd.lab.simulator.chips.profiles import SystemProfile

BLOCK_BYTES: Final = 16
ABSENT: Final = 0xFFFF
_BLOCKS_OF_KIND: Final = {0x08: 2, 0x0C: 10, 0x10: 1, 0x14: 1}
_HISTORY: Final = (0x0003, 0x090F)
_HISTORY_BLOCKS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An area, or a service where `last` is None."""

    code: int
    last: int | None
    blocks: int

    @property
    def open(self) -> bool:
        """Whether it can be read without a key."""
        return self.last is None and self.code & 1 == 1

    @property
    def wire(self) -> bytes:
        """As Search Service Code gives it: two bytes, four for an area, little-endian."""
        code = self.code.to_bytes(2, "little")
        return code if self.last is None else code + self.last.to_bytes(2, "little")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipSystemState:
    """One system as it is now; its nodes by code, areas before what is in them."""

    code: int
    number: int
    nodes: tuple[Node, ...]

    def node(self, code: int) -> Node | None:
        """The node with this code."""
        return next((node for node in self.nodes if node.code == code), None)

    def below(self, code: int) -> tuple[Node, ...]:
        """An area and everything in it; nothing where there is no such area."""
        area = self.node(code)
        if area is None or area.last is None:
            return ()
        return tuple(
            node
            for node in self.nodes
            if area.code <= node.code and (node.last or node.code) <= area.last
        )


def system_of(profile: SystemProfile) -> ChipSystemState:
    """A system as the profile has it."""
    system = int(profile.code, 16)
    nodes = sorted(
        (_node(system, text) for text in profile.nodes),
        key=lambda node: (node.code, -(node.last or 0)),
    )
    return ChipSystemState(code=system, number=profile.number, nodes=tuple(nodes))


def _node(system: int, text: str) -> Node:
    first, _, last = text.partition("-")
    code = int(first, 16)
    if last:
        return Node(code=code, last=int(last, 16), blocks=0)
    kind = code & 0x1C
    blocks = _HISTORY_BLOCKS if (system, code) == _HISTORY else _BLOCKS_OF_KIND[kind]
    return Node(code=code, last=None, blocks=blocks)
