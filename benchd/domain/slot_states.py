"""The states of a slot, and which of them need a person."""

from __future__ import annotations

from enum import StrEnum


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
