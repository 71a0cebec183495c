"""What a clear makes of a virtual chip, and what is said about it, which need not be the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from benchd.domain.clear_provider import ClearOutcome
from benchd.lab.simulator.chips.chip import CLEARED, VirtualChip
from benchd.lab.simulator.chips.chip_plan import ClearStory


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is claimed of a clear; codes as the handset's own function gives them."""

    outcome: ClearOutcome
    code: str
    detail: str


_DONE = Said(outcome=ClearOutcome.DONE, code="1", detail="cleared")
_ALREADY = Said(outcome=ClearOutcome.ALREADY_INITIAL, code="2", detail="nothing to clear")
LEFT = Said(outcome=ClearOutcome.RETRYABLE, code="204", detail="the chip has gone")
"""Nothing was done, because the handset isn't there any more."""
_NO_ANSWER = Said(outcome=ClearOutcome.RETRYABLE, code="203", detail="the chip can't be opened")
_TIMED_OUT = Said(outcome=ClearOutcome.RETRYABLE, code="205", detail="the chip timed out")
_HALFWAY = Said(outcome=ClearOutcome.RETRYABLE, code="210", detail="broken off, to be repeated")
_LOCKED = Said(outcome=ClearOutcome.NEEDS_OPERATOR, code="202", detail="the chip is locked")
_UNSUPPORTED = Said(outcome=ClearOutcome.UNSUPPORTED, code="401", detail="not on this handset")
_FORBIDDEN = Said(outcome=ClearOutcome.FATAL, code="206", detail="no permission")


_ONLY_SAID: Final[Mapping[ClearStory, Said]] = MappingProxyType(
    {
        ClearStory.LIES: _DONE,
        ClearStory.UNSUPPORTED: _UNSUPPORTED,
        ClearStory.NEEDS_OPERATOR: _LOCKED,
        ClearStory.FATAL: _FORBIDDEN,
    }
)


def clear(chip: VirtualChip) -> Said:
    """Clear a chip as its plan says."""
    story = chip.plan.clear
    first_time = chip.clear_attempts == 0
    chip.clear_attempts += 1
    if chip.silent:
        return _NO_ANSWER
    if story in _ONLY_SAID:
        return _ONLY_SAID[story]
    if story is ClearStory.RETRY_ONCE and first_time:
        return _TIMED_OUT
    if story is ClearStory.HALFWAY and first_time:
        chip.lose_half()
        return _HALFWAY
    already = chip.profile == CLEARED
    chip.become(CLEARED)
    if story is ClearStory.SWAPS:
        chip.swap()
    return _ALREADY if already else _DONE
