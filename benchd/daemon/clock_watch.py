"""Watches the machine's clock: set back it goes on record, and kept right by nobody on the wall."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Final

import anyio
import structlog

from benchd.daemon.kernel_clock import boot_id
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId
from benchd.domain.intake import TimeDoubt
from benchd.domain.ports import Clock
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.domain.slot_states import SlotState
from benchd.intake.intake_store import IntakeStore
from benchd.intake.rack_clock_trust import RackTime
from benchd.ledger.ledger_access import SqliteLedger
from benchd.observe.clock_metrics import ClockMetrics
from benchd.proof.clock_proof import STEP_S
from benchd.proof.evidence.clock_evidence import ClockStepEvidence
from benchd.slots.board import RackBoard

LOOK_EVERY_S: Final = 5.0
RUNNING: Final = "running"
AT_START: Final = "at_start"
_NOTICES: Final = {
    TimeDoubt.CLOCK_BEHIND: ProblemCode.CLOCK_BEHIND,
    TimeDoubt.TIME_UNCONFIRMED: ProblemCode.TIME_UNCONFIRMED,
}

_log = structlog.get_logger()


def rack_time_of(
    ledger: SqliteLedger,
    clock: Clock,
    was_synchronised: Callable[[], bool | None],
    seen: datetime | None,
) -> RackTime:
    """What the rack knows of its time at a start, whose ledger knew of the time `seen`."""
    return RackTime(
        clock,
        boot=boot_id(),
        is_synchronised=was_synchronised,
        head=lambda: ledger.head.sequence,
        newest=seen,
    )


class Timekeeping:
    """What the daemon does about its clock: the wall, the metrics, and what may be cited."""

    def __init__(self, *, board: RackBoard, metrics: ClockMetrics, intake: IntakeStore) -> None:
        self._board = board
        self._metrics = metrics
        self._intake = intake
        self._doubt: TimeDoubt | None = None

    def looked(self) -> None:
        """Whether what was attested may be cited now; on the wall of a rack that takes lots in."""
        basis = self._intake.time_basis()
        doubt = basis if isinstance(basis, TimeDoubt) else None
        for code in _NOTICES.values():
            if doubt is None or code is not _NOTICES[doubt]:
                self._board.withdraw_notice(code)
        if doubt is not None and self._intake.book.lots:
            self._board.show_notice(ProblemView(code=_NOTICES[doubt]))
        if doubt is not self._doubt:
            self._doubt = doubt
            # Whoever is asked because of it may be asked no more.
            self._intake.time_changed()

    def stepped_back(self) -> None:
        """It was set back."""
        self._metrics.stepped_back()

    def synchronised(self) -> None:
        """Something keeps it right."""
        self._metrics.synchronised(is_so=True)
        self._board.withdraw_notice(ProblemCode.CLOCK_UNSYNCHRONISED)

    def unsynchronised(self, *, too_long: bool) -> None:
        """Nothing keeps it right; on the wall once that has lasted."""
        self._metrics.synchronised(is_so=False)
        if too_long:
            self._board.show_notice(ProblemView(code=ProblemCode.CLOCK_UNSYNCHRONISED))

    def running_jobs(self) -> list[JobId]:
        """The jobs that haven't ended, as the wall shows them."""
        ended = (SlotState.FINISHED, SlotState.EMPTY)
        views = self._board.views().values()
        return [view.job for view in views if view.job is not None and view.state not in ended]


class ClockWatch:
    """Looks every few seconds, as long as the daemon lives."""

    def __init__(
        self,
        *,
        clock: Clock,
        monotonic: Callable[[], float],
        is_synchronised: Callable[[], bool | None],
        record: Callable[[Entry], Awaitable[object]],
        running_jobs: Callable[[], Iterable[JobId]],
        timekeeping: Timekeeping,
        unsynchronised_s: float,
    ) -> None:
        """`monotonic` is a clock that nobody sets; `record` keeps an entry."""
        self._clock = clock
        self._monotonic = monotonic
        self._is_synchronised = is_synchronised
        self._record = record
        self._running_jobs = running_jobs
        self._timekeeping = timekeeping
        self._unsynchronised_s = unsynchronised_s
        self._offset = self._now_offset()
        """The furthest ahead that the clock has been since the last step on record: many small ones
        add up, as long as nothing sets it forward again."""
        self._wrong_since: float | None = None

    async def compare_with(self, newest: StoredEntry | None) -> None:
        """At start: a clock that is behind the ledger's newest record was set back meanwhile."""
        if newest is not None:
            behind_s = (newest.entry.at - self._clock.now()).total_seconds()
            await self._keep_step(behind_s, AT_START, ())

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await anyio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Compare both clocks, and see whether anything keeps the wall clock right."""
        now = self._now_offset()
        set_back_s = self._offset - now
        if set_back_s >= STEP_S or set_back_s < 0:
            self._offset = now
        self._tell_synchronised()
        await self._keep_step(set_back_s, RUNNING, self._running_jobs())
        self._timekeeping.looked()

    def _now_offset(self) -> float:
        return self._clock.now().timestamp() - self._monotonic()

    async def _keep_step(self, seconds: float, noticed: str, jobs: Iterable[JobId]) -> None:
        """Once for the rack, and once for each job whose times it has spoilt."""
        if seconds < STEP_S:
            return
        _log.warning("clock_stepped_back", seconds=round(seconds, 1), noticed=noticed)
        self._timekeeping.stepped_back()
        data = to_json(ClockStepEvidence(set_back_s=seconds, noticed=noticed))
        for job in (None, *jobs):
            await self._record(
                Entry(kind=EntryKind.CLOCK_STEPPED, at=self._clock.now(), job=job, data=data)
            )

    def _tell_synchronised(self) -> None:
        if self._is_synchronised():
            self._wrong_since = None
            self._timekeeping.synchronised()
            return
        now = self._monotonic()
        self._wrong_since = now if self._wrong_since is None else self._wrong_since
        too_long = now - self._wrong_since >= self._unsynchronised_s
        self._timekeeping.unsynchronised(too_long=too_long)
