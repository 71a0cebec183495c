"""What every true list of a system's nodes is: a tree of areas, with services in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from benchd.devices.felica.protocol.chip_errors import NodeListInvalid
from benchd.devices.felica.protocol.codes import ROOT, Area, Node, ordered, start_of

MOST_NODES: Final = 1024
"""Nodes of one system; the fullest handset that is known has fewer than 200."""


def check_tree(nodes: frozenset[Node]) -> None:
    """Raise NodeListInvalid unless the root area is there and holds a tree of all other nodes."""
    if ROOT not in nodes:
        raise NodeListInvalid("the root area isn't among the nodes")
    open_areas: list[Area] = []
    for node in ordered(nodes):
        while open_areas and open_areas[-1].end < start_of(node):
            open_areas.pop()
        if node != ROOT and not (open_areas and open_areas[-1].holds(node)):
            raise NodeListInvalid(f"{node.text} lies outside the area around it")
        if isinstance(node, Area):
            open_areas.append(node)


def without_repeats(nodes: Iterable[Node]) -> frozenset[Node]:
    """The nodes as a set; raises NodeListInvalid where one stands twice or there are too many."""
    seen: set[Node] = set()
    for node in nodes:
        if node in seen:
            raise NodeListInvalid(f"{node.text} stands twice")
        if len(seen) == MOST_NODES:
            raise NodeListInvalid(f"more than {MOST_NODES} nodes")
        seen.add(node)
    return frozenset(seen)
