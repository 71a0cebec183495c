"""The one state of a slot, and the table of moves by which alone it changes; shown at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from benchd.domain.handset import HandsetFacts
from benchd.domain.ids import JobId
from benchd.domain.job import JobEnd, StageName
from benchd.domain.ports import Board, Clock
from benchd.domain.slot import (
    AwayView,
    EarlierEnd,
    ProblemCode,
    ProblemView,
    ProgressView,
    QuestionView,
    SlotView,
)
from benchd.domain.slot_states import SlotState
from benchd.domain.topology import SlotPlace
from benchd.pipelines.recipe import Recipe
from benchd.slots.time_remaining import Forecast, Pace

SLOT_MOVES: Mapping[SlotState, frozenset[SlotState]] = MappingProxyType(
    {
        SlotState.EMPTY: frozenset({SlotState.SETTLING}),
        SlotState.SETTLING: frozenset(
            {SlotState.EMPTY, SlotState.WAITING, SlotState.RUNNING, SlotState.FINISHED}
        ),
        SlotState.WAITING: frozenset(
            {SlotState.EMPTY, SlotState.SETTLING, SlotState.RUNNING, SlotState.FINISHED}
        ),
        SlotState.RUNNING: frozenset(
            {
                SlotState.AWAITING_OPERATOR,
                SlotState.REPLUGGING,
                SlotState.WAITING,
                SlotState.FINISHED,
                SlotState.EMPTY,
            }
        ),
        SlotState.AWAITING_OPERATOR: frozenset(
            {SlotState.RUNNING, SlotState.REPLUGGING, SlotState.FINISHED, SlotState.EMPTY}
        ),
        SlotState.REPLUGGING: frozenset(
            {SlotState.RUNNING, SlotState.AWAITING_OPERATOR, SlotState.FINISHED, SlotState.EMPTY}
        ),
        SlotState.FINISHED: frozenset({SlotState.EMPTY}),
        SlotState.QUARANTINED: frozenset({SlotState.EMPTY}),
    }
)
"""Allowed moves; every state may also go to QUARANTINED, which only an unplug leaves."""


class SlotStateMachine:
    """Holds the view of one slot. Persisted first, shown after: callers keep that order."""

    def __init__(self, place: SlotPlace, board: Board, clock: Clock, pace: Pace) -> None:
        self._board = board
        self._clock = clock
        self._pace = pace
        self._forecast: Forecast | None = None
        self._empty = SlotView(slot=place.name, port_path=place.port_path, recipe=place.recipe)
        self._turn(self._empty)

    def _turn(self, view: SlotView) -> None:
        """The slot has come to something else, or something else is the matter with it."""
        if self._forecast is not None:
            self._forecast.turned(view)
        self.view = replace(view, since=self._clock.now(), handset_left_s=self._left_s(view))
        self._board.show(self.view)

    def _tell(self, view: SlotView) -> None:
        """More is known of the same."""
        self.view = replace(view, handset_left_s=self._left_s(view))
        self._board.show(self.view)

    def _left_s(self, view: SlotView) -> float | None:
        if self._forecast is None or view.disposition is not None:
            return None
        return self._forecast.left_s(view.eta_s)

    def _move(self, state: SlotState) -> SlotView:
        now = self.view.state
        if state is not now and state is not SlotState.QUARANTINED and state not in SLOT_MOVES[now]:
            message = f"a slot can't go from {now} to {state}"
            raise RuntimeError(message)
        return replace(self.view, state=state)

    def empty(self) -> None:
        """Nothing is plugged in."""
        self._move(SlotState.EMPTY)
        self._forecast = None
        # Another handset that was in it without a job has taken the place of the last one too.
        self._turn(replace(self._empty, last_job=self.view.job))

    def recall(self, job: JobId | None) -> None:
        """A former daemon's job was the last one in the slot."""
        self._tell(replace(self.view, last_job=job))

    def reassigned(self, recipe: str) -> None:
        """From the next job on the slot runs this recipe; a job that runs keeps its own."""
        self._empty = replace(self._empty, recipe=recipe)
        if self.view.job is None:
            self._tell(replace(self.view, recipe=recipe))

    def debouncing(self, occupancy: int) -> None:
        """Something was plugged in and may still change its mode."""
        self._turn(replace(self._move(SlotState.SETTLING), occupancy=occupancy, problem=None))

    def flapping(self, occupancy: int) -> None:
        """Something comes and goes on the port, so that nothing is begun with it yet."""
        problem = ProblemView(code=ProblemCode.PORT_FLAPS)
        if self.view.problem != problem:
            self.debouncing(occupancy)
            self.waiting(problem)

    def waiting(self, problem: ProblemView) -> None:
        """The handset can't go on until this is put right."""
        waits = replace(self._move(SlotState.WAITING), problem=problem, question=None, away=None)
        same = self.view.state is SlotState.WAITING and _code(self.view) is problem.code
        (self._tell if same else self._turn)(waits)

    def running(self) -> None:
        """The job goes on."""
        self._turn(replace(self._move(SlotState.RUNNING), problem=None, question=None, away=None))

    def began_job(self, job: JobId, recipe: Recipe) -> None:
        """A job has begun."""
        self._forecast = Forecast(self._pace, [spec.name for spec in recipe.stages])
        self._turn(
            replace(self._move(SlotState.RUNNING), job=job, recipe=recipe.name, problem=None)
        )

    def continued(self, job: JobId | None, recipe: str | None) -> None:
        """A former daemon's job, whose end is shown again."""
        self.view = replace(self.view, job=job, recipe=recipe or self.view.recipe)

    def began_stage(self, stage: StageName) -> None:
        """The job has come to this stage."""
        self._turn(
            replace(
                self._move(SlotState.RUNNING),
                stage=stage,
                progress=None,
                eta_s=None,
                transfer=None,
                problem=None,
                away=None,
            )
        )

    def progressed(self, progress: ProgressView) -> None:
        """How far the stage is."""
        self._tell(
            replace(
                self.view,
                progress=progress.fraction,
                eta_s=progress.eta_s,
                transfer=progress.transfer,
            )
        )

    def identified(self, facts: HandsetFacts, model_name: str | None) -> None:
        """Who is in the slot, and what its model is sold as, if the catalogue has it."""
        if self._forecast is not None:
            self._forecast.capacity_bytes = facts.capacity_bytes
        self._tell(replace(self.view, identity=facts.identity, model_name=model_name))

    def was_here(self, earlier: EarlierEnd | None) -> None:
        """How the same handset has ended here last time."""
        self._tell(replace(self.view, earlier=earlier))

    def awaiting(self, question: QuestionView) -> None:
        """A person has to answer."""
        self._turn(
            replace(
                self._move(SlotState.AWAITING_OPERATOR), question=question, problem=None, away=None
            )
        )

    def replugging(self, away: AwayView) -> None:
        """The handset may leave its port and has to come back."""
        self._turn(
            replace(self._move(SlotState.REPLUGGING), question=None, problem=None, away=away)
        )

    def finished(self, end: JobEnd) -> None:
        """The job has ended; the handset may be taken out."""
        self._turn(
            replace(
                self._move(SlotState.FINISHED),
                outcome=end.outcome,
                disposition=end.disposition,
                reason=end.reason,
                owners=end.owners,
                dossier=end.dossier,
                question=None,
                problem=None,
                away=None,
                eta_s=None,
                transfer=None,
            )
        )

    def quarantined(self, problem: ProblemView, end: JobEnd | None) -> None:
        """The slot's own task failed; only an unplug leads out."""
        self._turn(
            replace(
                self._move(SlotState.QUARANTINED),
                problem=problem,
                question=None,
                away=None,
                transfer=None,
                outcome=end.outcome if end else None,
                disposition=end.disposition if end else None,
                reason=end.reason if end else None,
            )
        )


def _code(view: SlotView) -> ProblemCode | None:
    return view.problem.code if view.problem else None
