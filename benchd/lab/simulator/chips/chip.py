"""One virtual FeliCa chip: frames in, frames or silence out. No I/O, no clock."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final

from benchd.lab.simulator.chips.chip_nodes import ChipSystemState, system_of
from benchd.lab.simulator.chips.chip_plan import ChipPlan
from benchd.lab.simulator.chips.commands import COMMANDS, POLLING, Fields, Silence, poll
from benchd.lab.simulator.chips.profiles import content_profile, ic_profile

SHORTEST_ANSWER_S: Final = 0.005
"""Polling with one slot takes 2.4 ms and guard times come on top."""
CLEARED: Final = "cleared"

_PMM_UNIT_S: Final = 256 * 16 / 13.56e6
# Which byte of PMm's last six limits a command's time; the rest is "other", the last one.
_TIMING: Final = {
    **dict.fromkeys((0x02, 0x0E, 0x1A, 0x32), 0),
    **dict.fromkeys((0x04, 0x0A, 0x0C, 0x3C, 0x3E), 1),
    0x06: 3,
}
_OTHER: Final = 5
_COUNT_AT: Final = 10
"""Where most commands that have a number of nodes have it: after length, code and IDm."""


class VirtualChip:
    """A chip with systems of their own IDm; `owner` makes it differ from all other chips."""

    def __init__(self, plan: ChipPlan, owner: str) -> None:
        self.plan = plan
        self.ic = ic_profile(plan.ic_type)
        self.locked = plan.silent or plan.retired
        self.powered_off = False
        """Whether the handset has switched it off with its NFC."""
        self.mode = 0
        self.clear_attempts = 0
        self.profile = plan.profile
        self.systems = _systems(plan.profile)
        self._owner = owner
        self._generation = 0

    @property
    def silent(self) -> bool:
        """Whether it answers nothing, whoever asks."""
        return self.locked or self.powered_off

    @property
    def primary_idm(self) -> bytes:
        """The first system's IDm, which any reader sees first."""
        return self.idm(self.systems[0])

    @property
    def node_count(self) -> int:
        """How many nodes are on it."""
        return sum(len(system.nodes) for system in self.systems)

    def idm(self, system: ChipSystemState) -> bytes:
        """System number, maker 0140 as on a published phone, and six bytes of its own."""
        own = hashlib.sha256(f"{self._owner}/{self._generation}".encode()).digest()[:6]
        return bytes([system.number << 4 | 0x01, 0x40]) + own

    def power_up(self) -> None:
        """Come into a reader's field."""
        self.mode = 0

    def become(self, profile: str) -> None:
        """Hold something else from now on."""
        self.profile = profile
        self.systems = _systems(profile)

    def lose_half(self) -> None:
        """Lose every second service, as a clear does that was broken off."""
        self.systems = tuple(
            replace(
                system,
                nodes=tuple(
                    node
                    for number, node in enumerate(system.nodes)
                    if node.last is not None or number % 2
                ),
            )
            for system in self.systems
        )

    def swap(self) -> None:
        """Be another chip with the same on it: every IDm changes."""
        self._generation += 1

    def answer(self, frame: bytes) -> bytes | None:
        """The response to one frame, both from the length byte on; None is silence."""
        if self.silent or len(frame) < 2 or frame[0] != len(frame):
            return None
        code = frame[1]
        if f"{code:02X}" not in self.ic.commands:
            return None
        try:
            body = self._body(code, Fields(frame[2:]))
        except Silence:
            return None
        return bytes([len(body) + 2, code + 1]) + body

    def answer_s(self, frame: bytes) -> float:
        """How long this chip takes for this frame: a share of what its PMm allows."""
        if len(frame) < 2 or frame[1] == POLLING:
            return SHORTEST_ANSWER_S
        place = _TIMING.get(frame[1], _OTHER)
        limit = bytes.fromhex(self.ic.pmm)[2 + place]
        count = frame[_COUNT_AT] if place == 0 and len(frame) > _COUNT_AT else 1
        fixed, each, exponent = (limit & 7) + 1, (limit >> 3 & 7) + 1, limit >> 6
        longest_s = _PMM_UNIT_S * (each * count + fixed) * 4**exponent
        return max(SHORTEST_ANSWER_S, self.ic.share_of_pmm * longest_s)

    def _body(self, code: int, fields: Fields) -> bytes:
        if code == POLLING:
            return poll(self, fields)
        idm = fields.take(8)
        for system in self.systems:
            if self.idm(system) == idm:
                return idm + COMMANDS[code](self, system, fields)
        raise Silence


def _systems(profile: str) -> tuple[ChipSystemState, ...]:
    return tuple(system_of(each) for each in content_profile(profile).systems)
