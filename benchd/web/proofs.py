"""Which handsets on the rack have their certificate in the ledger, looked up once for each."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import anyio
import structlog

from benchd.domain.errors import BenchdError, LedgerBusy, LedgerFault
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition, Outcome
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.proof.job_history import fold_job
from benchd.web.service import ServedRack

_log = structlog.get_logger()


class Proofs:
    """Remembers what it has found by the job, since a slot may hold another handset by then.

    What a slot puts on record changes what it shows: then the ledger is asked again.
    """

    def __init__(self, rack: ServedRack) -> None:
        self._rack = rack
        self._proven: dict[JobId, tuple[SlotView, bool]] = {}
        self._asking: dict[JobId, anyio.Event] = {}

    async def proven(self, view: SlotView) -> bool:
        """Whether the ledger holds a certificate for the handset that is in this slot now.

        Raises LedgerFault or LedgerBusy where it can't be asked.
        """
        self._forget()
        return _is_over(view) and view.job is not None and await self._known(view.job, view)

    async def look(self, views: Iterable[SlotView]) -> None:
        """Ask about each handset that ended sellable and wasn't asked about yet."""
        self._forget()
        for view in views:
            if view.job is not None and _is_sold(view):
                try:
                    await self._known(view.job, view)
                except (LedgerFault, LedgerBusy):
                    # Neither is known; whoever looks next asks again.
                    continue

    @property
    def found(self) -> Collection[JobId]:
        """Jobs whose handset has its certificate."""
        return {job for job, (_, proven) in self._proven.items() if proven}

    def open(self, view: SlotView) -> bool:
        """Whether a handset that ended sellable couldn't be asked about yet."""
        return _is_sold(view) and view.job not in self._proven

    def _forget(self) -> None:
        over = {view.job for view in self._rack.board.views().values() if _is_over(view)}
        for job in [job for job in self._proven if job not in over]:
            del self._proven[job]

    async def _known(self, job: JobId, view: SlotView) -> bool:
        """However many ask at once, the ledger is asked once."""
        while True:
            kept = self._proven.get(job)
            if kept is not None and kept[0] == view:
                return kept[1]
            if job not in self._asking:
                break
            await self._asking[job].wait()
        asking = self._asking[job] = anyio.Event()
        try:
            proven = await self._is_proven(job)
            self._proven[job] = view, proven
        finally:
            del self._asking[job]
            asking.set()
        return proven

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
