"""The one state of a slot, changed by allowed moves only, and shown at once."""

from __future__ import annotations

from dataclasses import replace

from benchd.ports import Board
from benchd.slots.topology import SlotPlace
from benchd.words.handset import HandsetIdentity
from benchd.words.ids import JobId
from benchd.words.job import JobEnd, StageName
from benchd.words.slot import EarlierEnd, ProblemView, QuestionView, SlotView
from benchd.words.slot_states import SLOT_MOVES, SlotState


class Face:
    """Holds the view of one slot. Persisted first, shown after: callers keep that order."""

    def __init__(self, place: SlotPlace, board: Board) -> None:
        self._board = board
        self._empty = SlotView(slot=place.name, port_path=place.port_path)
        self.view = self._empty
        self._show()

    def _show(self) -> None:
        self._board.show(self.view)

    def _move(self, state: SlotState) -> SlotView:
        now = self.view.state
        if state is not now and state is not SlotState.QUARANTINED and state not in SLOT_MOVES[now]:
            message = f"a slot can't go from {now} to {state}"
            raise RuntimeError(message)
        return replace(self.view, state=state)

    def empty(self) -> None:
        """Nothing is plugged in."""
        self._move(SlotState.EMPTY)
        self.view = self._empty
        self._show()

    def settling(self, occupancy: int) -> None:
        """Something was plugged in and may still change its mode."""
        self.view = replace(self._move(SlotState.SETTLING), occupancy=occupancy, problem=None)
        self._show()

    def waiting(self, problem: ProblemView) -> None:
        """The handset can't go on until somebody puts this right."""
        self.view = replace(self._move(SlotState.WAITING), problem=problem, question=None)
        self._show()

    def running(self) -> None:
        """The job goes on."""
        self.view = replace(self._move(SlotState.RUNNING), problem=None, question=None)
        self._show()

    def began_job(self, job: JobId, recipe: str) -> None:
        """A job has begun."""
        self.view = replace(self._move(SlotState.RUNNING), job=job, recipe=recipe, problem=None)
        self._show()

    def continued(self, job: JobId | None, recipe: str | None) -> None:
        """A former daemon's job, whose end is shown again."""
        self.view = replace(self.view, job=job, recipe=recipe)

    def began_stage(self, stage: StageName) -> None:
        """The job has come to this stage."""
        self.view = replace(
            self._move(SlotState.RUNNING), stage=stage, progress=None, eta_s=None, problem=None
        )
        self._show()

    def progressed(self, fraction: float, eta_s: float | None) -> None:
        """How far the stage is."""
        self.view = replace(self.view, progress=fraction, eta_s=eta_s)
        self._show()

    def identified(self, identity: HandsetIdentity, model_name: str | None) -> None:
        """Who is in the slot, and what its model is sold as, if the catalogue has it."""
        self.view = replace(self.view, identity=identity, model_name=model_name)
        self._show()

    def was_here(self, earlier: EarlierEnd | None) -> None:
        """How the same handset has ended here last time."""
        self.view = replace(self.view, earlier=earlier)
        self._show()

    def awaiting(self, question: QuestionView) -> None:
        """A person has to answer."""
        self.view = replace(
            self._move(SlotState.AWAITING_OPERATOR), question=question, problem=None
        )
        self._show()

    def replugging(self) -> None:
        """The handset is expected to leave its port and come back."""
        self.view = replace(self._move(SlotState.REPLUGGING), question=None, problem=None)
        self._show()

    def finished(self, end: JobEnd) -> None:
        """The job has ended; the handset may be taken out."""
        self.view = replace(
            self._move(SlotState.FINISHED),
            outcome=end.outcome,
            disposition=end.disposition,
            reason=end.reason,
            owners=end.owners,
            dossier=end.dossier,
            question=None,
            problem=None,
            eta_s=None,
        )
        self._show()

    def quarantined(self, problem: ProblemView, end: JobEnd | None) -> None:
        """The slot's own task failed; only an unplug leads out."""
        self.view = replace(
            self._move(SlotState.QUARANTINED),
            problem=problem,
            question=None,
            outcome=end.outcome if end else None,
            disposition=end.disposition if end else None,
            reason=end.reason if end else None,
        )
        self._show()
