"""The routes of dossiers: what the rack keeps, and one recorded now; on the machine itself only."""

# Annotations name what is made in the function, so they are read at once.

from typing import Annotated

from fastapi import APIRouter, Depends

from benchd.authority import Action
from benchd.web.objects import DossierObject, KeptDossiersObject
from benchd.web.refusals import DECISION, INVALID, NOT_FOUND, SIGN_IN
from benchd.web.service import DossierDoor
from benchd.web.slot_routes import SlotInPath
from benchd.web.who import Acting, WhoActs
from benchd.words.ids import SlotName
from benchd.words.people import By


def dossier_routes(door: DossierDoor, who: WhoActs) -> APIRouter:
    """`/api/v1/dossiers`, and `/api/v1/slots/{slot}/dossier` over the Unix socket."""
    recording = Acting(Action.RECORD, who)
    router = APIRouter(prefix="/api/v1")

    @router.get("/dossiers")
    async def kept() -> KeptDossiersObject:
        """What failed inspections have left on the rack, the newest first."""
        return KeptDossiersObject.of(dossiers=await door.kept())

    @router.post(
        "/slots/{slot}/dossier",
        responses=NOT_FOUND | INVALID | DECISION | SIGN_IN,
    )
    async def record(slot: SlotInPath, _: Annotated[By, Depends(recording)]) -> DossierObject:
        """Ask the handset in a slot everything; what is personal is replaced. Takes a minute."""
        return DossierObject.of(await door.record(SlotName(slot)))

    return router
