"""What the daemon does about what is found out of its ledger: the wall, the metrics, the door."""

from __future__ import annotations

from datetime import datetime

from benchd.domain.slot import ProblemCode, ProblemView
from benchd.observe.ledger_metrics import LedgerMetrics
from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard


class Integrity:
    """Lets nothing new be destroyed on a ledger that doesn't hold; what is begun is recorded."""

    def __init__(self, *, board: RackBoard, admission: Admission, metrics: LedgerMetrics) -> None:
        self._board = board
        self._admission = admission
        self._metrics = metrics
        self._diverged = False

    def walked(self, share: float) -> None:
        """This much of the chain has been looked at in this pass."""
        self._metrics.walked(share)

    def sound(self, at: datetime) -> None:
        """The whole chain held at this time."""
        if not self._diverged:
            self._metrics.sound(at)
            self._admission.release(ProblemCode.LEDGER_BROKEN)
            self._board.withdraw_notice(ProblemCode.LEDGER_BROKEN)

    def diverged(self) -> None:
        """An anchor knows more than the ledger; a start with that anchor refuses it."""
        self._diverged = True
        self._hold()

    def broken(self, detail: str) -> None:  # noqa: ARG002 - whoever found it has logged it
        """The chain doesn't hold."""
        self._hold()

    def _hold(self) -> None:
        self._metrics.broken()
        self._admission.hold(ProblemCode.LEDGER_BROKEN)
        self._board.show_notice(ProblemView(code=ProblemCode.LEDGER_BROKEN))

    def anchored_before(self, sequence: int, at: datetime) -> None:
        """Every anchor had this head, as a former daemon has put on record."""
        self._metrics.anchors.recalled(sequence, at)

    def anchored(self, sequence: int, at: datetime) -> None:
        """Every anchor has this head."""
        self._metrics.anchors.anchored(sequence, at)
        self._board.withdraw_notice(ProblemCode.ANCHOR_UNREACHABLE)

    def anchor_unreachable(self) -> None:
        """A head couldn't be sent out; the rack goes on."""
        self._metrics.anchors.unreachable()
        self._board.show_notice(ProblemView(code=ProblemCode.ANCHOR_UNREACHABLE))
