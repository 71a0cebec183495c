"""What the daemon does about its machine's clock: the wall and the metrics."""

from __future__ import annotations

from benchd.observe.clock_metrics import ClockMetrics
from benchd.slots.board import RackBoard
from benchd.words.ids import JobId
from benchd.words.slot import ProblemCode, ProblemView
from benchd.words.slot_states import SlotState


class Timekeeping:
    """Implements `benchd.daemon.clock_watch.ClockSink`."""

    def __init__(self, *, board: RackBoard, metrics: ClockMetrics) -> None:
        self._board = board
        self._metrics = metrics

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
