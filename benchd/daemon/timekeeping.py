"""What the daemon does about its machine's clock: the wall and the metrics."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from benchd.daemon.kernel_clock import boot_id
from benchd.intake.rack_time import RackTime
from benchd.intake.store import IntakeStore
from benchd.ledger.access import SqliteLedger
from benchd.observe.clock_metrics import ClockMetrics
from benchd.ports import Clock
from benchd.slots.board import RackBoard
from benchd.words.ids import JobId
from benchd.words.intake import TimeDoubt
from benchd.words.slot import ProblemCode, ProblemView
from benchd.words.slot_states import SlotState

_NOTICES: Final = {
    TimeDoubt.CLOCK_BEHIND: ProblemCode.CLOCK_BEHIND,
    TimeDoubt.TIME_UNCONFIRMED: ProblemCode.TIME_UNCONFIRMED,
}


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
    """Shows what the clock's watch has found on the wall and in the metrics."""

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

    def stepped_back(self, seconds: float) -> None:  # noqa: ARG002 - whoever found it has logged it
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
