"""Which handsets on the rack have their certificate in the ledger, looked up once for each."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import structlog

from benchd.errors import BenchdError, LedgerFault
from benchd.pipelines.history import fold_job
from benchd.web.service import RackService
from benchd.words.ids import JobId
from benchd.words.job import Disposition, Outcome
from benchd.words.slot import SlotView
from benchd.words.slot_states import SlotState

_log = structlog.get_logger()


class Proofs:
    """Remembers what it has found by the job, since a slot may hold another handset by then."""

    def __init__(self, rack: RackService) -> None:
        self._rack = rack
        self._proven: dict[JobId, bool] = {}

    async def proven(self, view: SlotView) -> bool:
        """Whether the ledger holds a certificate for the handset that is in this slot now.

        Raises LedgerFault where it can't be asked.
        """
        return _is_over(view) and view.job is not None and await self._is_proven(view.job)

    async def look(self, views: Iterable[SlotView]) -> None:
        """Ask about each handset that ended sellable and wasn't asked about yet."""
        sold = [view.job for view in self._rack.board.views().values() if _is_sold(view)]
        for job in [job for job in self._proven if job not in sold]:
            del self._proven[job]
        for view in views:
            job = view.job
            if job is None or not _is_sold(view) or job in self._proven:
                continue
            try:
                self._proven[job] = await self._is_proven(job)
            except LedgerFault:
                # Neither is known; whoever looks next asks again.
                continue

    @property
    def found(self) -> Collection[JobId]:
        """Jobs whose handset has its certificate."""
        return {job for job, proven in self._proven.items() if proven}

    def open(self, view: SlotView) -> bool:
        """Whether a handset that ended sellable couldn't be asked about yet."""
        return _is_sold(view) and view.job not in self._proven

    async def _is_proven(self, job: JobId) -> bool:
        records = await self._rack.ledger.entries(job)
        if not records:
            return False
        try:
            history = fold_job(records, self._rack.issuer)
        except (BenchdError, ValueError) as broken:
            # What can't be read proves nothing, and is no reason to show nobody anything.
            _log.error("record_not_understood", job=job, detail=str(broken))
            return False
        return (
            history.envelope is not None
            and history.outcome is Outcome.PASSED
            and history.disposition is Disposition.SELLABLE
        )


def _is_over(view: SlotView) -> bool:
    return view.state is SlotState.FINISHED


def _is_sold(view: SlotView) -> bool:
    return _is_over(view) and view.disposition is Disposition.SELLABLE
