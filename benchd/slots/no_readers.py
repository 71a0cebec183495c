"""A rack without contactless readers: every chip is the operators' to look at."""

from __future__ import annotations

from benchd.errors import ReaderGone
from benchd.words.chip import ChipScan
from benchd.words.clear import ClearClaim, ClearOrder, ClearOutcome
from benchd.words.ids import SlotName


class NoReaders:
    """Implements `benchd.ports.ChipAccess` for slots that have no reader and no provider."""

    def reader(self, slot: SlotName) -> str | None:  # noqa: ARG002 - the port's signature
        """No slot has one."""
        return None

    async def scan(self, slot: SlotName, *, passes: int, power_cycle: bool) -> ChipScan:  # noqa: ARG002
        """Raises ReaderGone: there is nothing to scan with."""
        raise ReaderGone(f"slot {slot} has no reader")

    async def until_there(self, slot: SlotName) -> None:
        """Raises ReaderGone: there is nothing to wait for."""
        raise ReaderGone(f"slot {slot} has no reader")

    async def clear(self, order: ClearOrder) -> ClearClaim:  # noqa: ARG002
        """A person's hand is all there is."""
        return ClearClaim(
            provider="operator",
            outcome=ClearOutcome.NEEDS_OPERATOR,
            detail="no provider is configured",
        )
