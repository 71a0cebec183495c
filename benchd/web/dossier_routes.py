"""The routes of dossiers: what the rack keeps, and one recorded now; on the machine itself only."""

from __future__ import annotations

from fastapi import APIRouter

from benchd.texts.catalogue import printable
from benchd.web.objects import DossierObject, KeptDossierObject, KeptDossiersObject
from benchd.web.refusals import DECISION, INVALID, NOT_FOUND
from benchd.web.service import DossierDoor
from benchd.web.slot_routes import SlotInPath
from benchd.words.ids import SlotName

LONGEST_WHY = 400


def dossier_routes(door: DossierDoor) -> APIRouter:
    """`/api/v1/dossiers`, and `/api/v1/slots/{slot}/dossier` over the Unix socket."""
    router = APIRouter(prefix="/api/v1")

    @router.get("/dossiers")
    async def kept() -> KeptDossiersObject:
        """What failed inspections have left on the rack, the newest first."""
        return KeptDossiersObject(
            dossiers=[
                KeptDossierObject(
                    name=one.name,
                    taken_at=one.taken_at,
                    model=printable(one.model),
                    android=printable(one.android),
                    why=printable(one.why, LONGEST_WHY),
                    path=one.path,
                )
                for one in await door.kept()
            ]
        )

    @router.post(
        "/slots/{slot}/dossier",
        responses=NOT_FOUND | INVALID | DECISION,
    )
    async def record(slot: SlotInPath) -> DossierObject:
        """Ask the handset in a slot everything; what is personal is replaced. Takes a minute."""
        made = await door.record(SlotName(slot))
        return DossierObject(
            files=dict(made.files),
            replaced=dict(made.replaced),
            unanswered=dict(made.unanswered),
            reads_otherwise=list(made.reads_otherwise),
        )

    return router
