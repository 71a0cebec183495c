"""What a slot is doing, and from which state it may go to which."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class SlotState(StrEnum):
    """What a slot is doing, as the wall shows it."""

    EMPTY = "empty"
    SETTLING = "settling"
    WAITING = "waiting"
    RUNNING = "running"
    AWAITING_OPERATOR = "awaiting_operator"
    REPLUGGING = "replugging"
    FINISHED = "finished"
    QUARANTINED = "quarantined"


NEEDS_A_PERSON = frozenset({SlotState.WAITING, SlotState.AWAITING_OPERATOR, SlotState.QUARANTINED})
"""Where nothing happens until somebody comes."""

SLOT_MOVES: Mapping[SlotState, frozenset[SlotState]] = MappingProxyType(
    {
        SlotState.EMPTY: frozenset({SlotState.SETTLING}),
        SlotState.SETTLING: frozenset(
            {SlotState.EMPTY, SlotState.WAITING, SlotState.RUNNING, SlotState.FINISHED}
        ),
        SlotState.WAITING: frozenset(
            {SlotState.EMPTY, SlotState.SETTLING, SlotState.RUNNING, SlotState.FINISHED}
        ),
        SlotState.RUNNING: frozenset(
            {
                SlotState.AWAITING_OPERATOR,
                SlotState.REPLUGGING,
                SlotState.WAITING,
                SlotState.FINISHED,
                SlotState.EMPTY,
            }
        ),
        SlotState.AWAITING_OPERATOR: frozenset(
            {SlotState.RUNNING, SlotState.REPLUGGING, SlotState.FINISHED, SlotState.EMPTY}
        ),
        SlotState.REPLUGGING: frozenset(
            {SlotState.RUNNING, SlotState.AWAITING_OPERATOR, SlotState.FINISHED, SlotState.EMPTY}
        ),
        SlotState.FINISHED: frozenset({SlotState.EMPTY}),
        SlotState.QUARANTINED: frozenset({SlotState.EMPTY}),
    }
)
"""Allowed moves; every state may also go to QUARANTINED, which only an unplug leaves."""
