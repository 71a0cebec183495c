"""All nodes of one system, by the best commands that its chip knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benchd.devices.felica.protocol.chip_errors import NodeListInvalid, StatusRefused
from benchd.devices.felica.protocol.chip_frames import MOST_NODES as MOST_ASKED
from benchd.devices.felica.protocol.chip_requests import Talk
from benchd.devices.felica.protocol.codes import ROOT, ROOT_START, Node, start_of
from benchd.devices.felica.protocol.generation import lists_codes
from benchd.devices.felica.protocol.node_facts import RequestService
from benchd.devices.felica.protocol.node_lists import (
    CodeListPacket,
    RequestCodeList,
    SearchServiceCode,
)
from benchd.devices.felica.protocol.polling import Poll
from benchd.devices.felica.protocol.tree import MOST_NODES, check_tree, without_repeats

_MOST_PACKETS: Final = 64
_SHORT_LIST: Final = 64
"""A list of at most so many nodes could be an unused chip's, and is asked for in a second way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemNodes:
    """The nodes of one system."""

    nodes: frozenset[Node]
    complete: bool
    """Whether the chip can't have any others."""


def list_nodes(talk: Talk, poll: Poll, known: tuple[Node, ...]) -> SystemNodes:
    """What the system that `poll` found has; `known` is what to ask a chip for that can't list.

    Raises a ChipFault where the answers aren't a tree of nodes that ends.
    """
    listed = _code_list(talk, poll) if lists_codes(poll.ic_type) else None
    if listed is not None and len(listed) > _SHORT_LIST:
        return SystemNodes(nodes=listed, complete=False)
    searched = _search(talk, poll)
    if listed is None and searched is None:
        return SystemNodes(nodes=_present(talk, poll, known), complete=False)
    nodes = (listed or frozenset()) | (searched or frozenset())
    check_tree(nodes)
    # An application of the chip's maker, too, takes a list of the root area alone for whole.
    only_root = len(nodes) == 1
    return SystemNodes(nodes=nodes, complete=searched is not None or only_root)


def _code_list(talk: Talk, poll: Poll) -> frozenset[Node] | None:
    """The list of the root area; None where the chip doesn't give one at all."""
    try:
        first = talk.ask_if_known(poll, RequestCodeList(idm=poll.idm, parent=ROOT_START, index=0))
    except StatusRefused:
        return None
    if first is None:
        return None
    nodes = without_repeats(_packets(talk, poll, first))
    check_tree(nodes)
    return nodes


def _packets(talk: Talk, poll: Poll, first: CodeListPacket) -> Iterator[Node]:
    packet = first
    for index in range(1, _MOST_PACKETS + 1):
        # Sources differ on whether packets count from 0 or from 1: a chip that counts from 1
        # may give the first one for both.
        if index != 2 or packet != first:
            yield from (*packet.areas, *packet.services)
        if not packet.more:
            return
        if not packet.areas and not packet.services:
            raise NodeListInvalid("a part of the list of nodes is empty")
        packet = talk.ask(poll, RequestCodeList(idm=poll.idm, parent=ROOT_START, index=index))
    raise NodeListInvalid(f"the list of nodes goes on after {_MOST_PACKETS} parts")


def _search(talk: Talk, poll: Poll) -> frozenset[Node] | None:
    """Node by node; None where the chip doesn't know the command."""
    first = talk.ask_if_known(poll, SearchServiceCode(idm=poll.idm, index=0))
    if first is None:  # also where the chip says that it has no node at all: it has a root area
        return None
    return without_repeats(_found(talk, poll, first))


def _found(talk: Talk, poll: Poll, first: Node) -> Iterator[Node]:
    node: Node | None = first
    for index in range(1, MOST_NODES + 2):
        if node is None:
            return
        yield node
        node = talk.ask(poll, SearchServiceCode(idm=poll.idm, index=index))
    raise NodeListInvalid(f"the search goes on after {MOST_NODES} nodes")


def _present(talk: Talk, poll: Poll, known: tuple[Node, ...]) -> frozenset[Node]:
    """Which of the known nodes the chip has, and the root area, that every system has."""
    asked = (ROOT, *(node for node in known if node != ROOT))
    present: set[Node] = set()
    for at in range(0, len(asked), MOST_ASKED):
        part = asked[at : at + MOST_ASKED]
        request = RequestService(idm=poll.idm, nodes=tuple(map(start_of, part)))
        versions = talk.ask(poll, request)
        present.update(
            node for node, version in zip(part, versions, strict=True) if version is not None
        )
    if ROOT not in present:
        raise NodeListInvalid("the chip denies its root area")
    return frozenset(present)
