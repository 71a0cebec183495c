"""Codes of systems, areas and services: how they stand on the wire and in text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ROOT_START: Final = 0x0000
ROOT_END: Final = 0xFFFE
WILDCARD: Final = 0xFFFF
"""System code that every chip answers; also the code of a system that was never set up."""


def system_text(code: int) -> str:
    """A system code as four hex digits."""
    return f"{code:04X}"


def little_endian(value: int) -> bytes:
    """A node code, index or count of two bytes as it stands on the wire."""
    return value.to_bytes(2, "little")


def little_endians(data: bytes) -> tuple[int, ...]:
    """Values of two bytes each; the data's length is even."""
    return tuple(int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2))


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Area:
    """A range of node codes that belongs to one owner."""

    start: int
    end: int

    @property
    def text(self) -> str:
        """The area as `0000-FFFE`."""
        return f"{self.start:04X}-{self.end:04X}"

    def holds(self, node: Node) -> bool:
        """Whether the node lies in this area."""
        if isinstance(node, Area):
            return self.start <= node.start and node.end <= self.end
        return self.start <= node.code <= self.end


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Service:
    """A node with blocks; the low six bits of its code tell how it is accessed."""

    code: int

    @property
    def text(self) -> str:
        """The service as `090F`."""
        return f"{self.code:04X}"


Node = Area | Service
ROOT: Final = Area(start=ROOT_START, end=ROOT_END)


def names_area(code: int) -> bool:
    """Whether a code is an area's first one: its low six bits are 00 or 01, a service's never."""
    return code & 0x3F <= 1


def start_of(node: Node) -> int:
    """The code that names a node on the wire."""
    return node.start if isinstance(node, Area) else node.code


def read_node(text: str) -> Node:
    """A node from its text; ValueError where it isn't one in its one spelling."""
    start, dash, end = text.partition("-")
    node = Area(start=_hex(start), end=_hex(end)) if dash else Service(code=_hex(start))
    if node.text != text or names_area(start_of(node)) != isinstance(node, Area):
        raise ValueError(text)
    if isinstance(node, Area) and node.start > node.end:
        raise ValueError(text)
    return node


def read_system(text: str) -> int:
    """A system code from its four hex digits; ValueError where they aren't."""
    code = _hex(text)
    if system_text(code) != text:
        raise ValueError(text)
    return code


def ordered(nodes: frozenset[Node]) -> tuple[Node, ...]:
    """Nodes by their codes, an area before what it holds."""
    return tuple(sorted(nodes, key=_place))


def _place(node: Node) -> tuple[int, int]:
    return (node.start, -node.end) if isinstance(node, Area) else (node.code, 0)


def _hex(digits: str) -> int:
    if len(digits) != 4:
        raise ValueError(digits)
    return int(digits, 16)
