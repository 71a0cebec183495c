"""A rack that takes nothing in: every handset is nobody's asset, and every gate asks."""

from __future__ import annotations

import anyio

from benchd.errors import NotFound
from benchd.proof.evidence.clock import TimeBasis
from benchd.proof.evidence.intake import BoundRecord
from benchd.proof.intake_book import IntakeBook
from benchd.words.ids import JobId, SlotName
from benchd.words.intake import TimeDoubt


class NoIntake:
    """Implements `benchd.ports.Intake` over nothing."""

    def __init__(self) -> None:
        self.book = IntakeBook()

    def time_basis(self) -> TimeBasis | TimeDoubt:
        """There is nothing to cite."""
        return TimeDoubt.TIME_UNCONFIRMED

    async def changed(self) -> None:
        """Never returns: nothing changes."""
        await anyio.sleep_forever()

    async def bind(self, told: BoundRecord, *, job: JobId, slot: SlotName) -> None:  # noqa: ARG002
        """Raises NotFound: there is nothing to bind to."""
        raise NotFound(f"there is no asset {told.tag}")
