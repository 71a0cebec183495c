"""The routes that show the rack as it is now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from benchd.domain.errors import NotFound
from benchd.domain.ids import SlotName
from benchd.domain.slot import SlotView
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.callers import caller_of
from benchd.web.error_answers import INVALID, LEDGER, LONGEST_NAME, NOT_FOUND
from benchd.web.objects import ProofObject, RackObject, SlotObject
from benchd.web.present import Presenter
from benchd.web.proofs import Proofs
from benchd.web.service import ServedRack
from benchd.web.slot_cache import SlotsByAccessLevel
from benchd.web.wall import WallPresenter, WallRackObject, WallSlotObject

SlotInPath = Annotated[str, Path(max_length=LONGEST_NAME)]


def slot_routes(
    rack: ServedRack, presenter: Presenter, kept: SlotsByAccessLevel, proofs: Proofs
) -> APIRouter:
    """Slots; whoever may see only the wall gets objects of its own."""
    router = APIRouter(prefix="/api/v1")
    board = rack.board
    wall = WallPresenter(presenter)

    def sees_all(request: Request) -> bool:
        return caller_of(request.scope).access_level >= AccessLevel.READ

    def view_of(slot: str) -> SlotView:
        view = board.views().get(SlotName(slot))
        if view is None:
            message = f"there is no slot {slot}"
            raise NotFound(message)
        return view

    @router.get("/slots", response_model=RackObject | WallRackObject)
    @served_to(AccessLevel.WALL)
    async def slots(request: Request) -> Response:
        """Every slot of the rack, and ports in use that are no slot."""
        seen = kept.whole if sees_all(request) else kept.on_wall
        return Response(seen.rack(board), media_type="application/json")

    @router.get("/slots/{slot}", responses=NOT_FOUND | INVALID)
    @served_to(AccessLevel.WALL)
    async def slot(slot: SlotInPath, request: Request) -> SlotObject | WallSlotObject:
        """One slot."""
        view = view_of(slot)
        return presenter.slot(view) if sees_all(request) else wall.slot(view)

    @router.get("/slots/{slot}/proof", responses=NOT_FOUND | INVALID | LEDGER)
    @served_to(AccessLevel.WALL)
    async def proof(slot: SlotInPath) -> ProofObject:
        """Whether the ledger lets the handset be sold that is in the slot now."""
        view = view_of(slot)
        return ProofObject(
            slot=view.slot, occupancy=view.occupancy, proven=await proofs.proven(view)
        )

    return router
