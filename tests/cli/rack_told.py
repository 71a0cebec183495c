"""The rack as the daemon tells it to `status` and `watch`: slots, and the queue made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import cast

from rich.console import Console, RenderableType

from benchd.domain.errand import TrayItem
from benchd.domain.errand_priority import errands_of
from benchd.domain.ids import JsonObject, SlotName
from benchd.domain.job import Outcome
from benchd.domain.slot import Away, AwayView, SlotView
from benchd.domain.slot_states import SlotState
from benchd.slots.board import RackBoard
from benchd.texts.catalogue import Catalogue
from benchd.web.present import Presenter
from benchd.web.proofs import Proofs
from benchd.web.queue_view import QueueDesk
from tests.web.web_fakes import BEGAN, port, running_view

NOW = BEGAN + timedelta(minutes=2)


def rack_told(
    catalogue: Catalogue,
    *views: SlotView,
    ports: int = 0,
    proven: Sequence[str] = (),
    tray: Sequence[TrayItem] = (),
    now: datetime = NOW,
) -> JsonObject:
    """What both routes tell of these slots; `proven` are those with a certificate on record."""
    presenter = Presenter(catalogue)
    strangers = [port(90 + number) for number in range(ports)]
    desk = QueueDesk(RackBoard(), catalogue, cast("Proofs", None))
    errands = errands_of(
        {view.slot: view for view in views},
        ports=strangers,
        tray=tray,
        proven={view.job for view in views if view.slot in proven and view.job is not None},
    )
    queue = desk.shown(errands, sees_all=True).model_dump(mode="json")
    unknown = [presenter.unknown_port(stranger) for stranger in strangers]
    return {
        "slots": [presenter.slot(view).model_dump(mode="json") for view in views],
        "unknown_ports": [entry.model_dump(mode="json") for entry in unknown],
        "queue": {**queue, "now": now.isoformat()},
    }


def cable_out(slot: str, number: int, left: timedelta) -> SlotView:
    """A handset that is out in mid-overwrite, with so much time left."""
    return replace(
        running_view(),
        slot=SlotName(slot),
        port_path=port(number),
        state=SlotState.REPLUGGING,
        since=BEGAN,
        away=AwayView(why=Away.CABLE_OUT, until=NOW + left),
    )


def finished(slot: str, number: int, view: SlotView) -> SlotView:
    """Its end in another slot."""
    return replace(
        view,
        slot=SlotName(slot),
        port_path=port(number),
        state=SlotState.FINISHED,
        outcome=Outcome.PASSED,
        since=BEGAN,
    )


def printed(what: RenderableType, *, width: int = 100, colour: bool = False) -> str:
    """As it stands on a terminal, or in a file."""
    output = StringIO()
    console = Console(
        file=output,
        width=width,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
    )
    console.print(what)
    return output.getvalue()
