"""What the wall shows to whoever hasn't signed in: objects of their own, made field by field.

A new field of a slot is hidden here until somebody adds it. Nothing here leads to a handset's
serial or IMEI, to a job or its records, or to what a person has said.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from benchd.domain.handset import HandsetIdentity
from benchd.domain.job import Disposition, Gate, Outcome, Reason
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.web.objects import (
    AwayObject,
    DirectedObject,
    GuidanceObject,
    ProblemObject,
    StageWord,
    UnknownPortObject,
)
from benchd.web.present import Presenter, absence, directed, moment
from benchd.web.serialiser import AnswerObject, Foreign, Moment, Verbatim


class WallHandsetObject(AnswerObject):
    """Which kind of handset it is, as anybody sees who stands before it."""

    manufacturer: Foreign
    model: Foreign
    name: Foreign | None
    known_model: bool


class WallQuestionObject(AnswerObject):
    """That a question waits, and for what; its text names the handset."""

    gate: Gate


class WallSlotObject(AnswerObject):
    """What a slot does; null where nothing is known."""

    slot: Verbatim
    state: SlotState
    since: Moment | None = None
    mends_itself: bool = False
    absence: AwayObject | None = None
    occupancy: int | None
    stage: StageWord | None
    progress: Annotated[float | None, Field(ge=0, le=1)]
    eta_s: Annotated[float | None, Field(ge=0)]
    handset_left_s: Annotated[float | None, Field(ge=0)] = None
    handset: WallHandsetObject | None
    problem: ProblemObject | None
    question: WallQuestionObject | None
    outcome: Outcome | None
    disposition: Disposition | None
    reason: Reason | None
    reason_text: GuidanceObject | None
    directed: DirectedObject | None = None


class WallRackObject(AnswerObject):
    """Every slot of the rack, in its order."""

    slots: list[WallSlotObject]
    unknown_ports: list[UnknownPortObject]
    notices: list[ProblemObject]


class WallPresenter:
    """Makes the objects of the wall."""

    def __init__(self, presenter: Presenter) -> None:
        self._presenter = presenter

    def slot(self, view: SlotView) -> WallSlotObject:
        """One slot as the wall shows it."""
        progress, eta_s = self._presenter.pace(view)
        return WallSlotObject(
            slot=view.slot,
            state=view.state,
            since=moment(view.since),
            mends_itself=view.mends_itself,
            absence=absence(view),
            occupancy=view.occupancy,
            stage=view.stage,
            progress=progress,
            eta_s=eta_s,
            handset_left_s=view.handset_left_s,
            handset=wall_handset(view.identity, view.model_name) if view.identity else None,
            problem=self._presenter.problem(view.problem) if view.problem else None,
            question=WallQuestionObject(gate=view.question.gate) if view.question else None,
            outcome=view.outcome,
            disposition=view.disposition,
            reason=view.reason,
            reason_text=self._presenter.reason(view.reason),
            directed=directed(view),
        )


def wall_handset(identity: HandsetIdentity, name: str | None) -> WallHandsetObject:
    """Which kind of handset it is."""
    return WallHandsetObject(
        manufacturer=identity.manufacturer,
        model=identity.model,
        name=name or None,
        known_model=name is not None,
    )
