"""A slot's object as JSON, made once for all who may see the same: screens, and whoever asks."""

from __future__ import annotations

import json
from collections.abc import Callable

from benchd.domain.ids import JsonValue, SlotName
from benchd.domain.slot import SlotView
from benchd.proof.evidence.intake_evidence import BoundRecord
from benchd.slots.board import RackBoard
from benchd.web.present import Presenter
from benchd.web.serialiser import AnswerObject
from benchd.web.wall import WallPresenter


class KeptSlots:
    """The slots for one sight. JSON that says the same is the same object."""

    def __init__(
        self, presenter: Presenter, slot_object: Callable[[SlotView], AnswerObject]
    ) -> None:
        """`slot_object` leaves out what this sight doesn't reach."""
        self._presenter = presenter
        self._slot_object = slot_object
        self._slots: dict[SlotName, tuple[SlotView, BoundRecord | None, str]] = {}

    def slot(self, view: SlotView) -> str:
        """One slot's object."""
        bound = self._presenter.bound(view)
        kept = self._slots.get(view.slot)
        if kept is None or kept[0] is not view or kept[1] != bound:
            told = self._slot_object(view).model_dump_json()
            kept = self._slots[view.slot] = view, bound, told
        return kept[2]

    def rack(self, board: RackBoard) -> str:
        """All slots in their order, and what is the matter with the rack."""
        slots = ",".join(self.slot(view) for view in board.views().values())
        ports: JsonValue = [
            self._presenter.unknown_port(port).model_dump(mode="json")
            for port in board.unknown_ports()
        ]
        notices: JsonValue = [
            self._presenter.problem(view).model_dump(mode="json") for view in board.notices()
        ]
        return (
            f'{{"slots":[{slots}],"unknown_ports":{json.dumps(ports)},'
            f'"notices":{json.dumps(notices)}}}'
        )


class SlotsByAccessLevel:
    """The slots for those who may see all of them, and for those who may see only the wall."""

    def __init__(self, presenter: Presenter) -> None:
        self.whole = KeptSlots(presenter, presenter.slot)
        self.on_wall = KeptSlots(presenter, WallPresenter(presenter).slot)
