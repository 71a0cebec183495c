"""One look at a whole chip: all its systems, each with its nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from benchd.devices.felica.protocol.chip_errors import FrameInvalid
from benchd.devices.felica.protocol.chip_requests import Talk, listed_but_silent
from benchd.devices.felica.protocol.codes import WILDCARD, system_text
from benchd.devices.felica.protocol.node_lists import RequestSystemCode
from benchd.devices.felica.protocol.polling import Poll
from benchd.devices.felica.verdict.node_listing import SystemNodes, list_nodes
from benchd.devices.felica.verdict.nodes import NodeCatalogue

SCAN_SET: Final = (WILDCARD, 0xFE00, 0x0003, 0xFE0F, 0x8008)
"""Systems that have been seen on handsets; the chip's own list comes on top."""
_MOST_SYSTEMS: Final = 16
"""An IDm has four bits for the number of a system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipNodes:
    """What one look has shown."""

    chip: bytes
    """The chip's IDm without the number of a system."""
    ic_type: int
    systems: Mapping[int, SystemNodes]


def list_chip(talk: Talk, catalogue: NodeCatalogue) -> ChipNodes | None:
    """The chip in the field, or None where nothing has answered at all.

    Raises a ChipFault for whatever answers in another way than one handset's chip does.
    """
    polls = {system: talk.find(system) for system in SCAN_SET}
    answers = [poll for poll in polls.values() if poll is not None]
    if not answers:
        return None
    found = _systems(talk, polls)
    systems = {
        system: list_nodes(talk, poll, catalogue.nodes(system)) for system, poll in found.items()
    }
    talk.still_there()
    return ChipNodes(
        chip=answers[0].chip,
        ic_type=answers[0].ic_type,
        systems=MappingProxyType(dict(sorted(systems.items()))),
    )


def _systems(talk: Talk, polls: Mapping[int, Poll | None]) -> dict[int, Poll]:
    """Every system of the chip by its code, each with an IDm of its own."""
    found: dict[int, Poll] = {}
    for asked, poll in polls.items():
        if poll is None:
            continue
        if asked != WILDCARD:
            _take(found, asked, poll)
        elif poll.extra is not None:
            _take(found, poll.extra, poll)
    anyone = next(poll for poll in polls.values() if poll is not None)
    for number, system in enumerate(talk.ask(anyone, RequestSystemCode(idm=anyone.idm))):
        if system in found:
            continue
        poll = _numbered(anyone, number) if system == WILDCARD else talk.find(system)
        if poll is None:
            raise listed_but_silent(system)
        _take(found, system, poll)
    return found


def _numbered(anyone: Poll, number: int) -> Poll:
    """The system with this number on the chip: FFFF can't be polled, it stands for every one.

    Source: EWTJ680H technical manual, page 58: the high nibble of an IDm is the number.
    """
    idm = bytes((number % _MOST_SYSTEMS << 4 | anyone.chip[0],)) + anyone.chip[1:]
    return replace(anyone, idm=idm, extra=None)


def _take(found: dict[int, Poll], system: int, poll: Poll) -> None:
    if poll.extra not in {None, system}:
        raise FrameInvalid(f"another system answers for {system_text(system)}")
    for other, known in found.items():
        if (other == system) != (known.idm == poll.idm):
            raise FrameInvalid(
                f"systems {system_text(other)} and {system_text(system)} don't have an IDm each"
            )
    found[system] = poll
