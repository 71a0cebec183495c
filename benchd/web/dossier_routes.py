"""The routes of dossiers: what the rack keeps, and one recorded now; on the machine itself only."""

# Annotations name what is made in the function, so they are read at once.

from fastapi import APIRouter

from benchd.domain.authority import Action
from benchd.domain.ids import SlotName
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.acting_person import Acting
from benchd.web.error_answers import DECISION, INVALID, NOT_FOUND, SIGN_IN
from benchd.web.objects import DossierObject, KeptDossiersObject
from benchd.web.service import ServedRack
from benchd.web.slot_routes import SlotInPath


def dossier_routes(rack: ServedRack) -> APIRouter:
    """`/api/v1/dossiers`, and `/api/v1/slots/{slot}/dossier` over the Unix socket."""
    router = APIRouter(prefix="/api/v1")

    @router.get("/dossiers")
    @served_to(AccessLevel.READ)
    async def kept() -> KeptDossiersObject:
        """What failed inspections have left on the rack, the newest first."""
        return KeptDossiersObject.of(dossiers=await rack.dossiers.kept())

    @router.post(
        "/slots/{slot}/dossier",
        responses=NOT_FOUND | INVALID | DECISION | SIGN_IN,
    )
    @served_to(AccessLevel.SOCKET, action=Action.RECORD)
    async def record(slot: SlotInPath, _: Acting) -> DossierObject:
        """Ask the handset in a slot everything; what is personal is replaced. Takes a minute."""
        return DossierObject.of(await rack.dossiers.record(SlotName(slot)))

    return router
