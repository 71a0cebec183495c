"""Which handsets on the rack may be sold, by the ledger, looked up once for each.

By the certificate of the very job, or of an earlier one where the job is a passed look before the
sale: then both whoever checks a pallet and whoever settles it must be allowed to let it go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from math import inf
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

LONGEST_LOOKS_S: Final = 1.0
"""For all passed looks of one view; a read model that is made anew takes longer."""
LOOK_AGAIN_S: Final = 5.0
"""Time alone can end what a passed look may go back to sale by: then it is asked anew."""
LOOK_KEPT_S: Final = 10.0
"""While it can't be asked anew, as long as a page counts on what it heard last."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Answer:
    view: SlotView
    proven: bool
    head: int
    asked_at: float


class Proofs:
    """Remembers what it has found by the job, since a slot may hold another handset by then.

    What a slot puts on record changes what it shows: then the ledger is asked again. A passed look
    rests on another job's certificate, which ends without a change of the slot: of that the ledger
    is asked again once it has another record, and every few seconds.
    """

    def __init__(self, rack: ServedRack, now: Callable[[], float] = anyio.current_time) -> None:
        self._rack = rack
        self._now = now
        self._answers: dict[JobId, _Answer] = {}
        self._asked_at: dict[JobId, float] = {}
        self._asking: dict[JobId, anyio.Event] = {}

    async def proven(self, view: SlotView) -> bool:
        """Whether the handset that is in this slot now may be sold.

        Raises LedgerFault, LedgerBusy or RecordsUnavailable where nobody can say.
        """
        self._forget()
        return _is_over(view) and view.job is not None and await self._known(view.job, view)

    async def look(self, views: Iterable[SlotView]) -> None:
        """Ask about each handset that may be sold and of which nothing is known as of now."""
        self._forget()
        asked = {view.job: view for view in views if view.job is not None and _may_be_sold(view)}
        for job, view in asked.items():
            if not view.is_passed_look:
                await self._ask(job, view)
        with anyio.move_on_after(LONGEST_LOOKS_S):
            # Who was asked about last waits: one slow answer doesn't keep others from theirs.
            for job in sorted(asked, key=lambda job: self._asked_at.get(job, -inf)):
                if asked[job].is_passed_look:
                    await self._ask(job, asked[job])

    @property
    def found(self) -> Collection[JobId]:
        """Jobs whose handset may be sold."""
        return {job for job, kept in self._answers.items() if kept.proven and self._counts(kept)}

    def open(self, view: SlotView) -> bool:
        """Whether a handset that may be sold couldn't be asked about yet."""
        if view.job is None or not _may_be_sold(view):
            return False
        kept = self._answers.get(view.job)
        return kept is None or not self._counts(kept)

    def unchanged(self, views: Iterable[SlotView]) -> bool:
        """Whether nothing has to be asked anew of the passed looks among them."""
        return all(self._is_known(view) for view in views if view.is_passed_look)

    def _is_known(self, view: SlotView) -> bool:
        kept = None if view.job is None else self._answers.get(view.job)
        return kept is not None and self._is_fresh(kept, view, self._now())

    def _is_fresh(self, kept: _Answer, view: SlotView, began: float) -> bool:
        """For whoever began to ask then."""
        if kept.view != view:
            return False
        if not view.is_passed_look or kept.asked_at > began:
            return True
        return kept.head == self._rack.shipping.head and self._age_s(kept) < LOOK_AGAIN_S

    def _counts(self, kept: _Answer) -> bool:
        return not kept.view.is_passed_look or self._age_s(kept) < LOOK_KEPT_S

    def _age_s(self, kept: _Answer) -> float:
        return self._now() - kept.asked_at

    def _forget(self) -> None:
        over = {view.job for view in self._rack.board.views().values() if _is_over(view)}
        for told in (self._answers, self._asked_at):
            for job in [job for job in told if job not in over]:
                del told[job]

    async def _ask(self, job: JobId, view: SlotView) -> None:
        try:
            await self._known(job, view)
        except (LedgerFault, LedgerBusy, RecordsUnavailable):
            # Neither is known; whoever looks next asks again.
            return

    async def _known(self, job: JobId, view: SlotView) -> bool:
        """However many ask at once, the ledger is asked once, or twice where it grew meanwhile."""
        began = self._now()
        while True:
            kept = self._answers.get(job)
            if kept is not None and self._is_fresh(kept, view, began):
                return kept.proven
            if job not in self._asking:
                break
            await self._asking[job].wait()
        asking = self._asking[job] = anyio.Event()
        head, now = self._rack.shipping.head, self._now()
        self._asked_at[job] = now
        try:
            is_look = view.is_passed_look
            proven = await (self._goes_back(job) if is_look else self._is_proven(job))
            self._answers[job] = _Answer(view, proven, head, now)
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
