"""Which handsets on the rack may be sold, by the ledger, looked up once for each.

By the certificate of the very job, or of an earlier one where the job is a passed look before the
sale: then both whoever checks a pallet and whoever settles it must be allowed to let it go.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from typing import Final

import anyio
import structlog

from benchd.domain.errors import (
    BenchdError,
    CertificateGap,
    LedgerBusy,
    LedgerFault,
    NotFound,
    RecordsUnavailable,
    SettlingRefused,
    UsageRefused,
)
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition, Outcome
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.proof.job_history import fold_job
from benchd.web.service import ServedRack

LONGEST_LOOK_S: Final = 1.0
"""For what the queue is asked about meanwhile; a read model that is made anew takes longer."""

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
        """Whether the handset that is in this slot now may be sold.

        Raises LedgerFault, LedgerBusy or RecordsUnavailable where nobody can say.
        """
        self._forget()
        return _is_over(view) and view.job is not None and await self._known(view.job, view)

    async def look(self, views: Iterable[SlotView]) -> None:
        """Ask about each handset that may be sold and wasn't asked about yet."""
        self._forget()
        for view in views:
            if view.job is not None and _may_be_sold(view):
                try:
                    with anyio.move_on_after(LONGEST_LOOK_S if view.is_passed_look else math.inf):
                        await self._known(view.job, view)
                except (LedgerFault, LedgerBusy, RecordsUnavailable):
                    # Neither is known; whoever looks next asks again.
                    continue

    @property
    def found(self) -> Collection[JobId]:
        """Jobs whose handset may be sold."""
        return {job for job, (_, proven) in self._proven.items() if proven}

    def open(self, view: SlotView) -> bool:
        """Whether a handset that may be sold couldn't be asked about yet."""
        return _may_be_sold(view) and view.job not in self._proven

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
            is_look = view.is_passed_look
            proven = await (self._goes_back(job) if is_look else self._is_proven(job))
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

    async def _goes_back(self, look: JobId) -> bool:
        """Whether its handset is sold under a certificate from before its look."""
        try:
            certified = await self._rack.shipping.ready_under(look)
            if certified is not None:
                await self._rack.disposal.refuse_certificate(look, certified)
        except (NotFound, UsageRefused, SettlingRefused, CertificateGap):
            return False
        return certified is not None


def _is_over(view: SlotView) -> bool:
    return view.state is SlotState.FINISHED


def _may_be_sold(view: SlotView) -> bool:
    return view.is_passed_look or (_is_over(view) and view.disposition is Disposition.SELLABLE)
