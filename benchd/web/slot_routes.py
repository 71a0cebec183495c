"""The routes that show the rack as it is now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from fastapi import APIRouter, Path, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from benchd.errors import NotFound
from benchd.pipelines.history import fold_job
from benchd.web.callers import Callers, caller_of
from benchd.web.events import rack_events
from benchd.web.objects import ProofObject, RackObject, SlotObject
from benchd.web.present import Presenter
from benchd.web.refusals import INVALID, LEDGER, LONGEST_NAME, NOT_FOUND
from benchd.web.service import RackService
from benchd.web.sight import Sight
from benchd.web.wall import WallPresenter, WallRackObject, WallSlotObject
from benchd.words.ids import SlotName
from benchd.words.job import Disposition, Outcome
from benchd.words.slot import SlotView
from benchd.words.slot_states import SlotState

SlotInPath = Annotated[str, Path(max_length=LONGEST_NAME)]


def slot_routes(
    rack: RackService, presenter: Presenter, callers: Callers, stopping: anyio.Event
) -> APIRouter:
    """Slots and the event stream; whoever may see only the wall gets objects of its own."""
    router = APIRouter(prefix="/api/v1")
    board = rack.board
    wall = WallPresenter(presenter)

    def sees_all(request: Request) -> bool:
        return caller_of(request.scope).sight >= Sight.READ

    def view_of(slot: str) -> SlotView:
        view = board.views().get(SlotName(slot))
        if view is None:
            message = f"there is no slot {slot}"
            raise NotFound(message)
        return view

    @router.get("/slots")
    async def slots(request: Request) -> RackObject | WallRackObject:
        """Every slot of the rack, and ports in use that are no slot."""
        return presenter.rack(board) if sees_all(request) else wall.rack(board)

    @router.get("/slots/{slot}", responses=NOT_FOUND | INVALID)
    async def slot(slot: SlotInPath, request: Request) -> SlotObject | WallSlotObject:
        """One slot."""
        view = view_of(slot)
        return presenter.slot(view) if sees_all(request) else wall.slot(view)

    @router.get("/slots/{slot}/proof", responses=NOT_FOUND | INVALID | LEDGER)
    async def proof(slot: SlotInPath) -> ProofObject:
        """Whether the ledger holds a certificate for the handset that is in the slot now."""
        view = view_of(slot)
        return ProofObject(
            slot=view.slot, occupancy=view.occupancy, proven=await _is_proven(rack, view)
        )

    @router.get("/events", response_class=EventSourceResponse)
    async def events(request: Request) -> AsyncIterator[ServerSentEvent]:
        """Each slot object, then each one that changes, as server-sent events.

        Ends once the caller may see more or less than at its begin.
        """
        began = caller_of(request.scope).sight
        shown = presenter.slot if sees_all(request) else wall.slot
        told = rack_events(board, presenter, shown, stopping)
        async for event in told:
            if callers.of(request.scope).sight != began:
                break
            yield event

    return router


async def _is_proven(rack: RackService, view: SlotView) -> bool:
    if view.state is not SlotState.FINISHED or view.job is None:
        return False
    records = await rack.ledger.entries(view.job)
    if not records:
        return False
    history = fold_job(records, rack.issuer)
    return (
        history.envelope is not None
        and history.outcome is Outcome.PASSED
        and history.disposition is Disposition.SELLABLE
    )
