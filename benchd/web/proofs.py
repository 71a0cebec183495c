"""Which handsets on the rack have their certificate in the ledger, looked up once for each."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from benchd.errors import LedgerFault
from benchd.pipelines.history import fold_job
from benchd.web.service import RackService
from benchd.words.ids import JobId, SlotName
from benchd.words.job import Disposition, Outcome
from benchd.words.slot import SlotView
from benchd.words.slot_states import SlotState


class Proofs:
    """Remembers what it has found, for as long as the handset lies there."""

    def __init__(self, rack: RackService) -> None:
        self._rack = rack
        self._found: dict[SlotName, JobId] = {}
        self._none: dict[SlotName, JobId] = {}

    async def proven(self, view: SlotView) -> bool:
        """Whether the ledger holds a certificate for the handset that is in this slot now.

        Raises LedgerFault where it can't be asked.
        """
        if view.state is not SlotState.FINISHED or view.job is None:
            return False
        records = await self._rack.ledger.entries(view.job)
        if not records:
            return False
        history = fold_job(records, self._rack.issuer)
        return (
            history.envelope is not None
            and history.outcome is Outcome.PASSED
            and history.disposition is Disposition.SELLABLE
        )

    async def look(self, views: Iterable[SlotView]) -> None:
        """Ask about each handset that ended sellable and wasn't asked about yet."""
        sold = {
            view.slot: view
            for view in views
            if view.state is SlotState.FINISHED and view.disposition is Disposition.SELLABLE
        }
        for known in (self._found, self._none):
            for slot in [s for s, job in known.items() if s not in sold or sold[s].job != job]:
                del known[slot]
        for slot, view in sold.items():
            if view.job is None or slot in self._found or slot in self._none:
                continue
            try:
                (self._found if await self.proven(view) else self._none)[slot] = view.job
            except LedgerFault:
                # Neither is known; whoever looks next asks again.
                continue

    @property
    def found(self) -> Collection[SlotName]:
        """Slots whose handset has its certificate."""
        return self._found.keys()

    def open(self, view: SlotView) -> bool:
        """Whether a handset that ended sellable couldn't be asked about yet."""
        sold = view.state is SlotState.FINISHED and view.disposition is Disposition.SELLABLE
        return sold and view.slot not in self._found and view.slot not in self._none
